"""Judging in processes of its own that are killed or interrupted: the next run loses nothing and doubles nothing."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing

import pytest
from mlflow.tracing.client import TracingClient

from tracegauge.mock_llm import MockScript

pytestmark = pytest.mark.slow

TRACES = 120
JUDGE = """\
schema_version: "1.0"
kind: llm
name: good
model: openai:/mock-judge
base_url: {url}
instructions: "Is {{{{ outputs }}}} a good answer?"
"""


def scored(uri):
    """How often each trace has been scored, as the store has it."""
    found = TracingClient(uri).store.search_traces(locations=["0"], max_results=500)[0]
    return Counter(one.trace_id for info in found for one in info.assessments)


def any_scored(uri):
    """Asked so cheaply that the signal comes long before the rest is scored."""
    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as connection:
        return connection.execute("SELECT count(*) FROM assessments").fetchone()[0] > 0


def start(command, folder, uri):
    arguments = [sys.executable, "-m", "tracegauge", "judge", command, str(folder), "--store", uri]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(condition, process, what):
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, what
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("command", "number"), [("run", signal.SIGKILL), ("run", signal.SIGINT), ("watch", signal.SIGKILL)]
)
def test_what_was_cut_off_is_finished_and_nothing_is_scored_twice(
    command, number, make_store, traces, store_more, start_mock_llm, tmp_path
):
    mock = start_mock_llm(MockScript(latency_ms=800))
    folder = tmp_path / "judges"
    folder.mkdir()
    (folder / "good.yaml").write_text(JUDGE.format(url=mock.url))
    uri = make_store(traces(TRACES))
    cut = start(command, folder, uri)
    until(lambda: any_scored(uri), cut, "nothing was scored")
    cut.send_signal(number)
    cut.communicate(timeout=60)
    before = scored(uri)
    assert 0 < len(before) < TRACES, "the signal was to come in the middle"

    again = start("run", folder, uri)
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 0, said
    after = scored(uri)
    assert len(after) == TRACES
    assert set(after.values()) == {1}
    # Asked again is what was under way (32 calls) or waited to be written (64 verdicts), and nothing else.
    assert mock.stats()["chat_requests"] <= TRACES + 32 + 64

    watching = start("watch", folder, uri)
    try:
        store_more(uri, traces("late", inputs="And now?", outputs="Later."))
        until(lambda: len(scored(uri)) == TRACES + 1, watching, "what came during a watch was not scored")
    finally:
        watching.send_signal(signal.SIGINT)
        said, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0, said
    assert set(scored(uri).values()) == {1}
