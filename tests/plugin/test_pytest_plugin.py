"""The plugin as its users meet it: pytest in a folder of their own, in a process of its own."""

import json
import os
import re

import pytest

CAMPAIGN = """
schema_version: "1.0"
name: tiny
matrix:
  workflows: [{workflow: examples/article_writer_sqlite.yaml, name: writer}]
  instruments: [off, manual_spans]
  backends: [file]
measure: {blocks: 2, invocations: 3, warmups: 1, read_sizes: [4]}
"""

BENCHMARKS = """
import pytest
pytestmark = pytest.mark.tracegauge(campaign="tiny.yaml")

@pytest.mark.tracegauge(metric="latency")
def bench_latency(replay):
    replay()

@pytest.mark.tracegauge(metric="cpu")
def bench_export_cpu(replay):
    replay()

@pytest.mark.tracegauge(metric="drain")
def bench_drain(replay):
    replay()

@pytest.mark.tracegauge(metric="search")
def bench_reads(replay):
    replay()
"""

IDS = {
    "bench_latency[writer-off-c1]",
    "bench_latency[writer-manual_spans-file-c1]",
    "bench_export_cpu[writer-off-c1]",
    "bench_export_cpu[writer-manual_spans-file-c1]",
    "bench_drain[writer-manual_spans-file-c1]",
    "bench_reads[writer-manual_spans-file-c1-n4]",
}


@pytest.fixture
def suite(pytester, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
        monkeypatch.delenv(name)  # pytest-benchmark disables itself where it thinks that it runs in a worker of xdist
    pytester.makefile(".yaml", tiny=CAMPAIGN)
    pytester.mkdir("bench")
    (pytester.path / "bench" / "bench_agent.py").write_text(BENCHMARKS)
    pytester.makeini("[pytest]\npython_files = bench_*.py\npython_functions = bench_*\naddopts = -p no:cacheprovider\n")
    return pytester


def test_benchmarks_are_listed_without_measuring(suite):
    result = suite.runpytest_subprocess("bench", "--collect-only", "-q")
    assert {line.partition("::")[2] for line in result.outlines if "::" in line} == IDS
    assert not (suite.path / "reports").exists()


@pytest.mark.slow
def test_what_was_measured_is_saved_and_compared(suite):
    first = suite.runpytest_subprocess("bench", "--benchmark-autosave", "--benchmark-save-data")
    first.assert_outcomes(passed=6)
    (saved,) = suite.path.glob(".benchmarks/*/*.json")
    benchmarks = {one["name"]: one for one in json.loads(saved.read_text())["benchmarks"]}
    assert set(benchmarks) == IDS

    (folder,) = (suite.path / "reports").iterdir()
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    traced = [one["measurement"] for one in samples if one["cell"]["instrument"] == "manual_spans"]
    latencies = sorted(ns for one in traced for ns in one["latency_ns"])
    assert len(latencies) == 2 * 3
    replayed = sorted(benchmarks["bench_latency[writer-manual_spans-file-c1]"]["stats"]["data"])
    assert replayed == pytest.approx([ns / 1e9 for ns in latencies])
    drain = sorted(benchmarks["bench_drain[writer-manual_spans-file-c1]"]["stats"]["data"])
    assert drain == pytest.approx(sorted(one["drain_ns"] / 1e9 for one in traced))
    extra = benchmarks["bench_latency[writer-manual_spans-file-c1]"]["extra_info"]
    assert (extra["traces_made"], extra["traces_stored"], extra["traces_lost"]) == (6, 6, 0)

    second = suite.runpytest_subprocess("bench", "--benchmark-compare", "-k", "latency or drain")
    second.assert_outcomes(passed=3, deselected=3)
    # Both runs of a benchmark stand under its name, with nothing left uncompared.
    names = re.findall(r"^(bench_\w+\[\S+\]) \((\w+)\)", second.stdout.str(), re.MULTILINE)
    assert len(names) == 6
    assert {name for name, run in names if run == "NOW"} == {name for name, run in names if run != "NOW"}


def test_disabled_benchmarks_measure_nothing(suite):
    result = suite.runpytest_subprocess("bench", "--benchmark-disable")
    result.assert_outcomes(passed=6)
    assert not (suite.path / "reports").exists()


def test_a_failed_cell_fails_its_benchmarks_only(suite):
    campaign = CAMPAIGN.replace("name: writer}", "name: writer, expect: {manual_spans: {spans: 99}}}")
    (suite.path / "tiny.yaml").write_text(campaign.replace("blocks: 2", "blocks: 1"))
    result = suite.runpytest_subprocess("bench", "-k", "latency")
    result.assert_outcomes(passed=1, failed=1, deselected=4)
    result.stdout.fnmatch_lines(["*block 0: 33 spans are in the store; 297 are expected*"])


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("tiny.yaml", "name: tiny\n", "*tiny.yaml:1:1: the key 'schema_version' is missing*"),
        ("tiny.yaml", CAMPAIGN.replace("[off, manual_spans]", "[off, manual]"), "*unknown instrument 'manual'*"),
        (
            "bench/bench_agent.py",
            BENCHMARKS.replace('metric="drain"', 'metric="drainage"'),
            "*'drainage' is no metric*",
        ),
        ("bench/bench_agent.py", BENCHMARKS.replace("pytestmark", "unused"), "*names no campaign*"),
    ],
)
def test_mistakes_are_told_when_collecting(suite, file, text, message):
    (suite.path / file).write_text(text)
    result = suite.runpytest_subprocess("bench", "--collect-only")
    assert result.ret != 0
    output = result.stdout.str() + result.stderr.str()
    assert re.search(message.strip("*").replace("[", r"\[").replace(".", r"\."), output), output


def test_other_tests_pay_nothing(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing_of_ours_is_imported():
            assert [name for name in sys.modules if name.startswith(("mlflow", "langgraph", "pandas"))] == []
            assert sorted(name for name in sys.modules if name.startswith("tracegauge")) == [
                "tracegauge", "tracegauge.pytest_plugin",
            ]
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
