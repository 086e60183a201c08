"""What one cell measured in one block."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from tracegauge.results.cell import Cell

SAMPLE_SCHEMA_VERSION: Final = 2


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


FailureKind = Literal[
    "crashed",
    "timed_out",
    "invocation_failed",
    "lost_traces",
    "extra_traces",
    "wrong_span_count",
    "missing_spans",
    "orphan_spans",
]


class Failure(_Record):
    """Something that went wrong while a cell was measured; kept and shown, never dropped."""

    kind: FailureKind
    message: str
    """One sentence for people: what was expected and what was found."""
    detail: str | None = None
    """More, such as a traceback."""


class StoreCounts(_Record):
    """What was made and what is really in the store afterwards, counted in the store itself.

    For an instrument that writes nested runs, a trace is a workflow run and its spans are that run and its node runs.
    """

    traces_made: int
    traces_stored: int
    spans_expected: int | None = None
    """None when no total is declared or can be derived; node, LLM and tool spans are checked all the same."""
    spans_stored: int = 0
    node_spans_expected: int = 0
    node_spans_stored: int = 0
    llm_spans_expected: int = 0
    llm_spans_stored: int = 0
    tool_spans_expected: int = 0
    tool_spans_stored: int = 0
    orphan_spans: int = 0
    """Spans whose parent is not in the store."""

    @property
    def traces_lost(self) -> int:
        """Traces made that are not in the store."""
        return max(0, self.traces_made - self.traces_stored)


class ReadCost(_Record):
    """What reading costs from a store that holds `store_traces` traces."""

    store_traces: int
    search_ns: tuple[int, ...]
    """Each repetition of searching 100 traces (or runs)."""
    get_ns: tuple[int, ...]
    """Each repetition of getting one trace (or run) with its spans."""


class Measurement(_Record):
    """The numbers of one sample; times in integer nanoseconds, sizes in bytes."""

    invocations: int
    latency_ns: tuple[int, ...]
    """Caller latency of each invocation, in the order in which they ended."""
    wall_ns: int
    """From the first invocation's start to the last one's end."""
    cpu_ns: int
    """CPU time of the whole process from the first invocation's start until everything was flushed."""
    cpu_request_ns: int
    """The part of `cpu_ns` until the last invocation's end."""
    drain_ns: int
    """From the last invocation's end until everything was flushed."""
    bytes_allocated: int | None = None
    """Disk blocks that the store has grown by, write-ahead log included. None: nothing is stored."""
    bytes_apparent: int | None = None
    """The same as the sum of file lengths."""
    rss_growth_bytes: int = 0
    """Growth of the peak resident set size over the measured part."""
    counts: StoreCounts | None = None
    reads: tuple[ReadCost, ...] = ()
    setup_ns: int | None = None
    """From attaching the instrument in a process that has imported everything until the first invocation may begin."""
    instrumentation_statements: int | None = None
    """Statements that a user writes for this instrument, counted in its example file; None without an example."""


class Sample(_Record):
    """One cell in one block: a line of `samples.jsonl`."""

    schema_version: Literal[2] = SAMPLE_SCHEMA_VERSION
    block: int
    """Number of the block, from 0."""
    position: int
    """Place of the cell in its block's random order, from 0."""
    cell: Cell
    started_at: str
    """UTC, ISO 8601."""
    measurement: Measurement | None = None
    """None only when the cell crashed or timed out."""
    failures: tuple[Failure, ...] = Field(default=())

    @property
    def ok(self) -> bool:
        """Whether it was measured, with nothing wrong in the store afterwards."""
        return self.measurement is not None and not self.failures
