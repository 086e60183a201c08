"""Reading traces with their assessments page by page, from any store."""

from collections.abc import Iterator, Sequence

from mlflow import MlflowClient
from mlflow.entities import Assessment, Feedback, Trace
from mlflow.exceptions import MlflowException

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.judging.assessment_keys import JUDGE_DIGEST
from tracegauge.judging.store_check import usable_store
from tracegauge.tracking.server_check import without_password

_PAGE = 100
_OUR_SOURCES = ("LLM_JUDGE", "CODE")


class TraceReader:
    """Reads the traces of one store."""

    def __init__(self, uri: str | None = None) -> None:
        """Raises ConfigError as `usable_store` does, which also says what `uri` is by default."""
        self._client = MlflowClient(usable_store(uri))

    @property
    def uri(self) -> str:
        """Of the store, as it can be shown and kept: without a password."""
        return without_password(str(self._client.tracking_uri))

    def read(
        self, experiments: Sequence[str] = (), filter_string: str | None = None, *, with_spans: bool = False
    ) -> Iterator[Trace]:
        """Traces of these experiments, or of all, with their assessments, oldest first.

        Raises ConfigError for an experiment that is not there, and a filter that MLflow does not understand.
        """
        locations = self._ids(experiments)
        token: str | None = None
        while True:
            try:
                page = self._client.search_traces(
                    locations=locations,
                    filter_string=filter_string,
                    max_results=_PAGE,
                    order_by=["timestamp_ms ASC"],
                    page_token=token,
                    include_spans=with_spans,
                )
            except MlflowException as error:
                raise ConfigError(f"{self.uri} can't be searched for {filter_string!r}: {error.message}") from error
            yield from page
            token = page.token
            if not token:
                return

    def _ids(self, names: Sequence[str]) -> list[str]:
        known: dict[str, str] = {}
        token: str | None = None
        while True:
            page = self._client.search_experiments(page_token=token)
            known.update({one.name: one.experiment_id for one in page})
            token = page.token
            if not token:
                break
        for name in names:
            if name not in known:
                raise ConfigError(f"there is no experiment {name!r} in {self.uri}", hint=nearest(name, known))
        return [known[name] for name in names] or list(known.values())


def feedback_of(trace: Trace) -> Iterator[Feedback]:
    """The feedback on a trace that has not been replaced by a later one."""
    for one in trace.info.assessments or ():
        if isinstance(one, Feedback) and one.valid is not False:
            yield one


def given_by_judge(feedback: Assessment) -> bool:
    """Whether a judge or code said it, not a person."""
    return str(feedback.source.source_type) in _OUR_SOURCES


def given_by_person(feedback: Assessment) -> bool:
    """Whether a person said it."""
    return str(feedback.source.source_type) == "HUMAN"


def digest_in(feedback: Assessment) -> str | None:
    """The digest of the judge of ours that said it; None for others."""
    return (feedback.metadata or {}).get(JUDGE_DIGEST)
