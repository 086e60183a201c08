"""Old and new in one campaign, for real: a repository with two revisions, each with its own code and packages.

The repository's project builds itself with a backend of its own, so that pip needs no package index. The pair of MLflow
versions that this is made for is too large for a test; by hand:

    tracegauge bench examples/own_graph/langgraph.json --against mlflow==3.9.0
"""

import os
import subprocess
import sys

import pytest

from tracegauge.results.against import PackageDifference
from tracegauge.results.files import read_campaign

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BACKEND = """
import zipfile

METADATA = "Metadata-Version: 2.1\\nName: tiny-agent\\nVersion: {version}\\n{requires}"

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = "tiny_agent-{version}.dist-info"
    with zipfile.ZipFile(f"{{wheel_directory}}/tiny_agent-{version}-py3-none-any.whl", "w") as wheel:
        wheel.write("src/tiny_agent.py", "tiny_agent.py")
        wheel.writestr(f"{{info}}/METADATA", METADATA)
        wheel.writestr(f"{{info}}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{{info}}/RECORD", "")
    return "tiny_agent-{version}-py3-none-any.whl"
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny-agent"
version = "{version}"
"""
GRAPH = """
from typing import TypedDict
from langgraph.graph import StateGraph, START, END
class S(TypedDict): n: int
graph = StateGraph(S){nodes}.add_edge(START, "a").add_edge("{last}", END).compile()
"""
CAMPAIGN = """
schema_version: "1.0"
name: tiny
matrix:
  workflows: [{workflow: "tiny_agent:graph", name: agent, inputs: inputs.json}]
  instruments: [autolog]
  backends: [sqlite]
measure: {blocks: 1, invocations: 2, warmups: 1}
"""
STEP = '.add_node("{0}", lambda state: {{"n": state["n"] + 1}})'


def commit(folder, version, graph, requires=""):
    (folder / "backend.py").write_text(BACKEND.format(version=version, requires=requires))
    (folder / "pyproject.toml").write_text(PROJECT.format(version=version))
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "tiny_agent.py").write_text(graph)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", version)
    git(folder, "tag", f"v{version}")


def git(folder, *arguments):
    identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """v1.0 is broken, v1.1 has a graph of one node, v1.2 one of two; in a checkout of v1.2."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "--quiet")
    (folder / "tiny.yaml").write_text(CAMPAIGN)
    (folder / "inputs.json").write_text('{"n": 1}')
    one = GRAPH.format(nodes=STEP.format("a"), last="a")
    two = GRAPH.format(nodes=STEP.format("a") + STEP.format("b") + '.add_edge("a", "b")', last="b")
    commit(folder, "1.0", one, requires="Requires-Dist: tiny-agent-needs-what-nobody-has==1")
    commit(folder, "1.1", one)
    commit(folder, "1.2", two)
    return folder


def measure_against(repository, reference, cache):
    """Run as a user would whose project is not installed, but found by PYTHONPATH."""
    environ = dict(os.environ)
    path = os.pathsep.join([f"{repository}/src", *filter(None, [environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "tracegauge", "bench", "tiny.yaml", "--against", reference],
        cwd=repository,
        env={**environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_revisions_are_measured_in_one_campaign(repository, tmp_path):
    done = measure_against(repository, "v1.1", tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr  # one block decides nothing
    (folder,) = (path.parent for path in repository.glob("reports/*/campaign.json"))
    results = read_campaign(folder)

    against = results.record.against
    assert against is not None
    assert against.commit == git(repository, "rev-parse", "v1.1^{commit}").strip()
    # Nothing else differs from the packages here.
    assert against.packages == (PackageDifference(name="tiny-agent", new=None, old="1.1"),)
    assert "tiny-agent not here, 1.1 there" in done.stdout
    assert "tiny-agent not here, 1.1 there" in (folder / "index.html").read_text()

    spans = {
        sample.cell.environment: sample.measurement.counts.node_spans_stored
        for sample in results.samples
        if sample.measurement and sample.measurement.counts
    }
    assert spans == {None: 2 * 2, "v1.1": 2 * 1}, "each side ran its own code"
    assert all(sample.ok for sample in results.samples)
    assert {(c.metric, c.baseline) for c in results.record.criteria} == {
        ("latency_p50_ms", "agent-autolog-sqlite-c1-v1.1"),
        ("cpu_ms_per_invocation", "agent-autolog-sqlite-c1-v1.1"),
        ("traces_lost", None),
    }
    # The repository is as it was, and the environment is kept for the next time.
    assert git(repository, "worktree", "list").count("\n") == 1
    assert git(repository, "status", "--porcelain").split() == ["??", "reports/"]
    (kept,) = (tmp_path / "tracegauge" / "environments").iterdir()
    assert kept.name.startswith("v1.1-")


def test_an_environment_that_cannot_be_built_leaves_nothing(repository, tmp_path):
    before = set(repository.glob("reports/*/campaign.json"))
    done = measure_against(repository, "v1.0", tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "the environment of v1.0 can't be built" in done.stderr
    assert "tiny-agent-needs-what-nobody-has" in done.stderr
    assert "Traceback" not in done.stderr
    assert set(repository.glob("reports/*/campaign.json")) == before
    assert list((tmp_path / "tracegauge" / "environments").iterdir()) == []
    assert git(repository, "worktree", "list").count("\n") == 1
