"""Bringing judge files into an MLflow store: the differences, and making them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.genai.scorers import ScorerSamplingConfig, delete_scorer
from mlflow.genai.scorers.registry import list_scorer_versions

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import AskingJudge, JudgeSpec
from tracegauge.judging.judge_records import RECORDS_FOLDER, why_not_trusted
from tracegauge.judging.registration import digest_of, left_out, registered, registered_names, scorer_of
from tracegauge.tracking.server_check import without_password

Action = Literal["new", "changed", "unchanged", "ledger", "refused", "failed"]


@dataclass(frozen=True)
class Step:
    """What becomes of one judge."""

    name: str
    action: Action
    """`new`, `changed`: registered as a (new version of a) scorer. `unchanged`: left alone. `ledger`: lives with us.
    `refused`: its calibration is not good enough. `failed`: MLflow refused it, and nothing is left of the attempt."""
    reason: str
    notes: tuple[str, ...] = ()
    started: bool = False
    """Whether MLflow's own online scoring was started for it."""


@dataclass(frozen=True)
class Plan:
    """The differences between files and store, and what is in the store alone."""

    steps: tuple[Step, ...]
    store_only: tuple[str, ...] = ()
    """Scorers in the store without a file; apply leaves them alone."""


def plan(
    judges: Mapping[str, JudgeSpec], experiment_id: str | None, *, force: bool = False, records: Path = RECORDS_FOLDER
) -> Plan:
    """Compare files and store; changes nothing. `experiment_id` None: the experiment does not exist yet.

    Raises ConfigError for a store that keeps no scorers.
    """
    steps = tuple(_step(spec, experiment_id, force, records) for spec in judges.values())
    names = registered_names(experiment_id) if experiment_id else []
    return Plan(steps, tuple(name for name in names or () if name not in judges))


def apply(
    judges: Mapping[str, JudgeSpec],
    experiment_id: str,
    *,
    force: bool = False,
    start: bool = False,
    records: Path = RECORDS_FOLDER,
) -> Plan:
    """Register what is new or changed, and with `start` start MLflow's online scoring with each judge's sampling.

    A start that MLflow refuses is rolled back: the version that was registered for it is deleted again.
    """
    planned = plan(judges, experiment_id, force=force, records=records)
    done = [_done(step, judges[step.name], experiment_id, start=start) for step in planned.steps]
    return Plan(tuple(done), planned.store_only)


def find_experiment(name: str) -> str | None:
    """The id of an experiment; None if it does not exist. Raises ConfigError where the store can't be read."""
    try:
        experiment = mlflow.get_experiment_by_name(name)
    except MlflowException as error:
        said = f"{mlflow.get_tracking_uri()} can't be read: {error.message}"
        raise ConfigError(without_password(said)) from error
    return None if experiment is None else str(experiment.experiment_id)


def _step(spec: JudgeSpec, experiment_id: str | None, force: bool, records: Path) -> Step:
    doubt = why_not_trusted(spec, records)
    if doubt and not force:
        return Step(spec.name, "refused", doubt, ("apply it all the same with --force",))
    notes = (f"applied by force: {doubt}",) if doubt else ()
    if not isinstance(spec, AskingJudge):
        reason = f"a stock MLflow registers no {spec.kind} judges: `tracegauge judge run` and `watch` score with it"
        return Step(spec.name, "ledger", reason, notes)
    try:
        there = registered(spec.name, experiment_id) if experiment_id else None
    except Exception as error:  # a scorer that can't be read here
        return Step(spec.name, "failed", f"what is registered under this name can't be read: {_said(error)}", notes)
    notes = (*notes, *left_out(spec))
    if there is None:
        return Step(spec.name, "new", f"digest {spec.digest}", notes)
    before = digest_of(there)
    if before == spec.digest:
        return Step(spec.name, "unchanged", f"digest {spec.digest}", notes)
    told = f"digest {before} → {spec.digest}" if before else "registered by someone else; gets a new version"
    return Step(spec.name, "changed", told, notes)


def _done(step: Step, spec: JudgeSpec, experiment_id: str, *, start: bool) -> Step:
    if step.action in ("ledger", "refused", "failed") or not isinstance(spec, AskingJudge):
        return step
    new = step.action in ("new", "changed")
    try:
        scorer: Any = registered(spec.name, experiment_id)
        if new:
            scorer = scorer_of(spec).register(experiment_id=experiment_id)
    except Exception as error:
        return Step(spec.name, "failed", f"MLflow refused to register it: {_said(error)}", step.notes)
    if not start:
        return step
    try:
        sampling = ScorerSamplingConfig(sample_rate=spec.sampling.rate, filter_string=spec.sampling.filter)
        scorer.start(experiment_id=experiment_id, sampling_config=sampling)
    except Exception as error:
        back = _rolled_back(spec.name, experiment_id) if new else "it stays registered as it was"
        return Step(spec.name, "failed", f"MLflow refused to start it: {_said(error)}; {back}", step.notes)
    return Step(spec.name, step.action, step.reason, step.notes, started=True)


def _rolled_back(name: str, experiment_id: str) -> str:
    version = max(_versions(name, experiment_id))
    delete_scorer(name=name, experiment_id=experiment_id, version=version)
    return f"version {version}, which was registered for it, is deleted again"


def _versions(name: str, experiment_id: str) -> Sequence[int]:
    listed: list[tuple[Any, int]] = list_scorer_versions(name=name, experiment_id=experiment_id)
    return [version for _, version in listed]


def _said(error: Exception) -> str:
    return str(getattr(error, "message", None) or error or type(error).__name__).strip().rstrip(".")
