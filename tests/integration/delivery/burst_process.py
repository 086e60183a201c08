"""A process that traces as fast as it can and tells of each trace that has finished; run by test_process_end.

Usage: burst_process.py DATABASE SPILL_FOLDER COUNT MODE
"""

import os
import signal
import sys
import threading
from pathlib import Path

import mlflow

from tracegauge.tracking.delivery import DeliveryContext, courier, lossless, make_delivery


def stop_like_an_application(*_: object) -> None:
    """A handler of the application: ends the process without giving anything else a chance."""
    print("handled", flush=True)
    os._exit(7)


def burst(numbers: range) -> None:
    """Trace, and tell of each trace once it has finished."""
    for number in numbers:
        with mlflow.start_span(f"{number}"), mlflow.start_span("child"):
            pass
        os.write(sys.stdout.fileno(), f"{number}\n".encode())


def main(database: str, spill_folder: str, count: str, mode: str) -> None:
    # A shell's background jobs ignore Ctrl-C, and so would what the tests of such a job start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    uri = f"sqlite:///{database}"
    mlflow.set_tracking_uri(uri)
    experiment_id = mlflow.set_experiment("burst").experiment_id
    if mode == "own-handler":
        signal.signal(signal.SIGTERM, stop_like_an_application)
    if mode == "little-memory":
        courier.MEMORY_BYTES = 50_000
    delivery = make_delivery("lossless")
    delivery.install(DeliveryContext(uri, experiment_id, uri, timeout_s=0.2, spill_dir=Path(spill_folder)))
    print("ready", flush=True)
    sys.stdin.readline()
    if mode == "unfinished":
        root = mlflow.start_span_no_context("root that never ends")
        mlflow.start_span_no_context("child that has ended", parent_span=root).end()
    if mode == "threads":
        lossless.EXIT_S = 3.0  # what they trace in that time must be read afterwards
        for thread in range(4):
            threading.Thread(target=burst, args=(range(thread, int(count), 5),), daemon=True).start()
        burst(range(4, int(count), 5))
    burst(range(int(count)))
    if mode == "little-memory":
        print("done", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main(*sys.argv[1:])
