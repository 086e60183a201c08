"""What `--against` names, and what both sides of it measure."""

import subprocess
from pathlib import Path

import pytest

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError
from tracegauge.measure.against import RequirementReference, Revision, old_cells, parse_reference, shared_campaign
from tracegauge.measure.against.packages import Package, differences
from tracegauge.results import Cell
from tracegauge.results.against import PackageDifference


def git(*arguments, cwd):
    identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository").resolve()
    git("init", "--quiet", cwd=folder)
    git("commit", "--quiet", "--allow-empty", "-m", "first", cwd=folder)
    git("tag", "v1.0", cwd=folder)
    git("commit", "--quiet", "--allow-empty", "-m", "second", cwd=folder)
    return folder


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("mlflow==3.9.0", "mlflow-3.9.0"),
        ("mlflow~=3.9", "mlflow-3.9"),
        ("mlflow>=3.9,<3.11", "mlflow-3.9-3.11"),
        ("mlflow[genai]==3.9.0", "mlflow-genai-3.9.0"),
        ("agent @ file:///somewhere/agent.whl", "agent-file-somewhere-agent.whl"),
    ],
)
def test_requirements(text, environment):
    reference = parse_reference(text)
    assert isinstance(reference, RequirementReference)
    assert reference.environment == environment


@pytest.mark.parametrize(
    ("text", "environment"), [("HEAD~1", "HEAD-1"), ("v1.0", "v1.0"), ("v1.0^{commit}", "v1.0-commit")]
)
def test_revisions(repository, monkeypatch, text, environment):
    monkeypatch.chdir(repository)
    reference = parse_reference(text)
    assert reference == Revision(text, git("rev-parse", "HEAD~1", cwd=repository), repository)
    assert reference.environment == environment


@pytest.mark.parametrize("text", ["no-such-branch", "mlflow", "HEAD~99", "--help", ""])
def test_what_is_neither_is_refused(repository, monkeypatch, text):
    monkeypatch.chdir(repository)
    with pytest.raises(ConfigError, match="there is no such git revision") as error:
        parse_reference(text)
    assert "or a requirement with its version, such as mlflow==3.9.0" in str(error.value)


def test_a_revision_outside_of_a_repository_is_refused(workdir):
    with pytest.raises(ConfigError, match="is not in a git repository"):
        parse_reference("main")


def test_differing_packages():
    same = Package("1.0", "a", None)
    here = {"same": same, "changed": Package("2.0", "b", None), "rebuilt": same, "new": same}
    there = {"same": same, "changed": Package("1.9", "c", None), "rebuilt": Package("1.0", "d", None), "gone": same}
    assert differences(here, there) == (
        PackageDifference(name="changed", new="2.0", old="1.9"),
        PackageDifference(name="gone", new=None, old="1.0"),
        PackageDifference(name="new", new="1.0", old=None),
        PackageDifference(name="rebuilt", new="1.0", old="1.0"),
    )


def test_both_sides_read_the_same_inputs_and_each_its_own_code(repository, monkeypatch):
    monkeypatch.chdir(repository)
    for file in ("inputs.json", "langgraph.json", "inputs.yaml"):
        (repository / file).write_text("{}")
    campaign = Campaign.model_validate(
        {
            "schema_version": "1.0",
            "name": "one",
            "matrix": {
                "workflows": [
                    {"workflow": f"{repository}/flow.yaml", "inputs": "inputs.json"},
                    {"workflow": "langgraph.json#agent"},
                    {"workflow": "package.module:graph", "inputs": "bench/article_topics.yaml"},
                ]
            },
        }
    )
    shared = shared_campaign(campaign, parse_reference("HEAD~1"))
    assert shared.name == "one-against-HEAD-1"
    assert [(one.workflow, one.inputs) for one in shared.matrix.workflows] == [
        ("flow.yaml", f"{repository}/inputs.json"),
        ("langgraph.json#agent", f"{repository}/inputs.yaml"),
        ("package.module:graph", "bench/article_topics.yaml"),  # not here: the one that comes with tracegauge
    ]
    assert shared.measure.read_sizes == ()


def test_cells_of_both_sides_have_ids_of_their_own():
    new = Cell(workflow="agent", instrument="autolog", backend="sqlite", delivery="lossless")
    (old,) = old_cells([new], parse_reference("mlflow==3.9.0").environment)
    assert (new.id, old.id) == ("agent-autolog-sqlite-c1", "agent-autolog-sqlite-c1-mlflow-3.9.0")
    assert Path(old.id).name == old.id, "ids are used as names of files"
