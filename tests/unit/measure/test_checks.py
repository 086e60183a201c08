import pytest

from tracegauge.measure.checks import check_counts
from tracegauge.results import StoreCounts

RIGHT = {
    "traces_made": 10,
    "traces_stored": 10,
    "spans_expected": 110,
    "spans_stored": 110,
    "node_spans_expected": 50,
    "node_spans_stored": 50,
    "llm_spans_expected": 50,
    "llm_spans_stored": 50,
    "tool_spans_expected": 20,
    "tool_spans_stored": 20,
    "orphan_spans": 0,
}


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, []),
        ({"spans_expected": None, "spans_stored": 7}, []),
        # Lost traces take their spans with them: one failure, not four.
        ({"traces_stored": 4, "spans_stored": 44, "node_spans_stored": 20, "llm_spans_stored": 20}, ["lost_traces"]),
        ({"traces_stored": 20, "spans_stored": 110}, ["extra_traces"]),
        ({"orphan_spans": 3}, ["orphan_spans"]),
        ({"node_spans_stored": 49, "spans_stored": 109}, ["missing_spans", "wrong_span_count"]),
        ({"llm_spans_stored": 0, "spans_expected": None}, ["missing_spans"]),
        ({"tool_spans_stored": 19, "spans_expected": None}, ["missing_spans"]),
        ({"spans_stored": 111}, ["wrong_span_count"]),
        # More node spans than calls are no loss: autolog may show inner steps under a node's name.
        ({"node_spans_stored": 60, "spans_expected": None}, []),
    ],
)
def test_each_difference_is_a_failure_of_its_kind(changes, kinds):
    assert [failure.kind for failure in check_counts(StoreCounts(**(RIGHT | changes)))] == kinds


def test_a_loss_is_told_with_its_share():
    (failure,) = check_counts(StoreCounts(**(RIGHT | {"traces_stored": 2})))
    assert failure.message == "8 of 10 traces (80%) are not in the store"
