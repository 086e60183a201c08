"""Finds what a judge is to see, and enters it into the ledger."""

from collections.abc import Iterator

from tracegauge.config.durations import duration_s
from tracegauge.judging.engine.ledger import Found
from tracegauge.judging.engine.sampling import sampled
from tracegauge.judging.engine.trace_store import Head, TraceStore
from tracegauge.judging.engine.writer import SESSION_UNIT, now_ms
from tracegauge.judging.judge import Judge


class Finder:
    """For one judge. Its methods block: call them in a thread."""

    def __init__(self, judge: Judge, store: TraceStore, more_filter: str | None, since_ms: int, quiet_s: float) -> None:
        sampling = judge.spec.sampling
        self._judge, self._store, self._since_ms = judge, store, since_ms
        self._quiet_ms = int(quiet_s * 1000)
        self._max_age_ms = duration_s(sampling.max_age) * 1000 if sampling.max_age else None
        self.filter = " AND ".join(one for one in (sampling.filter, more_filter) if one) or None

    def find(self, since_ms: int = 0) -> Iterator[list[Found]]:
        """Finished traces (or complete sessions) that began since and fit, in pages. Raises MlflowException."""
        since_ms = max(since_ms, self._since_ms)
        if self._max_age_ms is not None:
            since_ms = max(since_ms, now_ms() - self._max_age_ms)
        if self._judge.scope == "session":
            yield from self._sessions(since_ms)
            return
        for page in self._store.heads(self.filter, since_ms):
            yield [self._found(head.trace_id, head.at_ms) for head in page if head.finished]

    def _sessions(self, since_ms: int) -> Iterator[list[Found]]:
        """A session fits where one of its traces does, and is complete when all are finished and have been a while."""
        fitting: dict[str, int] = {}
        open_ones: set[str] = set()
        for page in self._store.heads(self.filter, since_ms, sessions=True):
            for head in page:
                if head.session is not None:
                    fitting.setdefault(head.session, head.at_ms)
        for page in self._store.heads(None, since_ms, sessions=True) if fitting else ():
            open_ones.update(head.session for head in page if head.session and not self._complete(head))
        yield [self._found(SESSION_UNIT + one, at_ms) for one, at_ms in fitting.items() if one not in open_ones]

    def _complete(self, head: Head) -> bool:
        return head.finished and head.ended_ms + self._quiet_ms <= now_ms()

    def _found(self, unit: str, at_ms: int) -> Found:
        name = unit.removeprefix(SESSION_UNIT)
        return Found(unit, at_ms, sampled(name, self._judge.name, self._judge.spec.sampling.rate))
