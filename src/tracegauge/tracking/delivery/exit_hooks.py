"""Being called before the process ends: at a normal exit, on SIGTERM and SIGINT, in children of multiprocessing."""

import atexit
import logging
import multiprocessing.util
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

logger = logging.getLogger("tracegauge.tracking")

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class ExitHooks:
    """Calls `finish` when the process is about to end, and `pause` when a handler of the application may end it.

    Python's own handler for SIGINT is left in place: it raises KeyboardInterrupt, and the exit that follows is a
    normal one. A signal that is ignored, or handled outside Python, is left alone too.
    """

    def __init__(self, finish: Callable[[], object], pause: Callable[[], object]) -> None:
        self._finish = finish
        self._pause = pause
        self._previous: dict[int, Callable[[int, FrameType | None], object] | None] = {}
        self._finalizer: multiprocessing.util.Finalize | None = None

    def install(self) -> None:
        """From now on. Signals can be handled only where this is called in the main thread."""
        atexit.register(self._finish)
        multiprocessing.util.register_after_fork(self, ExitHooks._in_child)
        if multiprocessing.parent_process() is not None:
            self._in_child()
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._install_handler(number)

    def _install_handler(self, number: int) -> None:
        previous = signal.getsignal(number)
        if previous is signal.SIG_DFL:
            self._previous[number] = None
        elif callable(previous) and previous is not signal.default_int_handler:
            self._previous[number] = previous
        else:
            return
        signal.signal(number, self._handle)

    def _in_child(self) -> None:
        # Children of multiprocessing end without running what is registered with `atexit`.
        self._finalizer = multiprocessing.util.Finalize(None, self._finish, exitpriority=100)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        previous = self._previous[number]
        if previous is not None:
            self._pause()
            previous(number, frame)
            return
        try:
            self._finish()
        finally:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def remove(self) -> None:
        """No longer. A handler that something else has chained to stays, and only passes on."""
        atexit.unregister(self._finish)
        if self._finalizer is not None:
            self._finalizer.cancel()
        for number, previous in self._previous.items():
            if signal.getsignal(number) == self._handle and threading.current_thread() is threading.main_thread():
                signal.signal(number, previous or signal.SIG_DFL)
