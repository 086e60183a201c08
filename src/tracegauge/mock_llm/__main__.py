"""The mock as a process: reads its script as a line of JSON, prints its URL, and ends with its parent."""

import os
import signal
import sys
import threading

from tracegauge.mock_llm.script import MockScript
from tracegauge.mock_llm.server import serve


def _end_with_parent() -> None:
    sys.stdin.read()  # until the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)


script = MockScript.model_validate_json(sys.stdin.readline())
threading.Thread(target=_end_with_parent, daemon=True).start()
serve(script, int(sys.argv[1]), lambda url: print(url, flush=True))  # noqa: T201
