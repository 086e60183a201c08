"""The store whose traces are judged: looking for traces, reading and writing many at once."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from mlflow.entities import Assessment, Trace, TraceState
from mlflow.exceptions import MlflowException

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.judging.assessment_keys import JUDGE_DIGEST
from tracegauge.judging.engine import compat
from tracegauge.tracking.causes import is_unreachable
from tracegauge.tracking.compat.sql_store import one_transaction
from tracegauge.tracking.server_check import without_password

SESSION = "mlflow.trace.session"
_PAGE = 500
_READERS = 4
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Head:
    """What decides whether a trace is judged."""

    trace_id: str
    at_ms: int
    """When it began."""
    finished: bool
    session: str | None = None
    ended_ms: int = 0


class Refused(str):
    """Why an assessment was not taken."""


class TraceStore:
    """A database or server, with the experiments that are judged. Its methods block: call them in threads."""

    def __init__(self, tracking_uri: str, experiments: Sequence[str] = ()) -> None:
        """Open the store. Raises ConfigError where it can't be, or one of the experiments (by name) is not there."""
        self.uri, shown = tracking_uri, without_password(tracking_uri)
        try:
            self._store = compat.open_store(tracking_uri)
            known = {one.name: str(one.experiment_id) for one in _experiments(self._store)}
        except (MlflowException, sa.exc.SQLAlchemyError, OSError) as error:
            raise ConfigError(f"{shown} can't be opened: {first_line(error)}") from error
        for name in experiments:
            if name not in known:
                raise ConfigError(f"there is no experiment {name!r} in {shown}", hint=nearest(name, known))
        self.experiments = tuple(experiments) or tuple(known)
        self.experiment_ids = [known[name] for name in self.experiments]
        self._sql = compat.is_sql(self._store)

    def check_filter(self, filter_string: str) -> str | None:
        """What MLflow says of a filter that it does not understand; None for one that it does."""
        try:
            self._store.search_traces(locations=self.experiment_ids, filter_string=filter_string, max_results=1)
        except MlflowException as error:
            if is_transient(error):
                raise
            return first_line(error)
        return None

    def heads(self, filter_string: str | None, since_ms: int = 0, *, sessions: bool = False) -> Iterator[list[Head]]:
        """Traces that fit a filter and began since, in pages; with `sessions`, also which session they are of.

        Raises MlflowException.
        """
        if self._sql and not filter_string and not sessions:
            for rows in compat.trace_heads(self._store, self.experiment_ids, since_ms):
                yield [Head(trace_id, at_ms, state != TraceState.IN_PROGRESS.value) for trace_id, at_ms, state in rows]
            return
        since = [f"trace.timestamp_ms >= {since_ms}"] if since_ms else []
        clauses = " AND ".join([*([filter_string] if filter_string else []), *since])
        token = None
        while True:
            infos, token = self._store.search_traces(
                locations=self.experiment_ids,
                filter_string=clauses or None,
                max_results=_PAGE,
                order_by=["timestamp_ms ASC"],
                page_token=token,
            )
            yield [
                Head(
                    one.trace_id,
                    one.request_time,
                    one.state != TraceState.IN_PROGRESS,
                    one.trace_metadata.get(SESSION),
                    one.request_time + (one.execution_duration or 0),
                )
                for one in infos
            ]
            if not token:
                return

    def session(self, session_id: str) -> list[str]:
        """The ids of the traces of a session, in their order in time."""
        quoted = session_id.replace("\\", "\\\\").replace("'", "\\'")
        pages = self.heads(f"metadata.`{SESSION}` = '{quoted}'", sessions=True)
        return [head.trace_id for page in pages for head in page]

    def read(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Whole traces by id; what is not there, or not there as a whole yet, is left out. Raises MlflowException."""
        if self._sql:
            return {one.info.trace_id: one for one in self._store.batch_get_traces(list(trace_ids))}
        found = _in_threads(self._read_one, trace_ids)
        return {one.info.trace_id: one for one in found if isinstance(one, Trace)}

    def exists(self, trace_id: str) -> bool:
        """Whether the store still has a trace."""
        if self._sql:
            return bool(compat.existing_traces(self._store, [trace_id]))
        try:
            self._store.get_trace_info(trace_id)
        except MlflowException as error:
            if is_transient(error):
                raise
            return False
        return True

    def write(self, assessments: Sequence[Assessment]) -> list[Refused | None]:
        """Write assessments, each once, however often it is tried; returns for each what went wrong with it.

        Raises for what is wrong with the store as a whole for now: see `is_transient`.
        """
        if not self._sql:
            return _in_threads(self._write_to_server, assessments)
        there = compat.existing_assessments(self._store, [str(one.assessment_id) for one in assessments])
        new = [one for one in assessments if one.assessment_id not in there]
        try:
            with one_transaction(self._store) as store:
                for one in new:
                    store.create_assessment(one)
        except Exception as error:
            if is_transient(error):
                raise
            return [self._write_alone(one, there) for one in assessments]
        return [None] * len(assessments)

    def _write_alone(self, assessment: Assessment, there: set[str]) -> Refused | None:
        if assessment.assessment_id in there:
            return None
        try:
            self._store.create_assessment(assessment)
        except MlflowException as error:
            if is_transient(error):
                raise
            return Refused(first_line(error))
        return None

    def _write_to_server(self, assessment: Assessment) -> Refused | None:
        digest = (assessment.metadata or {}).get(JUDGE_DIGEST)
        try:
            info = self._store.get_trace_info(assessment.trace_id)
            if given(info.assessments, str(digest)) is None:
                assessment.assessment_id = None
                self._store.create_assessment(assessment)
        except MlflowException as error:
            if is_transient(error):
                raise
            return Refused(first_line(error))
        return None

    def _read_one(self, trace_id: str) -> Trace | None:
        try:
            found = self._store.batch_get_traces([trace_id], None)
        except MlflowException as error:
            if is_transient(error):
                raise
            return None
        return found[0] if found else None


def given(assessments: Sequence[Assessment] | None, digest: str) -> Assessment | None:
    """The assessment that a judge has given already, by its digest."""
    for one in assessments or ():
        if (one.metadata or {}).get(JUDGE_DIGEST) == digest and getattr(one, "valid", True) is not False:
            return one
    return None


def assessment_id(unit: str, digest: str) -> str:
    """The id of the assessment of a trace (or session) by a judge: a second one is impossible in a database."""
    return "a-" + hashlib.blake2b(f"{unit}\0{digest}".encode(), digest_size=16).hexdigest()


def is_transient(error: BaseException) -> bool:
    """Whether the same may succeed later: the store is locked, full, overloaded or can't be reached."""
    if is_unreachable(error):
        return True
    if isinstance(error, MlflowException):
        cause = error.__cause__ or error.__context__
        if isinstance(cause, sa.exc.OperationalError):
            return True
        return error.error_code == "TEMPORARILY_UNAVAILABLE" or error.get_http_status_code() in _TRANSIENT_STATUS
    return isinstance(error, sa.exc.OperationalError | OSError)


def is_trouble(error: BaseException) -> bool:
    """Whether it is the store that could not answer, and not something of ours that is wrong."""
    return isinstance(error, MlflowException) or is_transient(error)


def first_line(error: BaseException) -> str:
    """What an error says, in one line and without the password of a store."""
    said = str(error).partition("[SQL:")[0]
    return without_password(" ".join(said.split()))[:300] or type(error).__name__


def _experiments(store: Any) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = store.search_experiments(max_results=1000, page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return found


def _in_threads(call: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    with ThreadPoolExecutor(_READERS, thread_name_prefix="tracegauge-server") as pool:
        return list(pool.map(call, items))
