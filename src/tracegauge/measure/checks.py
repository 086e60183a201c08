"""Is what a cell left in its store what it should have left?"""

from collections.abc import Iterator

from tracegauge.results import Failure, StoreCounts


def check_counts(counts: StoreCounts) -> Iterator[Failure]:
    """A failure for each way in which the store is not as it should be."""
    if counts.traces_lost:
        share = counts.traces_lost / counts.traces_made
        yield Failure(
            kind="lost_traces",
            message=f"{counts.traces_lost} of {counts.traces_made} traces ({share:.0%}) are not in the store",
        )
    elif counts.traces_stored > counts.traces_made:
        yield Failure(
            kind="extra_traces",
            message=f"{counts.traces_made} invocations left {counts.traces_stored} traces in the store, not one each",
        )
    if counts.orphan_spans:
        yield Failure(kind="orphan_spans", message=f"{counts.orphan_spans} spans have no parent in the store")
    if counts.traces_lost:
        return  # their spans are missing with them: that needs no telling again
    for what, stored, expected in (
        ("node", counts.node_spans_stored, counts.node_spans_expected),
        ("LLM", counts.llm_spans_stored, counts.llm_spans_expected),
        ("tool", counts.tool_spans_stored, counts.tool_spans_expected),
    ):
        if stored < expected:
            yield Failure(
                kind="missing_spans", message=f"{expected - stored} of {expected} {what} spans are not in the store"
            )
    if counts.spans_expected is not None and counts.spans_stored != counts.spans_expected:
        yield Failure(
            kind="wrong_span_count",
            message=f"{counts.spans_stored} spans are in the store; {counts.spans_expected} are expected",
        )
