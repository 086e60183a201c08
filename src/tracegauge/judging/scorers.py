"""MLflow's built-in scorers by name: making one, what it needs, and the one thing that it says."""

import inspect
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from mlflow.entities import Feedback
from mlflow.genai import scorers

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.judge import BuiltinJudge, GuidelinesJudge
from tracegauge.config.judge_fields import ValueType

NEEDS_EXPECTATIONS = frozenset({"Correctness", "Equivalence", "ExpectationsGuidelines"})
"""Scorers that can say nothing without expectations."""


def scorer_names() -> list[str]:
    """The built-in scorers of the installed MLflow."""
    base = scorers.base.Scorer
    found = [name for name in dir(scorers) if name[0].isupper() and isinstance(getattr(scorers, name), type)]
    return [name for name in found if issubclass(getattr(scorers, name), base) and getattr(scorers, name) is not base]


def make_scorer(spec: BuiltinJudge | GuidelinesJudge, model: str | None) -> Any:
    """The scorer of a judge. Raises ConfigError for a name or a parameter that the installed MLflow doesn't know."""
    if isinstance(spec, GuidelinesJudge):
        return scorers.Guidelines(name=spec.name, guidelines=list(spec.guidelines), model=model)
    if spec.scorer not in scorer_names():
        import mlflow

        hint = nearest(spec.scorer, scorer_names())
        raise ConfigError(f"MLflow {mlflow.__version__} has no built-in scorer {spec.scorer!r}", hint=hint)
    kind = getattr(scorers, spec.scorer)
    fields = set(kind.model_fields)
    arguments: dict[str, Any] = {"name": spec.name, **spec.parameters}
    if "model" in fields and model is not None:
        arguments["model"] = model
    if "inference_params" in fields and spec.inference_params:
        arguments["inference_params"] = spec.inference_params
    unknown = sorted(set(arguments) - fields)
    if unknown:
        hint = nearest(unknown[0], fields - {"model"})
        raise ConfigError(f"{spec.scorer} has no parameter {unknown[0]!r}", hint=hint)
    try:
        return kind(**arguments)
    except Exception as error:
        raise ConfigError(f"{spec.scorer} does not take the parameters of the judge {spec.name!r}: {error}") from error


def arguments_of(scorer: Any) -> frozenset[str]:
    """What a scorer can be called with: of inputs, outputs, expectations, trace and session."""
    return frozenset(inspect.signature(type(scorer).__call__).parameters) - {"self"}


def one_value(said: Any, value: ValueType) -> tuple[Any, str]:
    """Value and rationale of what a scorer says: one feedback, or one for each part of a trace.

    Of several, numbers are averaged where the judge says a float; else one that is no `yes` stands for all.
    """
    feedbacks: Sequence[Feedback] = said if isinstance(said, list) else [said]
    if len(feedbacks) == 1:
        return _plain(feedbacks[0].value), feedbacks[0].rationale or ""
    if value.type == "float":
        numbers = [one.value for one in feedbacks if isinstance(one.value, float)]
        return (fmean(numbers), f"mean over {len(numbers)} parts of the trace") if numbers else (None, "")
    worst = next((one for one in feedbacks if _plain(one.value) != "yes"), feedbacks[0] if feedbacks else None)
    return (_plain(worst.value), worst.rationale or "") if worst else (None, "nothing was said")


def error_of(said: Any) -> str | None:
    """The error that a scorer hands back instead of a value."""
    for one in said if isinstance(said, list) else [said]:
        if getattr(one, "error", None) is not None:
            return str(one.error.error_message)
    return None


def call(scorer: Any, values: Mapping[str, Any]) -> Any:
    """Call a scorer with those of these values that it takes."""
    taken = arguments_of(scorer)
    return scorer(**{name: value for name, value in values.items() if name in taken and value is not None})


def _plain(value: Any) -> Any:
    """MLflow's ratings are members of an enumeration of texts."""
    return str(value.value) if hasattr(value, "value") else value
