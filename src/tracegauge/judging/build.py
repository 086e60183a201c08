"""From a judge's specification to a judge that can work."""

from collections.abc import Iterable, Mapping

import httpx

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import BuiltinJudge, CodeJudge, GuidelinesJudge, JudgeSpec, LlmJudge, PanelJudge
from tracegauge.judging.code import FunctionJudge
from tracegauge.judging.endpoint import endpoint_of
from tracegauge.judging.judge import Judge
from tracegauge.judging.llm import EndpointJudge
from tracegauge.judging.panel import Panel


def build_judge(spec: JudgeSpec, judges: Mapping[str, JudgeSpec], http: httpx.AsyncClient) -> Judge:
    """A judge that is ready to work; `judges` holds the members of panels by name, `http` sends the requests.

    Close the judge with `aclose` at the end. Raises ConfigError for what keeps it from working: a variable without a
    key, a built-in judge that this MLflow does not know.
    """
    match spec:
        case LlmJudge():
            endpoint = endpoint_of(spec)
            if endpoint is not None:
                return EndpointJudge(spec, endpoint, http)
            from tracegauge.judging.mlflow_model import MlflowModelJudge

            return MlflowModelJudge(spec)
        case BuiltinJudge() | GuidelinesJudge():
            from tracegauge.judging.builtin import ScorerJudge

            return ScorerJudge(spec, endpoint_of(spec), http)
        case CodeJudge():
            return FunctionJudge(spec)
        case PanelJudge():
            return Panel(spec, [build_judge(judges[name], judges, http) for name in spec.members])


def build_judges(
    specs: Mapping[str, JudgeSpec], names: Iterable[str], http: httpx.AsyncClient
) -> tuple[list[Judge], dict[str, str]]:
    """The judges of these names that can work, and why the others can't, by name."""
    judges: list[Judge] = []
    faults: dict[str, str] = {}
    for name in names:
        try:
            judges.append(build_judge(specs[name], specs, http))
        except ConfigError as error:
            faults[name] = " ".join(str(error).split())
    return judges, faults
