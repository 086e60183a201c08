"""MLflow's global state while a tracker is in use: set up in one place, restored in reverse order."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tracegauge.config.observability import MLflowConfig
from tracegauge.tracking.compat.global_state import active_experiment, file_store_allowed, tracking_uri
from tracegauge.tracking.compat.log_noise import harmless_warnings_ignored
from tracegauge.tracking.compat.span_values import spans_take_any_value
from tracegauge.tracking.compat.tracer_provider import also_processing_spans
from tracegauge.tracking.delivery import Delivery, DeliveryContext, FlushReport, make_delivery
from tracegauge.tracking.destination import Destination, resolve_destination
from tracegauge.tracking.diverting import diverting
from tracegauge.tracking.environment import environment
from tracegauge.tracking.experiments import find_or_create
from tracegauge.tracking.legacy_runs import LegacyRuns
from tracegauge.tracking.run_writer import RunWriter
from tracegauge.tracking.server_check import check_server, without_password
from tracegauge.tracking.settings import Settings
from tracegauge.tracking.span_filter import span_filter

logger = logging.getLogger("tracegauge.tracking")

SPILL_FOLDER = Path(".tracegauge/spill")


@dataclass(frozen=True)
class Activation:
    """A tracker's hold on MLflow."""

    tracking_uri: str
    experiment_id: str
    delivery: Delivery
    runs: LegacyRuns
    joins_traces: bool
    """Whether the store takes spans of one trace from several processes."""
    _undo: ExitStack

    def flush(self, timeout_s: float | None) -> FlushReport:
        """Wait for the delivery."""
        return self.delivery.flush(timeout_s)

    def close(self) -> None:
        """Restore what was set up. Never raises."""
        try:
            self._undo.close()
        except Exception:
            logger.warning("MLflow's state could not be restored completely", exc_info=True)


def activate(settings: Settings) -> Activation | None:
    """Set MLflow up for a tracker: at the configured store if it can be used, else at the fallback store.

    Each change of plan is told once, as a warning. None where neither store can be used. Never raises.
    """
    config = settings.config
    destination = resolve_destination(config.tracking_uri)
    if destination.notice:
        logger.warning(destination.notice)
    fallback = resolve_destination(config.fallback_uri)
    if destination.is_server:
        check = check_server(destination.uri, config.server_check_timeout_s)
        if not check.ok:
            logger.warning("%s: tracking goes to %s instead, the workflow runs on", check, fallback.uri)
            return _open_fallback(fallback, settings)
    try:
        return _open(destination, fallback, settings)
    except Exception as error:
        logger.warning(
            "the store %s can't be opened (%s): tracking goes to %s instead, the workflow runs on",
            without_password(destination.uri),
            error,
            fallback.uri,
        )
        logger.debug("why the store can't be opened", exc_info=True)
    if fallback.uri == destination.uri:
        return None
    return _open_fallback(fallback, settings)


def _open_fallback(
    fallback: Destination,
    settings: Settings,
) -> Activation | None:
    started = time.monotonic()
    try:
        activation = _open(fallback, fallback, settings)
    except Exception as error:
        logger.warning("the fallback store %s can't be opened either (%s): nothing is tracked", fallback.uri, error)
        return None
    logger.info("opened the fallback store %s in %.1f s", fallback.uri, time.monotonic() - started)
    return activation


def _open(
    destination: Destination,
    fallback: Destination,
    settings: Settings,
) -> Activation:
    """Point MLflow at a store. Raises whatever MLflow raises; then everything is as before."""
    config = settings.config
    delivery = make_delivery(settings.delivery)
    with ExitStack() as undo:
        undo.enter_context(environment(_environment(destination, config)))
        if destination.is_file_store:
            undo.enter_context(file_store_allowed())
        undo.enter_context(harmless_warnings_ignored())
        undo.enter_context(spans_take_any_value())
        undo.enter_context(tracking_uri(destination.uri))
        experiment_id = find_or_create(destination.uri, settings.experiment_name)
        undo.enter_context(active_experiment(experiment_id))
        open_fallback = partial(_fallback_experiment, fallback, destination, settings.experiment_name)
        if destination.is_server and delivery.name != "lossless":
            undo.enter_context(diverting(destination.uri, open_fallback))
        delivery.install(
            DeliveryContext(
                tracking_uri=destination.uri,
                experiment_id=experiment_id,
                fallback_uri=fallback.uri,
                timeout_s=config.server_check_timeout_s,
                spill_dir=SPILL_FOLDER.absolute(),
            )
        )
        undo.callback(delivery.uninstall)
        undo.enter_context(_filtering(settings))
        runs = LegacyRuns(RunWriter(destination.uri, experiment_id, open_fallback), settings)
        undo.callback(runs.close)
        return Activation(destination.uri, experiment_id, delivery, runs, not destination.is_file_store, undo.pop_all())


def _environment(destination: Destination, config: MLflowConfig) -> dict[str, str | None]:
    """Variables that MLflow reads while the tracker is in use."""
    variables: dict[str, str | None] = {}
    if destination.is_server:
        # By default MLflow goes on trying for minutes, in the middle of an invocation. It knows whole seconds only.
        timeout_s = max(1, int(config.server_check_timeout_s))
        variables["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
        variables["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(
            min(timeout_s, _number("MLFLOW_HTTP_REQUEST_TIMEOUT", timeout_s))
        )
    if "sample_rate" in config.model_fields_set:
        variables["MLFLOW_TRACE_SAMPLING_RATIO"] = str(config.sample_rate) if config.sample_rate < 1 else None
    return variables


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdigit() else default


@contextmanager
def _filtering(settings: Settings) -> Iterator[None]:
    """Filter every span after the user's own span processors."""
    keep_out = span_filter(settings.redactor, log_prompts=settings.config.log_prompts)
    if keep_out is None:
        yield
        return
    with also_processing_spans(keep_out):
        yield


def _fallback_experiment(fallback: Destination, destination: Destination, name: str) -> tuple[str, str] | None:
    """The fallback store's URI and the experiment's id in it; None where there is no other store."""
    if fallback.uri == destination.uri:
        return None
    try:
        return fallback.uri, find_or_create(fallback.uri, name)
    except Exception as error:
        logger.warning("the fallback store %s can't be opened (%s)", fallback.uri, error)
        return None
