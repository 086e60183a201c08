"""The ledger: what became of every trace that a judge is to see, in an SQLite file of its own."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from tracegauge.results.judgement import NOTHING_USED, Scored, Usage, Value

State = Literal["eligible", "sampled_out", "scored", "failed", "skipped_by_budget"]

_LAYOUT: Final = 1
_ALL: Final = 2**40
TABLES: Final = """
CREATE TABLE IF NOT EXISTS entries (
  unit TEXT NOT NULL, digest TEXT NOT NULL, judge TEXT NOT NULL, state TEXT NOT NULL,
  at_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_try_ms INTEGER,
  failure TEXT, message TEXT, value TEXT, passed INTEGER, cached INTEGER NOT NULL DEFAULT 0,
  mock INTEGER NOT NULL DEFAULT 0, calls INTEGER NOT NULL DEFAULT 0, input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0, cost_usd REAL DEFAULT 0, latency_ms REAL,
  PRIMARY KEY (unit, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_by_state ON entries (digest, state, at_ms);
CREATE TABLE IF NOT EXISTS verdicts (
  digest TEXT NOT NULL, content TEXT NOT NULL, judgement TEXT NOT NULL, PRIMARY KEY (digest, content)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spending (
  judge TEXT NOT NULL, day TEXT NOT NULL, calls INTEGER NOT NULL, tokens INTEGER NOT NULL, usd REAL NOT NULL,
  PRIMARY KEY (judge, day)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Found:
    """A trace or session that fits a judge's filter and age."""

    unit: str
    """Trace id, or `session:` and the id of the session."""
    at_ms: int
    """When it began."""
    sampled: bool


@dataclass(frozen=True)
class Due:
    """A trace or session that is to be scored now."""

    unit: str
    tries: int
    """Failures so far."""


@dataclass(frozen=True)
class Outcome:
    """What became of one trace or session; `usage`, `calls` and `tries` are added to what was there."""

    unit: str
    state: State
    failure: str | None = None
    message: str | None = None
    next_try_ms: int | None = None
    value: Value | None = None
    passed: bool | None = None
    cached: bool = False
    mock: bool = False
    calls: int = 0
    usage: Usage = NOTHING_USED
    latency_ms: float | None = None


@dataclass(frozen=True)
class Spending:
    """What a judge has spent, or is about to."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: "Spending") -> "Spending":
        return Spending(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: "Spending") -> "Spending":
        return Spending(self.calls - other.calls, self.tokens - other.tokens, self.usd - other.usd)


class Ledger:
    """Keyed by trace (or session) and judge digest. Used by one thread; other processes may read meanwhile.

    Each method is one transaction: after a crash it has happened or not. Where SQLite can't write, sqlite3.Error is
    raised.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        with self._transaction() as connection:
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
            if layout not in (0, _LAYOUT):
                raise sqlite3.DatabaseError(f"{path} was written by another version of tracegauge (layout {layout})")
            for statement in filter(str.strip, TABLES.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")
        self.connection.execute(
            "CREATE TEMP TABLE chosen (unit TEXT, digest TEXT, PRIMARY KEY (unit, digest)) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def find(self, judge: str, digest: str, found: Iterable[Found], now_ms: int, *, choose: bool = False) -> None:
        """Enter what a judge is to see. What is there stays as it is, but for a sampling rate that has changed.

        `choose` remembers, as long as this object lives, what was found: see `due`.
        """
        rows = [
            (one.unit, digest, judge, "eligible" if one.sampled else "sampled_out", one.at_ms, now_ms) for one in found
        ]
        if not rows:
            return
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO entries (unit, digest, judge, state, at_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (unit, digest) DO UPDATE SET state = excluded.state, updated_ms = excluded.updated_ms"
                " WHERE state IN ('eligible', 'sampled_out') AND state <> excluded.state",
                rows,
            )
            if choose:
                connection.executemany("INSERT OR IGNORE INTO chosen VALUES (?, ?)", [row[:2] for row in rows])

    def due(
        self,
        digest: str,
        limit: int,
        now_ms: int,
        *,
        again_before_ms: int = 0,
        in_hand: Iterable[str] = (),
        newest_first: bool = False,
        chosen_only: bool = False,
    ) -> list[Due]:
        """What a judge has to score now: what was never tried first, then what was put off until now.

        `again_before_ms` also takes what failed or was skipped before that time, whenever its next try is. `in_hand`
        is left out, and with `chosen_only` whatever was not found with `choose`.
        """
        held = set(in_hand)
        order = "DESC" if newest_first else "ASC"
        among = " AND unit IN (SELECT unit FROM chosen WHERE digest = entries.digest)" if chosen_only else ""
        select = f"SELECT unit, tries FROM entries WHERE digest = ?{among} AND "
        fresh = self.connection.execute(
            f"{select} state = 'eligible' ORDER BY at_ms {order} LIMIT ?", (digest, limit + len(held))
        ).fetchall()
        rows = [Due(*row) for row in fresh if row[0] not in held][:limit]
        if len(rows) < limit:
            again = self.connection.execute(
                f"{select} state IN ('failed', 'skipped_by_budget') AND next_try_ms IS NOT NULL"
                f" AND (next_try_ms <= ? OR updated_ms < ?) ORDER BY at_ms {order} LIMIT ?",
                (digest, now_ms, again_before_ms, limit + len(held)),
            ).fetchall()
            rows += [Due(*row) for row in again if row[0] not in held][: limit - len(rows)]
        return rows

    def count_due(self, digest: str, now_ms: int, *, again_before_ms: int = 0, chosen_only: bool = False) -> int:
        """How many `due` would give."""
        return len(self.due(digest, _ALL, now_ms, again_before_ms=again_before_ms, chosen_only=chosen_only))

    def next_try_ms(self, digest: str) -> int | None:
        """When the first of what was put off is due again; None where nothing is."""
        query = "SELECT min(next_try_ms) FROM entries WHERE digest = ? AND state IN ('failed', 'skipped_by_budget')"
        first: int | None = self.connection.execute(query, (digest,)).fetchone()[0]
        return first

    def counts_since(self, digest: str, since_ms: int) -> dict[str, int]:
        """How many traces were scored, failed or skipped by budget since, by state: each by what became of it last."""
        query = (
            "SELECT state, count(*) FROM entries WHERE digest = ? AND updated_ms >= ?"
            " AND state IN ('scored', 'failed', 'skipped_by_budget') GROUP BY state"
        )
        return dict(self.connection.execute(query, (digest, since_ms)).fetchall())

    def record(self, digest: str, outcomes: Iterable[Outcome], now_ms: int) -> None:
        """Note what became of traces. A score is final: nothing is noted over it."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE entries SET state = ?, updated_ms = ?, tries = tries + ?, next_try_ms = ?, failure = ?,"
                " message = ?, value = ?, passed = ?, cached = ?, mock = ?, calls = calls + ?,"
                " input_tokens = input_tokens + ?, output_tokens = output_tokens + ?, cost_usd = cost_usd + ?,"
                " latency_ms = ? WHERE unit = ? AND digest = ? AND state <> 'scored'",
                [_row(one, digest, now_ms) for one in outcomes],
            )

    def put_off_rest(
        self,
        digest: str,
        outcome: Outcome,
        now_ms: int,
        *,
        again_before_ms: int = 0,
        in_hand: Iterable[str] = (),
        chosen_only: bool = False,
    ) -> int:
        """Note the same of everything that is due now and was not tried, at once; returns of how much.

        The unit of the outcome does not matter.
        """
        rest = self.due(digest, _ALL, now_ms, again_before_ms=again_before_ms, in_hand=in_hand, chosen_only=chosen_only)
        units = [one.unit for one in rest]
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE entries SET state = ?, updated_ms = ?, next_try_ms = ?, failure = ?, message = ?"
                " WHERE unit = ? AND digest = ?",
                [
                    (outcome.state, now_ms, outcome.next_try_ms, outcome.failure, outcome.message, unit, digest)
                    for unit in units
                ],
            )
        return len(units)

    def verdict(self, digest: str, content: str) -> Scored | None:
        """What the judge said of the same content before."""
        query = "SELECT judgement FROM verdicts WHERE digest = ? AND content = ?"
        row = self.connection.execute(query, (digest, content)).fetchone()
        return None if row is None else Scored.model_validate_json(row[0])

    def keep_verdict(self, digest: str, content: str, scored: Scored) -> None:
        """Keep a verdict by the digest of what was judged, before anything else is done with it."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", (digest, content, scored.model_dump_json())
            )

    def spent(self, judge: str, day: str) -> Spending:
        """What a judge has spent on a day, what is reserved included."""
        query = "SELECT calls, tokens, usd FROM spending WHERE judge = ? AND day = ?"
        row = self.connection.execute(query, (judge, day)).fetchone()
        return Spending(*row) if row else Spending()

    def spend(self, judge: str, day: str, amount: Spending) -> None:
        """Add an amount to what a judge has spent on a day; a negative one gives back."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO spending VALUES (?, ?, ?, ?, ?) ON CONFLICT (judge, day) DO UPDATE SET"
                " calls = calls + excluded.calls, tokens = tokens + excluded.tokens, usd = usd + excluded.usd",
                (judge, day, amount.calls, amount.tokens, amount.usd),
            )


def _row(one: Outcome, digest: str, now_ms: int) -> tuple[object, ...]:
    return (
        one.state,
        now_ms,
        int(one.state == "failed"),
        one.next_try_ms,
        one.failure,
        one.message,
        None if one.value is None else json.dumps(one.value),
        one.passed,
        one.cached,
        one.mock,
        one.calls,
        one.usage.input_tokens,
        one.usage.output_tokens,
        one.usage.cost_usd,
        one.latency_ms,
        one.unit,
        digest,
    )
