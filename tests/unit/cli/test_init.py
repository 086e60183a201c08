"""`tracegauge init` in somebody's own repository."""

import subprocess
import sys

import pytest
import yaml

from tracegauge.config import starter
from tracegauge.config.campaign import Campaign
from tracegauge.config.validation import parse
from tracegauge.config.yaml_file import parse_yaml

AGENT = """\
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    topic: str
    words: int


def write(state):
    return {"topic": state["topic"] * %s}


graph = StateGraph(State).add_node("write", write).add_edge(START, "write").add_edge("write", END).compile()
"""


def init(folder, *arguments):
    command = [sys.executable, "-m", "tracegauge", "init", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=folder, stdin=subprocess.DEVNULL
    )


def test_a_repository_with_a_langgraph_json_gets_all_it_needs_and_keeps_what_it_has(tmp_path):
    (tmp_path / "agent.py").write_text(AGENT % 2)
    (tmp_path / "langgraph.json").write_text('{"dependencies": ["."], "graphs": {"my-agent": "./agent.py:graph"}}')
    done = init(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The graph runs: one invocation" in done.stdout
    assert "tracegauge bench bench/campaign.yaml" in done.stdout
    assert (tmp_path / starter.INPUTS_PATH).read_text().endswith('- "topic": "tidal power"\n  "words": 0\n')
    assert "edit bench/inputs.yaml" in done.stdout
    campaign = parse(parse_yaml((tmp_path / starter.CAMPAIGN_PATH).read_text(), "campaign.yaml"), Campaign)
    (workflow,) = campaign.matrix.workflows
    assert (workflow.workflow, workflow.name, workflow.inputs) == (
        "langgraph.json#my-agent", "my_agent", "bench/inputs.yaml",
    )  # fmt: skip
    compile((tmp_path / starter.BENCH_PATH).read_text(), "bench_agent.py", "exec")

    (tmp_path / starter.CAMPAIGN_PATH).write_text("mine")
    again = init(tmp_path)
    assert "kept       bench/campaign.yaml" in again.stdout
    assert "unchanged  bench/bench_agent.py" in again.stdout
    assert (tmp_path / starter.CAMPAIGN_PATH).read_text() == "mine"
    replaced = init(tmp_path, "--overwrite", "--no-check")
    assert "replaced   bench/campaign.yaml" in replaced.stdout
    assert (tmp_path / starter.CAMPAIGN_PATH).read_text() != "mine"


def test_a_graph_that_does_not_run_is_told_and_the_files_are_there(tmp_path):
    (tmp_path / "agent.py").write_text(AGENT % "None")
    done = init(tmp_path, "agent:graph")
    assert done.returncode == 4
    assert "The graph does not run yet: TypeError" in done.stdout
    assert "Traceback" not in done.stderr
    assert (tmp_path / starter.CAMPAIGN_PATH).is_file()


def test_without_a_graph_it_says_how_to_name_one_and_writes_nothing(tmp_path):
    done = init(tmp_path)
    assert (done.returncode, "tracegauge init my_package.agent:graph" in done.stderr) == (3, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reference", ["agent:graph", "langgraph.json#agent", 'odd "name": here.py:graph'])
@pytest.mark.parametrize("inputs", [None, "bench/inputs.yaml"])
def test_the_campaign_is_valid_whatever_the_graph_is_called(reference, inputs):
    campaign = parse(parse_yaml(starter.campaign_text("agent", reference, inputs), "campaign.yaml"), Campaign)
    assert campaign.matrix.workflows[0].workflow == reference
    assert campaign.matrix.workflows[0].inputs == inputs


@pytest.mark.parametrize(
    ("name", "plain"), [("agent", "agent"), ("my-agent", "my_agent"), ("2nd", "_2nd"), ("Ä", "_"), ("", "agent")]
)
def test_names_are_those_that_campaigns_take(name, plain):
    assert starter.campaign_name(name) == plain
    compile(starter.bench_text(plain), "bench.py", "exec")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("langgraph.json#agent", "agent"),  # the user's own word for it
        ("shop.agent:support_graph", "support_graph"),
        ("shop.agent:graph", "shop"),
        ("./src/shop/agent.py:make_graph", "shop"),
        ("async_agent.py:app", "async_agent"),
        ("agent:graph", "graph"),
        ("2nd.py:graph", "_2nd"),
    ],
)
def test_a_graph_is_called_after_what_says_most(reference, name):
    assert starter.graph_name(reference) == name


def test_made_up_inputs_are_yaml_of_the_right_types():
    text = starter.inputs_text("a", {"x": {"type": "integer"}, "odd name": {"type": "string"}, "y": {"anyOf": []}})
    assert yaml.safe_load(text) == [{"x": 0, "odd name": "tidal power", "y": "tidal power"}]


def test_starter_judges_go_below_judges():
    assert all(path.parts[0] == "judges" for path in starter.starter_judges())
