"""Keys that are missing, stores that are locked, disks that are full: each is said, and what can go on goes on."""

import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest

from tracegauge.cli.judge.status import status_lines
from tracegauge.config.errors import ConfigError
from tracegauge.judging.engine.settings import FOR_A_RUN, FOR_A_WATCH
from tracegauge.judging.engine.work import Work

QUICK = replace(FOR_A_RUN, write_after_s=0.01, store_wait_s=0.01, store_attempts=2)
NO_KEY = "the variable NO_SUCH_KEY holds no key for the judge 'keyless'"


def test_a_judge_without_its_key_is_left_out_and_says_so(make_store, traces, llm_judge, mock_llm, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    specs = [llm_judge(mock_llm.url), llm_judge(mock_llm.url, "keyless", "api_key_env: NO_SUCH_KEY")]
    job = Work({spec.name: spec for spec in specs}, make_store(traces(3)))
    good, keyless = job.estimate()
    assert (good.error, good.due) == (None, 3)
    assert NO_KEY in keyless.error
    good, keyless = job.run(settings=QUICK)
    assert (good.error, good.counts) == (None, {"scored": 3})
    assert NO_KEY in keyless.error
    told = {}
    only = Work(job.specs, job.uri, only=["keyless"])
    with pytest.raises(ConfigError, match="no judge left that could work"):
        only.watch(on_trouble=told.__setitem__, settings=FOR_A_WATCH)
    assert NO_KEY in told["keyless"]


def test_a_trace_without_outputs_is_tried_twice_and_never_again(make_store, traces, llm_judge, mock_llm):
    job = Work({"good": llm_judge(mock_llm.url)}, make_store(traces("silent", outputs=None)))
    assert [dict(job.run(settings=QUICK)[0].counts) for _ in range(3)] == [{"failed": 1}, {"failed": 1}, {}]
    [status] = job.status().judges
    assert (status.due, status.failed, status.waiting, status.calls) == (1, 1, 0, 0)
    [failure] = status.failures
    assert (failure.kind, failure.example, failure.next_try) == ("no_content", "the trace has no outputs", None)
    assert list(status_lines(status))[-1] == "  1 failed (no_content): the trace has no outputs; not tried again"


def test_a_locked_store_stops_a_run_with_a_message_and_costs_nothing(
    make_store, traces, llm_judge, mock_llm, monkeypatch, capfd
):
    uri = make_store(traces(60))
    job = Work({"good": llm_judge(mock_llm.url)}, f"{uri}?timeout=0.05")
    heads = job.store.heads

    def find_then_lock(*arguments, **more):
        yield from list(heads(*arguments, **more))
        other.execute("BEGIN EXCLUSIVE")

    database = uri.removeprefix("sqlite:///")
    with closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as other:
        monkeypatch.setattr(job.store, "heads", find_then_lock)
        [run] = job.run(settings=QUICK)
        assert run.error == "traces can't be read: (sqlite3.OperationalError) database is locked"
        assert run.counts == {}
        [status] = job.status().judges
        assert (status.due, status.waiting, status.failed, status.calls) == (60, 60, 0, 0)
        assert "Traceback" not in capfd.readouterr().err, "MLflow logs each error with pages of SQL"
        monkeypatch.setattr(job.store, "heads", heads)
        [run] = job.run(settings=QUICK)
        assert run.error == "traces can't be searched: (sqlite3.OperationalError) database is locked"
    [run] = job.run(settings=QUICK)
    assert (run.error, run.counts) == (None, {"scored": 60})


@pytest.mark.slow
def test_a_full_disk_stops_a_run_with_a_message_and_loses_nothing(make_store, traces, mock_llm, tmp_path):
    judges = tmp_path / "judges"
    judges.mkdir()
    for name in ("one", "other"):
        (judges / f"{name}.yaml").write_text(
            f"schema_version: '1.0'\nkind: llm\nname: {name}\nmodel: openai:/mock-judge\nbase_url: {mock_llm.url}\n"
            "instructions: Is {{ outputs }} a good answer?\n"
        )
    uri = make_store(traces(150))
    database = tmp_path / "mlflow.db"
    command = [sys.executable, "-m", "tracegauge", "judge", "run", str(judges), "--store", uri]

    def run(most_bytes=resource.RLIM_INFINITY):
        # No file of the process may grow beyond this: SQLite can't write, as on a disk that is full.
        limit = (most_bytes, resource.RLIM_INFINITY)
        return subprocess.run(
            command,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
            capture_output=True,
            text=True,
            timeout=240,
        )

    full = run(database.stat().st_size + 20_000)
    assert full.returncode == 4, full.stderr
    assert full.stderr.startswith(f"error: the ledger {database}.judge-ledger.db can't be written (")
    assert len(full.stderr.splitlines()) == 1
    done = run()
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(database)) as store:
        query = "SELECT count(*), count(DISTINCT trace_id || name) FROM assessments"
        assert store.execute(query).fetchone() == (300, 300)
