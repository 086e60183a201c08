"""The ledger, against a plain model of it, with crashes (another connection, the first one never closed) in between."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tracegauge.config.errors import ConfigError
from tracegauge.judging.engine.ledger import Found, Ledger, Outcome, Spending
from tracegauge.judging.engine.ledger_file import ledger_path, only_writer
from tracegauge.results.judgement import Scored, Usage

UNITS = st.sampled_from([f"tr-{number}" for number in range(6)])
DIGESTS = st.sampled_from(["one", "two"])


class LedgerMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = Ledger(Path(self.folder.name) / "ledger.db")
        self.states: dict[tuple[str, str], str] = {}
        self.next_try: dict[tuple[str, str], int | None] = {}
        self.calls: dict[tuple[str, str], int] = {}
        self.spent = Spending()
        self.now = 0

    def teardown(self) -> None:
        self.ledger.connection.close()
        self.folder.cleanup()

    @rule(unit=UNITS, digest=DIGESTS, sampled=st.booleans())
    def find(self, unit: str, digest: str, sampled: bool) -> None:
        self.ledger.find("judge", digest, [Found(unit, 0, sampled)], self.now)
        if self.states.get((unit, digest)) in (None, "eligible", "sampled_out"):
            self.states[unit, digest] = "eligible" if sampled else "sampled_out"
            self.next_try.setdefault((unit, digest), None)
            self.calls.setdefault((unit, digest), 0)

    @rule(
        unit=UNITS,
        digest=DIGESTS,
        state=st.sampled_from(["scored", "failed", "skipped_by_budget"]),
        wait=st.none() | st.integers(1, 5),
        calls=st.integers(0, 3),
    )
    def record(self, unit: str, digest: str, state: str, wait: int | None, calls: int) -> None:
        next_try = None if wait is None or state == "scored" else self.now + wait
        self.ledger.record(digest, [Outcome(unit, state, next_try_ms=next_try, calls=calls)], self.now)
        if self.states.get((unit, digest), "scored") != "scored":
            self.states[unit, digest] = state
            self.next_try[unit, digest] = next_try
            self.calls[unit, digest] += calls

    @rule(digest=DIGESTS)
    def put_off(self, digest: str) -> None:
        due = self.expected_due(digest)
        outcome = Outcome("", "failed", "refused", "no", self.now + 3)
        assert self.ledger.put_off_rest(digest, outcome, self.now) == len(due)
        for unit in due:
            self.states[unit, digest] = "failed"
            self.next_try[unit, digest] = self.now + 3

    @rule(calls=st.integers(0, 5), usd=st.sampled_from([0.0, 0.25]))
    def spend(self, calls: int, usd: float) -> None:
        self.ledger.spend("judge", "today", Spending(calls, 2 * calls, usd))
        self.spent = self.spent + Spending(calls, 2 * calls, usd)

    @rule(by=st.integers(1, 4))
    def time_passes(self, by: int) -> None:
        self.now += by

    @rule()
    def crash(self) -> None:
        self.ledger.connection.close()
        self.ledger = Ledger(self.ledger.path)

    def expected_due(self, digest: str) -> set[str]:
        return {
            unit
            for (unit, of), state in self.states.items()
            if of == digest
            and (
                state == "eligible"
                or (
                    state in ("failed", "skipped_by_budget")
                    and (again := self.next_try[unit, of]) is not None
                    and again <= self.now
                )
            )
        }

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        rows = self.ledger.connection.execute("SELECT unit, digest, state, calls FROM entries").fetchall()
        assert {(unit, digest): state for unit, digest, state, _ in rows} == self.states
        assert {(unit, digest): calls for unit, digest, _, calls in rows} == self.calls
        assert len(rows) == len(self.states)

    @invariant()
    def due_is_what_is_not_settled(self) -> None:
        for digest in ("one", "two"):
            due = [one.unit for one in self.ledger.due(digest, 100, self.now)]
            assert len(due) == len({*due})
            assert {*due} == self.expected_due(digest)

    @invariant()
    def spending_adds_up(self) -> None:
        assert self.ledger.spent("judge", "today") == self.spent


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
test_ledger_is_its_model = LedgerMachine.TestCase


def test_what_is_in_hand_and_what_was_not_chosen_is_not_due(tmp_path):
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.find("j", "d", [Found(f"old-{n}", n, True) for n in range(3)], 0)
        ledger.find("j", "d", [Found(f"new-{n}", 10 + n, True) for n in range(3)], 0, choose=True)
        assert [one.unit for one in ledger.due("d", 2, 0)] == ["old-0", "old-1"]
        assert [one.unit for one in ledger.due("d", 2, 0, newest_first=True)] == ["new-2", "new-1"]
        assert [one.unit for one in ledger.due("d", 2, 0, in_hand=["old-0", "old-1"])] == ["old-2", "new-0"]
        assert [one.unit for one in ledger.due("d", 9, 0, chosen_only=True)] == ["new-0", "new-1", "new-2"]


def test_a_run_takes_up_again_what_failed_before_it(tmp_path):
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.find("j", "d", [Found("late", 0, True), Found("gone", 1, True)], 0)
        ledger.record("d", [Outcome("late", "failed", "refused", "no", 1000), Outcome("gone", "failed", "gone")], 5)
        assert ledger.due("d", 9, 10) == []
        assert [one.unit for one in ledger.due("d", 9, 10, again_before_ms=6)] == ["late"]  # "gone" has no next try
        assert ledger.next_try_ms("d") == 1000


def test_verdicts_are_kept_by_what_was_judged(tmp_path):
    said = Scored(value=True, rationale="because", usage=Usage(input_tokens=3), calls=1, model="mock-x")
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.keep_verdict("d", "content", said)
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert ledger.verdict("d", "content") == said
        assert ledger.verdict("other", "content") is None


def test_one_engine_at_a_time(tmp_path):
    ledger = tmp_path / "ledger.db"
    message = r"another .* is at work on this store \(process \d+\)"
    with only_writer(ledger), pytest.raises(ConfigError, match=message), only_writer(ledger):
        pass
    with only_writer(ledger):
        pass


def test_where_ledgers_lie():
    assert ledger_path("sqlite:////data/mlflow.db") == Path("/data/mlflow.db.judge-ledger.db")
    assert ledger_path("http://user:pw@host:5000", ["prod"]) == Path(".tracegauge/host-5000_prod.judge-ledger.db")
