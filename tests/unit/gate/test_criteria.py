import pytest

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError
from tracegauge.gate import resolve_criteria
from tracegauge.results import Cell

CELLS = [
    Cell(workflow="w", instrument="autolog", backend=backend, delivery="lossless") for backend in ("file", "sqlite")
]
RATIO = {
    "kind": "ratio",
    "id": "writes",
    "claim": "no slower",
    "metric": "latency_p50_ms",
    "candidate": {"backend": "sqlite"},
    "baseline": {"backend": "file"},
    "margin": 0.05,
}
COUNT = {"kind": "count", "id": "loss", "claim": "none", "metric": "traces_lost", "candidate": {"backend": "sqlite"}}


def campaign(*criteria, read_sizes=(100,)):
    return Campaign.model_validate(
        {
            "schema_version": "1.0",
            "name": "c",
            "matrix": {"workflows": [{"workflow": "w.yaml"}]},
            "measure": {"read_sizes": read_sizes},
            "criteria": criteria,
        }
    )


def test_cells_are_found_and_all_else_is_kept():
    ratio, count = resolve_criteria(campaign(RATIO, COUNT), CELLS)
    assert (ratio.candidate, ratio.baseline, ratio.margin) == ("w-autolog-sqlite-c1", "w-autolog-file-c1", 0.05)
    assert (count.candidate, count.baseline, count.margin) == ("w-autolog-sqlite-c1", None, 0)
    assert (ratio.id, ratio.claim, ratio.metric, ratio.kind) == ("writes", "no slower", "latency_p50_ms", "ratio")


def test_read_metrics_exist_for_the_sizes_that_are_measured():
    resolve_criteria(campaign({**RATIO, "metric": "search_ms_at_100"}), CELLS)
    with pytest.raises(ConfigError, match="store of 300 traces is not measured") as error:
        resolve_criteria(campaign({**RATIO, "metric": "get_ms_at_300"}), CELLS)
    assert "read_sizes (now: 100)" in error.value.hint


def test_an_unknown_metric_gets_the_nearest_names():
    with pytest.raises(ConfigError, match="criterion 'writes': there is no metric 'latency_p50'") as error:
        resolve_criteria(campaign({**RATIO, "metric": "latency_p50"}), CELLS)
    assert "latency_p50_ms" in error.value.hint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidate": {"backend": "postgres"}}, "criterion 'writes': candidate .* matches no cell"),
        ({"baseline": {"instrument": "autolog"}}, "criterion 'writes': baseline .* matches 2 cells"),
        ({"baseline": {"backend": "sqlite"}}, "compares w-autolog-sqlite-c1 with itself"),
    ],
)
def test_cells_that_cannot_be_compared_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        resolve_criteria(campaign({**RATIO, **changes}), CELLS)


def test_a_metric_must_fit_the_cells_and_the_kind():
    """All of these would otherwise be measured for hours, to come out as "can't be told"."""
    cells = [*CELLS, Cell(workflow="w", instrument="off")]
    nothing_stored = {"instrument": "off"}
    for criterion, message in [
        (
            {**COUNT, "candidate": nothing_stored},
            "'loss': the candidate w-off-c1 stores nothing, so it has no traces_lost",
        ),
        ({**RATIO, "metric": "drain_ms", "candidate": nothing_stored}, "the candidate w-off-c1 stores nothing"),
        ({**RATIO, "metric": "search_ms_at_100", "baseline": nothing_stored}, "the baseline w-off-c1 stores nothing"),
        ({**RATIO, "metric": "traces_lost"}, "a ratio to 0 is undefined"),
        ({**COUNT, "metric": "latency_p50_ms"}, "latency_p50_ms is not counted but measured"),
        ({**COUNT, "metric": "get_ms_at_100"}, "get_ms_at_100 is not counted but measured"),
    ]:
        with pytest.raises(ConfigError, match=message):
            resolve_criteria(campaign(criterion), cells)


def test_two_criteria_of_one_id_are_refused():
    with pytest.raises(ConfigError, match="two criteria have the id 'writes'"):
        resolve_criteria(campaign(RATIO, {**COUNT, "id": "writes"}), CELLS)
