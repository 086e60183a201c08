"""Whole runs over real stores, with a mock LLM in a process of its own: what is scored, what fails, what it costs."""

import socket
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest
import sqlalchemy as sa
from mlflow import MlflowClient
from mlflow.tracing.client import TracingClient

from tracegauge.config.errors import ConfigError
from tracegauge.judging.engine.engine import Selection
from tracegauge.judging.engine.settings import FOR_A_RUN
from tracegauge.judging.engine.work import JudgingStoppedError, Work
from tracegauge.mock_llm import MockScript

QUICK = replace(FOR_A_RUN, breaker_wait_s=0.02, write_after_s=0.01, store_wait_s=0.01)
FAST_RETRY = "retry: {attempts: 2, first_wait_s: 0.01}"


def work(uri, *specs, **more):
    return Work({spec.name: spec for spec in specs}, uri, **more)


def assessments(uri, *, name=None):
    found = TracingClient(uri).store.search_traces(locations=["0"], max_results=500)[0]
    return [one for info in found for one in info.assessments if name in (None, one.name)]


def counts(runs):
    return {one.judge: dict(one.counts) for one in runs}


def test_every_trace_is_scored_once_and_mlflow_shows_it(make_store, traces, llm_judge, start_mock_llm):
    mock = start_mock_llm(MockScript())
    uri = make_store(traces(12))
    job = work(uri, llm_judge(mock.url))
    told = []
    assert counts(job.run(on_progress=lambda done, due: told.append((done, due)))) == {"good": {"scored": 12}}
    assert told == [(done, 12) for done in range(13)]
    [first, *_] = assessments(uri)
    assert len(assessments(uri)) == len({one.trace_id for one in assessments(uri)}) == 12
    assert isinstance(first.value, bool)
    assert first.rationale
    assert (first.source.source_type, first.source.source_id) == ("LLM_JUDGE", "mock-judge")
    digest = job.specs["good"].digest
    assert first.metadata["tracegauge.judge_digest"] == digest
    assert first.metadata["tracegauge.mock"] == "true"
    assert float(first.metadata["tracegauge.latency_ms"]) > 0
    assert MlflowClient(uri).search_experiments()[0].name == "Default"
    assert len(TracingClient(uri).store.search_traces(locations=["0"])[0]) == 12  # judge calls leave no traces

    # Again: nothing is due. With the ledger lost: the store says what was scored, and nobody is asked.
    assert counts(job.run()) == {"good": {}}
    asked = mock.stats()["chat_requests"]
    for file in job.ledger.parent.glob(job.ledger.name + "*"):
        file.unlink()
    assert counts(job.run()) == {"good": {"scored": 12}}
    assert mock.stats()["chat_requests"] == asked == 12
    assert len(assessments(uri)) == 12
    [status] = job.status().judges
    assert (status.due, status.scored, status.coverage.count, status.mock) == (12, 12, 12, True)
    assert "pipeline rehearsal" in status.labels[0]
    assert sum(one.count for one in status.distribution) == 12


def test_equal_content_is_paid_for_once(make_store, traces, llm_judge, start_mock_llm):
    mock = start_mock_llm(MockScript())
    uri = make_store([trace for n in range(10) for trace in traces(f"i{n}", inputs="same", outputs="same")])
    job = work(uri, llm_judge(mock.url))
    assert counts(job.run()) == {"good": {"scored": 10}}
    assert mock.stats()["chat_requests"] == 1
    assert len({one.value for one in assessments(uri)}) == 1
    assert job.status().judges[0].cached == 9


def test_a_failing_judge_holds_up_nobody_and_is_tried_again(make_store, traces, llm_judge, start_mock_llm):
    broken = start_mock_llm(MockScript(faults=[{"kind": "server_error", "match": "\\(bad\\)"}]))
    uri = make_store(traces(30))
    good, bad = llm_judge(broken.url), llm_judge(broken.url, "bad", FAST_RETRY)
    job = work(uri, good, bad)
    assert counts(job.run(settings=QUICK)) == {"good": {"scored": 30}, "bad": {"failed": 30}}
    assert len(assessments(uri)) == 30
    status = {one.judge: one for one in job.status().judges}
    assert (status["bad"].due, status["bad"].failed, status["bad"].waiting) == (30, 30, 0)
    assert {one.kind for one in status["bad"].failures} == {"server_error"}
    assert status["bad"].passed is None
    assert status["bad"].calls < 2 * 30 + 10  # the breaker spares the endpoint

    healed = work(uri, llm_judge(broken.url), llm_judge(start_mock_llm(MockScript()).url, "bad", FAST_RETRY))
    assert healed.specs["bad"].digest != bad.digest  # another endpoint is another judge
    assert counts(healed.run(settings=QUICK)) == {"good": {}, "bad": {"scored": 30}}


def test_what_failed_for_a_time_is_scored_by_the_next_run(make_store, traces, llm_judge, start_mock_llm):
    # The first two times that a request comes it fails: both attempts of the first run.
    mock = start_mock_llm(MockScript(faults=[{"kind": "rate_limited", "first": 2, "retry_after_s": 0.01}]))
    uri = make_store(traces(5))
    job = work(uri, llm_judge(mock.url, more=FAST_RETRY))
    assert counts(job.run(settings=replace(QUICK, breaker_failures=99))) == {"good": {"failed": 5}}
    assert counts(job.run(settings=QUICK)) == {"good": {"scored": 5}}
    [status] = job.status().judges
    assert (status.calls, status.scored, status.failed) == (15, 5, 0)


def test_bad_traces_and_bad_judges_are_recorded_and_the_rest_goes_on(
    make_store, traces, llm_judge, judge_of, mock_llm, tmp_path
):
    checks = tmp_path / "checks.py"
    checks.write_text(
        "def raises(trace):\n    raise ValueError('no such thing')\n\ndef fine(trace):\n    return True\n"
    )
    uri = make_store([*traces(3), *traces("silent", outputs=None), *traces("huge", outputs="x" * 5_000_000)])
    job = work(
        uri,
        llm_judge(mock_llm.url),
        llm_judge(mock_llm.url, "filtered", "sampling: {filter: \"tags.env = 'nowhere'\"}"),
        llm_judge(mock_llm.url, "unparsed", 'sampling: {filter: "nonsense ~ 1"}'),
        judge_of("kind: code", name="raising", function=f"{checks}:raises"),
        judge_of("kind: code", name="fine", function=f"{checks}:fine"),
    )
    runs = job.run(settings=QUICK)
    assert counts(runs) == {
        "good": {"scored": 3, "failed": 2},
        "filtered": {},
        "unparsed": {},
        "raising": {"failed": 5},
        "fine": {"scored": 5},
    }
    [faulty] = [one for one in runs if one.error]
    assert faulty.judge == "unparsed"
    assert "does not understand its filter" in faulty.error
    status = {one.judge: one for one in job.status().judges}
    assert {one.kind: one.count for one in status["good"].failures} == {"no_content": 1, "too_large": 1}
    assert "no such thing" in status["raising"].failures[0].example
    assert {str(one.source.source_type) for one in assessments(uri, name="fine")} == {"CODE"}


def test_an_endpoint_that_is_not_there_and_code_that_never_returns_hold_up_nobody(
    make_store, traces, llm_judge, judge_of, mock_llm, tmp_path
):
    (tmp_path / "checks.py").write_text("def hangs(trace):\n    while True:\n        pass\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    job = work(
        make_store(traces(6)),
        llm_judge(nobody, "nobody", FAST_RETRY),
        judge_of(
            "timeout_s: 1\nretry: {attempts: 1}\nkind: code", name="hanging", function=f"{tmp_path}/checks.py:hangs"
        ),
        llm_judge(mock_llm.url),
    )
    settings = replace(QUICK, code_concurrency=1, breaker_failures=1, breaker_gives_up=1)
    assert counts(job.run(settings=settings)) == {
        "nobody": {"failed": 6},
        "hanging": {"failed": 6},
        "good": {"scored": 6},
    }
    status = {one.judge: one for one in job.status().judges}
    assert {one.kind: one.count for one in status["nobody"].failures} == {"unreachable": 6}
    assert {one.kind: one.count for one in status["hanging"].failures} == {"timed_out": 6}
    assert "not asked after 1 failures in a row; the last: " in status["hanging"].failures[0].example
    assert "did not return within 1 s" in status["hanging"].failures[0].example
    assert all(one.failures[0].next_try for one in (status["nobody"], status["hanging"]))
    with closing(sqlite3.connect(job.ledger)) as ledger:
        query = "SELECT {}(updated_ms) FROM entries WHERE judge = ?"
        [healthy] = ledger.execute(query.format("max"), ["good"]).fetchone()
        [hanging] = ledger.execute(query.format("min"), ["hanging"]).fetchone()
    assert healthy < hanging, "the healthy judge was done before the first call of the other was given up"


def test_a_wrong_key_is_recorded(make_store, traces, llm_judge, start_mock_llm):
    mock = start_mock_llm(MockScript(api_key="secret"))
    job = work(make_store(traces(3)), llm_judge(mock.url))
    assert counts(job.run(settings=QUICK)) == {"good": {"failed": 3}}
    [failure] = job.status().judges[0].failures
    assert failure.kind == "refused"
    assert "401" in failure.example
    assert failure.next_try


def test_traces_that_are_deleted_meanwhile_are_recorded(make_store, traces, llm_judge, start_mock_llm, monkeypatch):
    uri = make_store(traces(4))
    job = work(uri, llm_judge(start_mock_llm(MockScript()).url))
    first, second, *_ = sorted(info.trace_id for info in job.store._store.search_traces(locations=["0"])[0])
    client, write, read = MlflowClient(uri), job.store.write, job.store.read

    def read_then_lose(trace_ids):
        client.delete_traces("0", trace_ids=[first])  # found, and gone when it is read
        return read(trace_ids)

    def lose_then_write(assessments):
        client.delete_traces("0", trace_ids=[second])  # judged, and gone when its assessment is written
        return write(assessments)

    monkeypatch.setattr(job.store, "read", read_then_lose)
    monkeypatch.setattr(job.store, "write", lose_then_write)
    assert counts(job.run(settings=QUICK)) == {"good": {"scored": 2, "failed": 2}}
    [failure] = job.status().judges[0].failures
    assert (failure.kind, failure.count, failure.next_try) == ("gone", 2, None)
    assert counts(job.run(settings=QUICK)) == {"good": {}}


@pytest.mark.parametrize("trouble", ["database is locked", "database or disk is full"])
def test_a_store_in_trouble_is_waited_for_and_then_recorded(
    make_store, traces, llm_judge, start_mock_llm, monkeypatch, trouble
):
    mock = start_mock_llm(MockScript())
    uri = make_store(traces(3))
    job = work(uri, llm_judge(mock.url))
    real, tried = job.store.write, Counter()

    def locked(assessments):
        tried["times"] += 1
        raise sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError(trouble))

    monkeypatch.setattr(job.store, "write", locked)
    assert counts(job.run(settings=replace(QUICK, store_attempts=3))) == {"good": {"failed": 3}}
    assert tried["times"] in {
        3,
        6,
        9,
    }  # three times for each batch; a busy machine makes more than one of three verdicts
    assert job.status().judges[0].failures[0].kind == "not_written"
    monkeypatch.setattr(job.store, "write", real)
    assert counts(job.run(settings=QUICK)) == {"good": {"scored": 3}}
    assert mock.stats()["chat_requests"] == 3  # the verdicts were kept


def test_a_ledger_that_can_not_be_written_stops_with_a_message(make_store, traces, llm_judge, mock_llm):
    job = work(make_store(traces(2)), llm_judge(mock_llm.url))
    job.run()
    job.ledger.with_name(job.ledger.name + "-wal").unlink(missing_ok=True)
    job.ledger.write_bytes(b"no database at all, but some bytes that fill a page of it" * 100)
    with pytest.raises(JudgingStoppedError, match="can't be written"):
        job.run()


def test_budgets_are_hard_and_the_rest_is_due_the_next_day(make_store, traces, llm_judge, start_mock_llm):
    mock = start_mock_llm(MockScript())
    job = work(make_store(traces(20)), llm_judge(mock.url, more="budget: {calls: 8}"))
    [estimate] = job.estimate()
    assert (estimate.due, estimate.calls, estimate.read) == (20, 20, 20)
    assert estimate.usage.input_tokens > 0
    assert not job.ledger.exists()
    assert mock.stats().get("chat_requests", 0) == 0

    [run] = job.run(settings=QUICK)
    assert run.counts["scored"] == mock.stats()["chat_requests"] == 6  # three calls are reserved for each
    assert run.counts["skipped_by_budget"] == 14
    assert job.run(settings=QUICK)[0].counts["scored"] == 0
    [status] = job.status().judges
    assert (status.due, status.scored, status.skipped_by_budget, status.waiting) == (20, 6, 14, 0)
    assert status.pass_bounds[1] - status.pass_bounds[0] == pytest.approx(14 / 20)


def test_a_conversation_is_judged_once_as_a_whole(make_store, traces, judge_of, mock_llm):
    turns = [{"inputs": f"say {n}", "outputs": f"said {n}"} for n in range(3)]
    uri = make_store([*traces("talk", turns=turns), *traces(2)])
    text = "kind: llm\ninstructions: 'Is the user content? {{ conversation }}'"
    job = work(uri, judge_of(text, name="mood", model="openai:/mock-judge", base_url=mock_llm.url))
    assert counts(job.run(settings=QUICK)) == {"mood": {"scored": 1}}
    [only] = assessments(uri)
    assert only.metadata["mlflow.trace.session"] == "talk"
    assert job.status().judges[0].scope == "session"


def test_selections(make_store, traces, llm_judge, mock_llm):
    uri = make_store(traces(10))
    client = MlflowClient(uri)
    chosen = [info.trace_id for info in TracingClient(uri).store.search_traces(locations=["0"])[0][:3]]
    for trace_id in chosen:
        client.set_trace_tag(trace_id, "env", "prod")
    job = work(uri, llm_judge(mock_llm.url, more="sampling: {rate: 0.999}"))
    assert counts(job.run(Selection(limit=2), QUICK)) == {"good": {"scored": 2}}
    job.run(Selection(filter="tags.env = 'prod'"), QUICK)
    assert {*chosen} <= {one.trace_id for one in assessments(uri)}
    assert len(assessments(uri)) <= 5
    with pytest.raises(ConfigError, match="does not understand --filter"):
        job.run(Selection(filter="what?"), QUICK)
    with pytest.raises(ConfigError, match="there is no experiment 'Defaul'"):
        work(uri, *job.specs.values(), experiments=["Defaul"])
    with pytest.raises(ConfigError, match="there is no judge 'godo'"):
        work(uri, *job.specs.values(), only=["godo"])
