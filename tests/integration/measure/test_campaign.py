"""A small, real campaign: real LangGraph, real MLflow, real stores, fresh processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError
from tracegauge.gate import controls_of
from tracegauge.measure import CouldNotMeasureError, build_cells, run_campaign, start_folder, unfinished_folder
from tracegauge.measure.job import Answer
from tracegauge.measure.prepare import _checked
from tracegauge.results import Failure
from tracegauge.results.files import read_campaign

ARTICLE_WRITER = {
    "workflow": "examples/article_writer_sqlite.yaml",
    "name": "writer",
    "expect": {
        "legacy_runs": {"spans": 6, "node_spans": 5},
        "manual_spans": {"spans": 11, "node_spans": 5, "llm_spans": 5},
        "autolog": {"spans": 11, "node_spans": 5, "llm_spans": 5},
    },
}
OWN_GRAPH = {
    "workflow": "examples/own_graph/langgraph.json",
    "name": "own_graph",
    # note_topic, answer, tools, answer: 4 node calls, 2 model calls, 1 tool call, and the root.
    "expect": {
        "legacy_runs": {"spans": 5, "node_spans": 4},
        "manual_spans": {"spans": 8, "node_spans": 4, "llm_spans": 2, "tool_spans": 1},
        "autolog": {"node_spans": 4, "llm_spans": 2, "tool_spans": 1},
    },
}


def campaign(*workflows, blocks=1, instruments=("off", "legacy_runs", "manual_spans", "autolog"), **measure):
    return Campaign.model_validate(
        {
            "schema_version": "1.0",
            "name": "small",
            "matrix": {"workflows": list(workflows), "instruments": list(instruments)},
            "measure": {"blocks": blocks, "invocations": 3, "warmups": 1, "read_sizes": [4], **measure},
        }
    )


def run(of, folder, **options):
    cells = build_cells(of.matrix)
    started = start_folder(folder, of, cells, [], "test")
    return started, run_campaign(of, cells, started, **options)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder, samples = run(campaign(ARTICLE_WRITER), tmp_path_factory.mktemp("measured"))
    return folder, {sample.cell.id: sample for sample in samples}


def test_every_cell_is_measured_and_right(measured):
    _, samples = measured
    assert set(samples) == {
        "writer-off-c1",
        *(f"writer-{i}-{b}-c1" for i in ("legacy_runs", "manual_spans", "autolog") for b in ("file", "sqlite")),
    }
    assert {id_: sample.failures for id_, sample in samples.items() if not sample.ok} == {}


def test_what_is_stored_equals_what_was_made(measured):
    _, samples = measured
    for id_, sample in samples.items():
        counts = sample.measurement.counts
        if sample.cell.instrument == "off":
            assert counts is None, id_
            continue
        assert (counts.traces_made, counts.traces_stored, counts.orphan_spans) == (3, 3, 0), id_
        assert counts.node_spans_stored == 3 * 5, id_
        if sample.cell.instrument != "legacy_runs":
            assert counts.llm_spans_stored == 3 * 5, id_


def test_each_measure_is_there(measured):
    _, samples = measured
    for id_, sample in samples.items():
        found = sample.measurement
        assert len(found.latency_ns) == 3, id_
        assert found.wall_ns >= max(found.latency_ns), id_
        assert found.cpu_ns >= found.cpu_request_ns > 0, id_
        if sample.cell.instrument == "off":
            assert (found.bytes_allocated, found.drain_ns, found.reads) == (None, 0, ()), id_
        else:
            assert found.bytes_allocated >= 0, id_
            assert [(cost.store_traces, len(cost.search_ns), len(cost.get_ns)) for cost in found.reads] == [
                (4, 5, 5)
            ], id_


def test_the_environment_is_described_and_nothing_is_left_behind(measured):
    folder, _ = measured
    results = read_campaign(folder)
    assert set(results.environment.store_setup_ms) == {"file", "sqlite"}
    assert results.environment.packages["mlflow"]
    assert sorted(path.name for path in folder.iterdir()) == ["campaign.json", "environment.json", "samples.jsonl"]


@pytest.mark.slow
def test_an_asynchronous_graph_with_tools_has_its_declared_spans(tmp_path):
    _, samples = run(campaign(OWN_GRAPH), tmp_path)
    assert {sample.cell.id: sample.failures for sample in samples if not sample.ok} == {}
    tools = {sample.cell.instrument: sample.measurement.counts for sample in samples if sample.cell.backend == "sqlite"}
    assert tools["manual_spans"].tool_spans_stored == tools["autolog"].tool_spans_stored == 3


@pytest.mark.slow
def test_callers_at_once_lose_nothing(tmp_path):
    of = campaign(ARTICLE_WRITER, instruments=("off", "manual_spans", "autolog"), invocations=16)
    of = of.model_copy(update={"matrix": of.matrix.model_copy(update={"concurrency": (4,)})})
    _, samples = run(of, tmp_path)
    assert {sample.cell.id: sample.failures for sample in samples if not sample.ok} == {}
    assert all(len(sample.measurement.latency_ns) == 16 for sample in samples)


@pytest.mark.slow
def test_a_sequential_campaign_ends_at_the_look_that_decides_and_measures_controls_beside_the_matrix(tmp_path):
    of = campaign(ARTICLE_WRITER, instruments=("off",), sequential={"looks": [1, 2, 5]}, read_sizes=[])
    (cell,) = build_cells(of.matrix)
    controls = controls_of(cell)
    asked = []

    def is_decided(samples):
        asked.append({sample.block for sample in samples})
        return len(asked) == 2

    folder = start_folder(tmp_path, of, (cell, *controls.cells), [], "test", controls=controls.criteria)
    samples = run_campaign(of, (cell, *controls.cells), folder, is_decided=is_decided)
    assert asked == [{0}, {0, 1}]
    assert len(samples) == 2 * 3
    assert {sample.cell.id for sample in samples} == {f"writer-off-c1{end}" for end in ("", "-aa", "-injected10")}
    assert [sample.failures for sample in samples] == [()] * 6
    record = read_campaign(folder).record
    assert (record.blocks, record.looks, len(record.controls)) == (5, (1, 2, 5), 2)

    # resumed, it asks first, and measures nothing if everything is decided
    assert run_campaign(of, (cell, *controls.cells), folder, is_decided=lambda _: True) == samples


@pytest.mark.slow
def test_a_budget_of_time_ends_a_campaign_that_nothing_decides(tmp_path):
    """No further block is begun when the time is up; the one that was being measured is done."""
    fixed = campaign(ARTICLE_WRITER, instruments=["off"], read_sizes=[], blocks=6)
    timed = fixed.model_copy(update={"measure": fixed.measure.within(0.001)})
    assert timed.measure.looks == (8, 11, 15, 20, 27, 36, 48)  # those that a sequential campaign has by default
    folder, samples = run(timed, tmp_path)
    assert len(samples) == 1
    assert read_campaign(folder).record.blocks == 48


def test_a_server_that_never_answers_costs_no_more_than_its_timeout_and_no_trace(tmp_path):
    of = campaign(ARTICLE_WRITER, instruments=("autolog",), read_sizes=[])
    of = of.model_copy(update={"matrix": of.matrix.model_copy(update={"backends": ("unreachable",)})})
    _, (sample,) = run(of, tmp_path)
    assert sample.failures == ()
    assert sample.measurement.counts.traces_stored == 3
    assert 3 <= sample.measurement.setup_ns / 1e9 < 10  # the check's timeout is 3 s, and was waited for


def test_a_wrong_declaration_is_a_failure_of_the_cell(tmp_path):
    wrong = {**ARTICLE_WRITER, "expect": {"manual_spans": {"spans": 12}}}
    of = campaign(wrong, instruments=("manual_spans",), read_sizes=[])
    of = of.model_copy(update={"matrix": of.matrix.model_copy(update={"backends": ("file",)})})
    _, (sample,) = run(of, tmp_path)
    # 3 invocations of 11 spans, where 12 each are declared.
    assert [failure.message for failure in sample.failures] == ["33 spans are in the store; 36 are expected"]
    assert sample.measurement is not None


CRASHING = """
import os, signal
from typing import TypedDict
from langgraph.graph import StateGraph, START, END
class S(TypedDict): n: int
def step(state):
    if os.environ.get("PYTHONHASHSEED", "0") != "0" and state["n"] == 1:
        {crash}
    return {{"n": 2}}
graph = StateGraph(S).add_node("step", step).add_edge(START, "step").add_edge("step", END).compile()
"""


@pytest.mark.parametrize(
    ("crash", "kind", "message"),
    [
        ("raise ValueError('broken')", "invocation_failed", "invocation 1 of 3 raised ValueError: broken"),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGKILL)",
            "crashed",
            "the worker process was killed by SIGKILL",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "import time; time.sleep(60)", "timed_out", "took longer than 3 s and was ended", marks=pytest.mark.slow
        ),
    ],
)
def test_a_cell_that_fails_is_recorded_and_the_rest_goes_on(tmp_path, monkeypatch, crash, kind, message):
    # Blocks run under a hash seed of their own, the untraced pass before them under ours: so only the block fails.
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    (tmp_path / "crashing.py").write_text(CRASHING.format(crash=crash))
    (tmp_path / "one.json").write_text('{"n": 1}')
    (tmp_path / "zero.json").write_text('{"n": 0}')
    workflows = [
        {"workflow": f"{tmp_path}/crashing.py:graph", "name": name, "inputs": f"{tmp_path}/{file}.json"}
        for name, file in (("bad", "one"), ("good", "zero"))
    ]
    of = campaign(*workflows, instruments=("off",), warmups=0, cell_timeout_s=3)
    _, samples = run(of, tmp_path)
    found = {sample.cell.workflow: sample for sample in samples}
    assert found["good"].ok
    assert found["bad"].measurement is None
    assert [(failure.kind, failure.message) for failure in found["bad"].failures] == [(kind, message)]


def test_an_interrupted_campaign_goes_on_where_it_stopped(tmp_path):
    of = campaign(ARTICLE_WRITER, blocks=2, instruments=("off",))

    def interrupt_in_second_block(progress):
        if progress.step.startswith("block 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(of, tmp_path, on_progress=interrupt_in_second_block)
    folder = unfinished_folder(of, tmp_path)
    first = read_campaign(folder).samples
    assert [sample.block for sample in first] == [0]
    assert not (folder / "work").exists()

    samples = run_campaign(of, build_cells(of.matrix), folder)
    assert [sample.block for sample in samples] == [0, 1]
    assert samples[0] == first[0]
    assert read_campaign(folder).samples == tuple(samples)


def test_a_block_that_was_not_written_whole_is_measured_again(tmp_path):
    of = campaign(ARTICLE_WRITER, blocks=1, instruments=("off",))
    folder, _ = run(of, tmp_path)
    lines = (folder / "samples.jsonl").read_text()
    (folder / "samples.jsonl").write_text(lines[: len(lines) // 2])  # as a kill while writing leaves it
    again = run_campaign(of, build_cells(of.matrix), folder)
    assert [sample.block for sample in again] == [0]
    assert read_campaign(folder).samples == tuple(again)
    assert json.loads((folder / "samples.jsonl").read_text())["block"] == 0


def _children(pid):
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == pid:
                found.append(int(folder.name))
    return found


def test_ctrl_c_before_the_first_block_leaves_neither_process_nor_folder(tmp_path):
    command = [sys.executable, "-m", "tracegauge", "bench", "bench/quick.yaml", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and so would what the tests of such a job start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (children := _children(process.pid)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    if not children:
        process.kill()
        pytest.fail(f"no worker process was started: {process.communicate()}")
    time.sleep(1)  # until it waits for the worker, which imports MLflow for seconds
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "--resume" not in output  # there is nothing to go on with
    assert list(tmp_path.iterdir()) == []
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_a_workflow_that_fails_untraced_too_is_recorded_and_the_rest_goes_on(tmp_path):
    broken = CRASHING.format(crash="raise ValueError('broken')").replace('os.environ.get("PYTHONHASHSEED", "0")', '"1"')
    (tmp_path / "broken.py").write_text(broken)
    (tmp_path / "both.json").write_text('[{"n": 0}, {"n": 1}]')
    (tmp_path / "zero.json").write_text('{"n": 0}')
    workflows = [
        {"workflow": f"{tmp_path}/broken.py:graph", "name": name, "inputs": f"{tmp_path}/{file}.json"}
        for name, file in (("bad", "both"), ("good", "zero"))
    ]
    _, samples = run(campaign(*workflows, instruments=("off",), warmups=0), tmp_path)
    found = {sample.cell.workflow: sample for sample in samples}
    assert found["good"].ok
    assert found["bad"].measurement is None
    assert [failure.message for failure in found["bad"].failures] == ["the worker process failed: ValueError: broken"]
    with pytest.raises(CouldNotMeasureError, match=r"running bad untraced failed: .*ValueError: broken"):
        run(campaign(workflows[0], instruments=("off",), warmups=0), tmp_path / "alone")


def test_a_full_disk_under_a_store_is_told_as_such(tmp_path):
    full = Failure(kind="crashed", message="failed", detail="sqlite3.OperationalError: database or disk is full")
    folder = tmp_path / "reports" / "small-1" / "work" / "prepare-here"
    with pytest.raises(ConfigError, match=f"the disk that the output folder is on is full: {tmp_path}/reports"):
        _checked(Answer(failures=(full,)), "creating an empty sqlite store", folder)
