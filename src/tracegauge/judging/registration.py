"""Judges as MLflow scorers: what a judge file becomes in an MLflow store, and what is there already."""

import re
from typing import Any, Literal

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import get_scorer, list_scorers

from tracegauge.config.judge import AskingJudge, LlmJudge
from tracegauge.config.judge_fields import ValueType
from tracegauge.config.judge_instructions import variables_in
from tracegauge.judging.answer import value_in_words
from tracegauge.judging.compat import RATIONALE_FIRST
from tracegauge.judging.scorers import make_scorer

_DIGEST = re.compile(r"\[tracegauge ([0-9a-f]{16})\]")
_NOT_THERE = "RESOURCE_DOES_NOT_EXIST"


def scorer_of(spec: AskingJudge) -> Any:
    """The MLflow scorer of a judge; its description ends with the judge's digest, by which it is known again."""
    description = f"{spec.description} [tracegauge {spec.digest}]".strip()
    if not isinstance(spec, LlmJudge):
        scorer = make_scorer(spec, spec.model)
        scorer.description = description
        return scorer
    instructions = spec.instructions
    if spec.value.type in ("integer", "float"):  # MLflow knows the type, and nothing of bounds
        instructions = f"{instructions.rstrip()}\n\nThe result is {value_in_words(spec.value)}."
    more = {"generate_rationale_first": spec.rationale_first} if RATIONALE_FIRST else {}
    return make_judge(
        name=spec.name,
        instructions=instructions,
        model=spec.model,
        description=description,
        feedback_value_type=_python_type(spec.value),
        inference_params=dict(spec.inference_params) or None,
        **more,
    )


def registered(name: str, experiment_id: str) -> Any | None:
    """The scorer of this name in its latest version; None if there is none. Raises MlflowException for other errors."""
    try:
        return get_scorer(name=name, experiment_id=experiment_id)
    except MlflowException as error:
        if error.error_code == _NOT_THERE:
            return None
        raise


def digest_of(scorer: Any) -> str | None:
    """The digest of the judge file that a scorer was made from; None for one that tracegauge did not register."""
    found = _DIGEST.search(scorer.description or "")
    return found[1] if found else None


def registered_names(experiment_id: str) -> list[str] | None:
    """Names of all scorers in the store; None where MLflow can't read one of them and so lists none."""
    try:
        return [scorer.name for scorer in list_scorers(experiment_id=experiment_id)]
    except Exception:  # such as ModuleNotFoundError for one aligned with a library that isn't installed here
        return None


def left_out(spec: AskingJudge) -> list[str]:
    """What MLflow does not do of what the file says, when it runs the judge by itself."""
    told: list[str] = []
    if spec.base_url is not None:
        told.append("base_url is not kept with a scorer: where MLflow runs it, it asks the model where it finds it")
    if isinstance(spec, LlmJudge):
        variables = variables_in(spec.instructions)
        if spec.extract.model_fields_set or {"inputs", "outputs"} & set(variables):
            told.append("MLflow shows it the whole inputs and outputs, not what `extract` names")
        if spec.rationale_first and not RATIONALE_FIRST:
            told.append(f"MLflow {mlflow.__version__} asks for the result before the rationale")
    if spec.budget.model_fields_set or spec.sampling.max_age:
        told.append("MLflow knows no budget and no max_age")
    return told


def _python_type(value: ValueType) -> Any:
    if value.type == "categories":
        return Literal[value.categories]
    return {"bool": bool, "integer": int, "float": float, "text": str}[value.type]
