"""`--tracegauge-gate`, as its users meet it: tests that fail with numbers, and a gate that does not sleep."""

import os

import pytest

CAMPAIGN = """
schema_version: "1.0"
name: gated
matrix:
  workflows: [{workflow: "graph.py:graph", name: agent, inputs: inputs.json}]
  instruments: [off, autolog]
  backends: [sqlite]
measure: {blocks: 6, invocations: 2, warmups: 1, read_sizes: []}
controls: {margin: 5}
criteria:
  - {kind: ratio, id: much-slower, claim: Autolog is free., metric: latency_p50_ms, margin: 0.05,
     candidate: {instrument: autolog}, baseline: {instrument: off}}
  - {kind: ratio, id: quick-enough, claim: Autolog costs less than a thousand times., metric: cpu_ms_per_invocation,
     margin: 1000, candidate: {instrument: autolog}, baseline: {instrument: off}}
  - {kind: count, id: complete, claim: No trace is lost., metric: traces_lost, candidate: {instrument: autolog}}
"""

GRAPH = """
from typing import TypedDict
from langgraph.graph import StateGraph, START, END
class S(TypedDict): n: int
def step(state): return {"n": state["n"] + 1}
graph = StateGraph(S).add_node("step", step).add_edge(START, "step").add_edge("step", END).compile()
"""

BENCHMARKS = """
import pytest
pytestmark = [pytest.mark.tracegauge(campaign="gated.yaml"), pytest.mark.timeout(0)]

@pytest.mark.tracegauge(metric="latency")
def bench_latency(replay):
    replay()

@pytest.mark.tracegauge(metric="cpu")
def bench_cpu(replay):
    replay()
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
        monkeypatch.delenv(name)  # pytest-benchmark disables itself where it thinks that it runs in a worker of xdist
    (pytester.path / "gated.yaml").write_text(CAMPAIGN)
    (pytester.path / "graph.py").write_text(GRAPH)
    (pytester.path / "inputs.json").write_text('{"n": 1}')
    pytester.mkdir("bench")
    (pytester.path / "bench" / "bench_agent.py").write_text(BENCHMARKS)
    pytester.makeini("[pytest]\npython_files = bench_*.py\npython_functions = bench_*\naddopts = -p no:cacheprovider\n")
    return pytester


@pytest.mark.slow
def test_the_benchmark_of_a_regressed_criterion_fails_with_its_numbers(suite):
    result = suite.runpytest_subprocess("bench", "--tracegauge-gate", "--benchmark-autosave", "-v")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*bench_latency[[]agent-autolog-sqlite-c1]*FAILED*",
            "*bench_cpu[[]agent-autolog-sqlite-c1]*PASSED*",
            "REGRESSED",
            "much-slower: Autolog is free.",
            "*The ratio is *95% interval*all of it is above 1.05*",
            "*= tracegauge: gated: REGRESSED =*",
            "REGRESSED much-slower: *",
            "PASS quick-enough: *",
            "PASS complete: *",
        ]
    )
    # A failing gate takes nothing away from pytest-benchmark.
    assert len(list(suite.path.glob(".benchmarks/*/0001_*.json"))) == 1
    assert len(list(suite.path.glob("reports/gated-*/verdict.json"))) == 1


def test_a_gate_without_benchmarks_or_criteria_does_not_sleep(suite):
    result = suite.runpytest_subprocess("bench", "--tracegauge-gate", "--benchmark-disable")
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["*has nothing to judge: benchmarks are disabled*"])

    (suite.path / "gated.yaml").write_text(CAMPAIGN.partition("criteria:")[0])
    result = suite.runpytest_subprocess("bench", "--tracegauge-gate", "--collect-only")
    assert result.ret != 0
    assert "has no criteria that could regress" in result.stdout.str() + result.stderr.str()


def test_two_campaigns_of_one_name_are_both_measured(suite, monkeypatch):
    """Or else the second one's benchmarks would pass on nothing."""
    from tracegauge import pytest_plugin

    measured = []

    def measure(campaign, cells, config):
        measured.append((campaign.measure.blocks, len(cells)))
        return pytest_plugin._Run([])

    monkeypatch.setattr(pytest_plugin, "_measure", measure)
    (suite.path / "other.yaml").write_text(CAMPAIGN.replace("blocks: 6", "blocks: 7"))
    (suite.path / "bench" / "bench_other.py").write_text(BENCHMARKS.replace("gated.yaml", "other.yaml"))
    suite.runpytest_inprocess("bench").assert_outcomes(passed=8)
    assert sorted(measured) == [(6, 2), (7, 2)]


def test_where_a_control_came_out_wrong_a_benchmark_with_a_criterion_fails_though_that_passed(suite, monkeypatch):
    from tracegauge import pytest_plugin
    from tracegauge.results import CampaignVerdict, CriterionVerdict

    passed = CriterionVerdict(
        id="quick-enough",
        claim="c",
        kind="ratio",
        metric="cpu_ms_per_invocation",
        candidate="agent-autolog-sqlite-c1",
        baseline="agent-off-c1",
        margin=0.05,
        bound=1.05,
        blocks=6,
        blocks_measured=6,
        blocks_planned=6,
        verdict="PASS",
        reason="r",
    )
    verdict = CampaignVerdict(
        campaign="gated",
        verdict="INCONCLUSIVE",
        trusted=False,
        reasons=("a slowdown on purpose was not noticed.",),
        criteria=(passed,),
    )
    monkeypatch.setattr(pytest_plugin, "_measure", lambda *_: pytest_plugin._Run([], verdict))
    result = suite.runpytest_inprocess("bench", "--tracegauge-gate", "-v")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*bench_cpu[[]agent-autolog-sqlite-c1]*FAILED*",
            "these numbers can't be trusted: a slowdown on purpose was not noticed.",
            "*= tracegauge: gated: INCONCLUSIVE =*",
        ]
    )
