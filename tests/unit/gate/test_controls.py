import pytest

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError
from tracegauge.gate import controls_of, exit_code, judge_campaign, resolve_controls
from tracegauge.results import Cell, Verdict

CELLS = [
    Cell(workflow="w", instrument="autolog", backend=backend, delivery="lossless") for backend in ("file", "sqlite")
]
WRITES = {
    "kind": "ratio",
    "id": "writes",
    "claim": "no slower",
    "metric": "cpu_ms_per_invocation",
    "candidate": {"backend": "sqlite"},
    "baseline": {"backend": "file"},
    "margin": 0.1,
}


def campaign(*criteria, **controls):
    return Campaign.model_validate(
        {
            "schema_version": "1.0",
            "name": "c",
            "matrix": {"workflows": [{"workflow": "w.yaml"}]},
            "criteria": criteria,
            "controls": controls,
        }
    )


def test_they_follow_from_the_first_ratio_of_a_latency_or_else_of_cpu():
    latency = {**WRITES, "id": "l", "metric": "latency_p95_ms", "candidate": {"backend": "file"}, "margin": 0.05}
    latency["baseline"] = {"backend": "sqlite"}
    cpu_only, both = resolve_controls(campaign(WRITES), CELLS), resolve_controls(campaign(WRITES, latency), CELLS)
    assert [cell.id for cell in cpu_only.cells] == ["w-autolog-sqlite-c1-aa", "w-autolog-sqlite-c1-injected20"]
    assert [cell.id for cell in both.cells] == ["w-autolog-file-c1-aa", "w-autolog-file-c1-injected10"]
    assert [criterion.role for criterion in both.criteria] == ["control_aa", "control_injected"]
    assert {criterion.baseline for criterion in both.criteria} == {"w-autolog-file-c1"}
    assert {criterion.metric for criterion in both.criteria} == {"latency_p50_ms"}
    assert both.among(CELLS) is both
    assert both.among(CELLS[1:]).cells == ()


def test_a_campaign_that_judges_no_times_has_none_and_one_may_ask_for_its_own():
    count = {"kind": "count", "id": "n", "claim": "c", "metric": "traces_lost", "candidate": {"backend": "file"}}
    assert resolve_controls(campaign(count), CELLS).cells == ()
    own = resolve_controls(
        campaign(count, cell={"backend": "file"}, metric="latency_p95_ms", margin=0.02, slowdown=0.15), CELLS
    )
    assert own.cells[1].slowdown == 0.15
    assert own.criteria[1].margin == 0.02
    assert own.criteria[1].metric == "latency_p95_ms"


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ({"cell": {"backend": "postgres"}}, "controls: cell"),
        ({"cell": {"instrument": "autolog"}}, "matches 2 cells"),
        ({"metric": "latency_p51_ms", "cell": {"backend": "file"}}, "there is no metric 'latency_p51_ms'"),
    ],
)
def test_what_they_ask_for_must_exist(controls, message):
    with pytest.raises(ConfigError, match=message):
        resolve_controls(campaign(**controls), CELLS)


@pytest.fixture
def controlled(build):
    """A campaign of eight blocks with controls, whose criterion passes: (latency again, latency slowed) -> verdict."""
    controls = controls_of(build.new, margin=0.05)

    def judge(again, slowed):
        samples = build.latencies([10.0] * 8, [10.0] * 8)
        for cell, values in zip(controls.cells, (again, slowed), strict=True):
            samples += [build.sample(cell, block, value) for block, value in enumerate(values)]
        return judge_campaign(build.campaign(samples, build.ratio(), blocks=8, controls=controls.criteria))

    return judge


def test_controls_as_they_should_be(controlled):
    found = controlled([10.0] * 8, [11.0] * 8)
    assert (found.verdict, found.trusted, found.reasons) == (Verdict.PASS, True, ())
    assert [control.verdict for control in found.controls] == [Verdict.PASS, Verdict.REGRESSED]
    assert len(found.criteria) == 1


@pytest.mark.parametrize(
    ("again", "slowed", "reason"),
    [
        ([11.0] * 8, [11.0] * 8, "a cell measured twice came out slower"),
        ([10.0] * 8, [10.0] * 8, "a slowdown on purpose was not noticed"),
    ],
)
def test_a_wrong_control_makes_the_campaign_untrusted_whatever_it_found(controlled, again, slowed, reason):
    found = controlled(again, slowed)
    assert not found.trusted
    assert found.reasons[0].startswith(reason)
    assert found.criteria[0].verdict is Verdict.PASS
    assert exit_code(found.verdict) == 2


def test_an_undecided_control_is_underpowered_and_says_how_many_blocks_are_needed(controlled):
    found = controlled([10.0] * 8, [10.0, 12.4] * 4)
    assert found.trusted
    assert found.verdict is Verdict.PASS
    (reason,) = found.reasons
    assert reason.startswith("underpowered: a slowdown on purpose can't be told from none")
    assert f"about {found.controls[1].blocks_needed} blocks" in reason
