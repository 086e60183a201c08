"""What can be wrong with judge files beyond their shape: keys, prices, filters, code, built-in judges.

Nothing is asked of a store or a model.
"""

from collections.abc import Iterator, Sequence

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchTraceUtils

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import AskingJudge, BuiltinJudge, CodeJudge, LlmJudge
from tracegauge.config.judge_files import ReadJudge
from tracegauge.config.judge_instructions import variables_in
from tracegauge.config.shipped import find_file
from tracegauge.config.yaml_file import KeyPath
from tracegauge.judging.endpoint import missing_key
from tracegauge.judging.scorers import make_scorer
from tracegauge.prices import built_in_prices


def judge_faults(read: Sequence[ReadJudge]) -> list[ConfigError]:
    """Everything that would keep a judge from working, with its place."""
    return [fault for one in read for fault in _faults(one)]


def judge_warnings(read: Sequence[ReadJudge]) -> list[str]:
    """What works, but perhaps not as it was meant."""
    return [warning for one in read for warning in _warnings(one)]


def filter_fault(filter_string: str) -> str | None:
    """Why MLflow can't parse a trace filter; None if it can. Which fields exist only a store knows."""
    try:
        SearchTraceUtils.parse_search_filter_for_search_traces(filter_string)
    except MlflowException as error:
        return str(error.message).split("\n", maxsplit=1)[0]
    return None


def _faults(one: ReadJudge) -> Iterator[ConfigError]:
    spec = one.spec

    def fault(message: str, *path: str, hint: str | None = None) -> ConfigError:
        place: KeyPath = path
        return one.document.error(message, place, hint=hint)

    if spec.sampling.filter is not None and (why := filter_fault(spec.sampling.filter)):
        yield fault(f"MLflow can't parse this filter: {why}", "sampling", "filter")
    if isinstance(spec, AskingJudge):
        missing = missing_key(spec)
        if missing:
            yield fault(f"the variable {missing} holds no key", "api_key_env", hint=f"export {missing}=…")
        if spec.budget.usd is not None and built_in_prices().price(spec.model or "") is None:
            hint = "limit `calls` or `tokens` instead"
            yield fault(f"the price of {spec.model} is not known, so a budget in usd can't hold", "budget", hint=hint)
    elif spec.budget.usd is not None and isinstance(spec, CodeJudge):
        yield fault("code costs nothing: a budget in usd has no effect", "budget")
    if isinstance(spec, BuiltinJudge):
        try:
            make_scorer(spec, "openai:/any")
        except ConfigError as error:
            yield fault(error.message, "scorer", hint=error.hint)
    if isinstance(spec, CodeJudge):
        try:
            _ = spec.digest
        except ConfigError as error:
            yield fault(error.message, "function", hint=error.hint)
    if spec.calibration.dataset is not None:
        try:
            find_file(spec.calibration.dataset)
        except ConfigError as error:
            yield fault(error.message, "calibration", "dataset", hint=error.hint)


def _warnings(one: ReadJudge) -> Iterator[str]:
    spec = one.spec
    if spec.sampling.rate == 0:
        yield f"{spec.name}: sampling.rate is 0, so it never judges"
    if isinstance(spec, LlmJudge) and "expectations" in variables_in(spec.instructions):
        yield f"{spec.name}: traces without expectations, as those of production, end as no_expectations"
    if spec.calibration.minimum_kappa is not None and spec.calibration.dataset is None:
        yield f"{spec.name}: minimum_kappa without a dataset: only labels of people in the store can meet it"
