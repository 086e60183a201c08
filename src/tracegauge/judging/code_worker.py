"""The process of a code judge: reads a function's name, then a trace a line, and writes an answer a line."""

import contextlib
import importlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

_PARENT_CHECK_S = 1.0


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a judge prints is no answer
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    setup = json.loads(sys.stdin.readline())
    try:
        function = _function(setup["function"])
        importlib.import_module("mlflow.entities")  # now, so that the first trace does not have to wait for it
    except (Exception, SystemExit) as error:
        _answer(answers, error=f"{setup['function']} can't be imported: {type(error).__name__}: {error}")
        return
    _answer(answers)
    for line in sys.stdin:
        _answer(answers, **_judge(function, json.loads(line)["trace"], setup["parameters"]))


def _judge(function: Callable[..., Any], trace_json: str, parameters: dict[str, Any]) -> dict[str, Any]:
    from mlflow.entities import Trace

    try:
        said = function(Trace.from_json(trace_json), **parameters)
        value, rationale = said if isinstance(said, tuple) else (said, "")
        json.dumps(value)
        return {"value": value, "rationale": str(rationale)}
    except (Exception, SystemExit) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return {"error": f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"}


def _function(reference: str) -> Callable[..., Any]:
    name, _, attribute = reference.rpartition(":")
    sys.path.insert(0, str(Path.cwd()) if not name.endswith(".py") else str(Path(name).resolve().parent))
    function = importlib.import_module(Path(name).stem if name.endswith(".py") else name)
    for part in attribute.split("."):
        function = getattr(function, part)
    if not callable(function):
        raise TypeError(f"{reference} is a {type(function).__name__}, no function")
    return function


def _answer(answers: TextIO, value: Any = None, rationale: str = "", error: str | None = None) -> None:
    answers.write(json.dumps({"value": value, "rationale": rationale, "error": error}) + "\n")
    answers.flush()


def _end_with_parent(parent: int) -> None:
    """A function that never returns must not outlive the process that waited for it, should that be killed."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os._exit(1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
