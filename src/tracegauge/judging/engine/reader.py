"""Reads what is due for a judge, many traces at once, and takes out of them what the judge is to see."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from mlflow.entities import Trace

from tracegauge.judging.content import Content
from tracegauge.judging.engine.ledger import Due
from tracegauge.judging.engine.settings import EngineSettings
from tracegauge.judging.engine.trace_store import TraceStore, first_line, is_transient
from tracegauge.judging.engine.writer import SESSION_UNIT
from tracegauge.judging.judge import Judge
from tracegauge.results.judgement import Failed


class StoreTroubleError(RuntimeError):
    """The store can't be read for now; the message says why. What is due stays due."""


@dataclass(frozen=True)
class Item:
    """A trace or session that was read."""

    due: Due
    traces: tuple[Trace, ...]
    """None where it is gone, or can't be read."""
    content: Content | Failed


class Reader:
    """For one judge. It reads in threads."""

    def __init__(self, judge: Judge, store: TraceStore, settings: EngineSettings) -> None:
        self._judge, self._store, self._settings = judge, store, settings

    async def read(self, due: Sequence[Due]) -> list[Item]:
        """Read, and again where the store is locked or can't be reached; raises StoreTroubleError where it stays so."""
        wait_s = self._settings.store_wait_s
        for attempt in range(1, self._settings.store_attempts + 1):
            try:
                return await asyncio.to_thread(self._read, due)
            except Exception as error:
                if not is_transient(error):
                    raise
                if attempt == self._settings.store_attempts:
                    raise StoreTroubleError(f"traces can't be read: {first_line(error)}") from error
            await asyncio.sleep(wait_s * random.uniform(0.75, 1.25))
            wait_s *= 2
        raise AssertionError("there is at least one attempt")

    def _read(self, due: Sequence[Due]) -> list[Item]:
        try:
            ids = {
                one.unit: self._store.session(one.unit.removeprefix(SESSION_UNIT))
                if one.unit.startswith(SESSION_UNIT)
                else [one.unit]
                for one in due
            }
            traces = self._store.read([trace_id for many in ids.values() for trace_id in many])
        except Exception as error:
            if is_transient(error):
                raise
            if len(due) > 1:  # one of them is what can't be read
                return [item for one in due for item in self._read([one])]
            return [Item(due[0], (), Failed(kind="raised", message=f"can't be read: {first_line(error)}"))]
        return [self._item(one, [traces[each] for each in ids[one.unit] if each in traces]) for one in due]

    def _item(self, due: Due, traces: list[Trace]) -> Item:
        if not traces:
            return Item(due, (), Failed(kind="no_content", message=""))
        try:
            content: Content | Failed = self._judge.content(traces)
            if isinstance(content, Content):
                content.digest  # noqa: B018 (computed here, not in the event loop)
        except Exception as error:
            message = f"what the judge is to see can't be taken out of the trace: {first_line(error)}"
            content = Failed(kind="raised", message=message)
        return Item(due, tuple(traces), content)
