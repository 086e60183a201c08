"""Does the instrument change what a judge sees and says of the same run? Asked as docs/JUDGING.md says one asks it."""

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracegauge.cli.judge import judge
from tracegauge.judging.extract import inputs_text, outputs_text
from tracegauge.judging.trace_reading import TraceReader
from tracegauge.measure.instruments import Destination, instrument_named
from tracegauge.mock_llm import MockScript, Rule
from tracegauge.workflows import load_workflow

DOCS = Path(__file__).parents[3] / "docs" / "JUDGING.md"
COMMAND = "tracegauge judge compare experiment=manual experiment=autolog --instruments --store sqlite:///mlflow.db"
RUNS = 64  # of so many equal pairs, with 95%, fewer than 5% can differ: 3/64
WORKFLOWS = {
    "examples/article_writer_sqlite.yaml": "bench/article_topics.yaml",
    "examples/tools.yaml": None,
    "examples/nested_state.yaml": None,
    "examples/parallel.yaml": None,
    "examples/loop.yaml": None,
    "examples/own_graph/langgraph.json": "examples/own_graph/inputs.yaml",
}
JUDGES = {"relevant": "Does {{ outputs }} fit {{ inputs }}?", "steps": "Is there a needless step in {{ trace }}?"}


def trace(uri, experiment, instrument, workflow, inputs):
    with instrument_named(instrument).attach(workflow, Destination(uri, experiment, "lossless")) as attached:
        for one in inputs:
            attached.invoke(one)
        attached.flush()


@pytest.fixture
def traced(make_store, workdir):
    """The article writer on 64 topics, by hand-written spans and by autolog."""
    uri = make_store()
    workflow = load_workflow("examples/article_writer_sqlite.yaml")
    topics = [{"topic": f"tidal power, part {number}"} for number in range(RUNS)]
    trace(uri, "manual", "manual_spans", workflow, topics)
    trace(uri, "autolog", "autolog", workflow, topics)
    return uri


def test_a_judge_sees_the_same_of_the_same_run_and_says_the_same(traced, start_mock_llm, workdir):
    mock = start_mock_llm(MockScript(rules=(Rule(match=".", answer={"rationale": "Fine.", "result": True}),)))
    (workdir / "judges").mkdir()
    for name, instructions in JUDGES.items():
        text = f'schema_version: "1.0"\nkind: llm\nname: {name}\nmodel: openai:/mock\nbase_url: {mock.url}\n'
        (workdir / "judges" / f"{name}.yaml").write_text(f"{text}instructions: {instructions}\n")

    def tracegauge(command):
        arguments = shlex.split(command)[2:]
        return CliRunner().invoke(judge, arguments, standalone_mode=False, catch_exceptions=False)

    assert COMMAND in DOCS.read_text(encoding="utf-8")
    tracegauge("tracegauge judge run judges --store sqlite:///mlflow.db")
    compared = tracegauge(f"{COMMAND} --json")
    relevant, steps = json.loads(compared.stdout)["measures"]
    assert (relevant["pairs"], steps["pairs"]) == (RUNS, RUNS)
    assert (relevant["same_content"]["count"], relevant["changed"]) == (RUNS, [])
    assert relevant["verdict"] == "PASS"
    # One that reads the spans sees how long each took.
    assert (steps["same_content"]["count"], steps["changed"], steps["verdict"]) == (0, [], "PASS")
    shown = tracegauge(COMMAND)
    assert (shown.return_value, "overall: PASS" in shown.stdout) == (0, True)
    assert "judge saw the same in A and B" in shown.stdout


def test_inputs_and_outputs_are_the_same_of_every_kind_of_graph(make_store, workdir):
    uri = make_store()
    for number, (reference, inputs) in enumerate(WORKFLOWS.items()):
        workflow = load_workflow(reference, inputs=inputs) if inputs else load_workflow(reference)
        seen = []
        for instrument in ("manual_spans", "autolog"):
            experiment = f"{number} {instrument}"
            trace(uri, experiment, instrument, workflow, workflow.inputs[:2])
            traces = TraceReader(uri).read([experiment], with_spans=True)
            seen.append([(inputs_text(one), outputs_text(one)) for one in traces])
        assert seen[0] == seen[1], reference
        assert all(text for pair in seen[0] for text in pair), reference
