"""Brings parcels to a store in the background."""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from tracegauge.tracking.compat.traces_under_way import anything_under_way
from tracegauge.tracking.delivery import store_writer
from tracegauge.tracking.delivery.buffer import Buffer, Held
from tracegauge.tracking.delivery.delivery import DeliveryContext, FlushReport
from tracegauge.tracking.delivery.fork_guard import not_while_forking
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.route import Route
from tracegauge.tracking.delivery.spill import Spill
from tracegauge.tracking.delivery.spill_file import Line
from tracegauge.tracking.delivery.tally import Tally

logger = logging.getLogger("tracegauge.tracking")

MEMORY_BYTES = 128 << 20
"""About 2,000 traces of 11 spans."""
SPILL_BYTES = 512 << 20
LINGER_S = 0.25
"""How long a trace waits for others to be written with."""
IDLE_S = 1.0
REST = 3.0
"""While invocations are under way, writing pauses for this many times as long as it took: it needs the interpreter, and
slows them down. The fuller memory is, the less it pauses."""
PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to write while no store takes anything; the last one is repeated."""
JOIN_S = 1.0
"""How long to wait, at the end, for a thread that is in the middle of a write."""


class Courier:
    """Takes parcels from any thread, and settles each: stored, spilled to disk, or dropped and counted."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._spill = Spill(context.spill_dir, context.tracking_uri, SPILL_BYTES)
        self._begin()

    def _begin(self) -> None:
        context = self._context
        self._buffer = Buffer(MEMORY_BYTES, store_writer.LOCAL_BATCH)
        self._tally = Tally()
        self._stopping = threading.Event()
        self._route = Route(context.tracking_uri, context.fallback_uri, self._tally, self._stopping)
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()
        self._taken_over = threading.Event()
        self._draining = threading.Lock()
        self._drained = threading.Condition()

    def begin_anew_in_child(self) -> None:
        """After a fork: the parent keeps what it has, and its threads; this process starts with nothing."""
        self._spill.disown()
        self._begin()

    # --- for the callers -------------------------------------------------------------------------------------------

    def put(self, parcel: Parcel) -> None:
        """Take a parcel over. Returns within the context's timeout, and raises nothing."""
        self.start()
        if not self._buffer.put(parcel, self._context.timeout_s):
            self._keep_on_disk([parcel])

    def start(self) -> None:
        """Start the threads, unless they run."""
        if not self._threads and not self._stopping.is_set():
            with self._starting, suppress(RuntimeError):  # the interpreter shuts down: `close` will write to disk
                if not self._threads:
                    self._start_thread(self._lead)

    def flush(self, timeout_s: float | None) -> FlushReport:
        """Wait until everything that was put in before is settled, and nothing waits on disk."""
        if self._stopping.is_set():  # nobody is there any more to be waited for
            return self.report()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self.start()
        if self._threads and self._taken_over.wait(_remaining(deadline)) and self._buffer.wait_settled(deadline):
            with self._drained:
                self._drained.wait_for(lambda: not len(self._spill), _remaining(deadline))
        return self.report()

    def report(self) -> FlushReport:
        """How things stand."""
        return FlushReport(len(self._buffer), len(self._spill), self._tally.dropped, self._tally.diverted)

    def park(self, timeout_s: float) -> None:
        """Make sure that nothing is lost if the process ends soon, without hindering it to go on.

        What is being written goes to disk too; if it is stored after all, the store will have it once.
        """
        self.flush(timeout_s)
        waiting = self._buffer.take_back()
        self._keep_on_disk([item.parcel for item in self._buffer.unsettled()])
        self._buffer.settle(waiting)

    def close(self, timeout_s: float | None) -> FlushReport:
        """Flush, end the threads, and leave on disk what could not be stored within the timeout."""
        if self._stopping.is_set():
            return self.report()
        with suppress(KeyboardInterrupt):  # somebody does not want to wait: the disk is quick
            self.flush(timeout_s)
        self._stopping.set()
        self._buffer.stop()
        for thread in self._threads:
            thread.join(JOIN_S)
        held = self._buffer.unsettled()
        self._keep_on_disk([item.parcel for item in held])
        self._buffer.settle(held)
        report = self.report()
        self._spill.close()
        return report

    # --- the threads -----------------------------------------------------------------------------------------------

    def _start_thread(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"tracegauge-courier-{len(self._threads)}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _lead(self) -> None:
        self._take_over()
        try:
            with not_while_forking:
                writer = self._route.open()
            self._buffer.batch = writer.batch
            for _ in range(writer.threads - 1):
                self._start_thread(self._work)
        except Exception as error:  # tried again with the first batch
            logger.debug("%s can't be opened yet: %s", self._context.tracking_uri, error)
        self._work()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                held = self._buffer.take(LINGER_S, 0 if len(self._spill) else IDLE_S)
                if held:
                    started = time.monotonic()
                    self._deliver(held)
                    if anything_under_way():
                        self._buffer.rest(REST * (time.monotonic() - started))
                else:
                    self._deliver_from_disk()
                self._spill.sync()
            except Exception:
                logger.exception("delivering traces failed unexpectedly")
                self._stopping.wait(IDLE_S)

    def _deliver(self, held: Sequence[Held]) -> None:
        """Send a batch until a store has taken all of it; where none does until the end, it stays unsettled."""
        waiting = {id(item.parcel): item for item in held}
        for pause_s in _pauses():
            unsent = {id(parcel) for parcel in self._route.send([item.parcel for item in waiting.values()])}
            self._buffer.settle([item for key, item in waiting.items() if key not in unsent])
            waiting = {key: item for key, item in waiting.items() if key in unsent}
            if not waiting or self._stopping.wait(pause_s):
                return

    def _deliver_from_disk(self) -> None:
        """Send the first lines on disk; they are removed when a store has taken them all."""
        if not self._draining.acquire(blocking=False):
            self._stopping.wait(IDLE_S)  # another thread does it
            return
        try:
            if found := self._spill.read(self._buffer.batch):
                file, lines = found
                parcels = self._read_parcels(lines)
                for pause_s in _pauses():
                    parcels = self._route.send(parcels)
                    if not parcels:
                        self._spill.remove(file, lines)
                        break
                    if self._stopping.wait(pause_s):
                        break
        finally:
            self._draining.release()
        with self._drained:
            self._drained.notify_all()

    # --- the disk --------------------------------------------------------------------------------------------------

    def _take_over(self) -> None:
        try:
            damaged = self._spill.take_over()
            if damaged:
                self._tally.drop(damaged, f"{damaged} traces left on disk in {self._context.spill_dir} are damaged")
        except OSError as error:
            logger.warning("traces left on disk in %s can't be read: %s", self._context.spill_dir, error)
        finally:
            self._taken_over.set()

    def _keep_on_disk(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            try:
                problem = self._spill.append(parcel.to_json())
            except Exception as error:
                problem = f"trace {parcel.trace_id} can't be written to disk: {error}"
            if problem:
                self._tally.drop(1, f"traces are lost: no store takes them, memory is full, and {problem}")

    def _read_parcels(self, lines: Sequence[Line]) -> list[Parcel]:
        parcels = []
        for line in lines:
            try:
                parcels.append(Parcel.from_json(line.text or ""))
            except Exception as error:
                self._tally.drop(1, f"a trace in {self._context.spill_dir} is not readable: {error}")
        return parcels


def _pauses() -> itertools.chain[float]:
    return itertools.chain(PAUSES_S, itertools.repeat(PAUSES_S[-1]))


def _remaining(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
