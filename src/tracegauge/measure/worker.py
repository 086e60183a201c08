"""What runs inside a worker process: one job, from start to answer."""

import contextlib
import gc
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracegauge.config.campaign import ExpectedSpans, MeasuredWorkflow
from tracegauge.config.errors import ConfigError
from tracegauge.measure.backends import backend_named
from tracegauge.measure.burst import run_burst
from tracegauge.measure.checks import check_counts
from tracegauge.measure.instrumentation_code import instrumentation_statements
from tracegauge.measure.instruments import Destination, ExpectedCounts, Instrument, instrument_named
from tracegauge.measure.job import Answer, CallsOfInput, CountCalls, CreateStore, FilledStore, Job, MeasureCell, Refusal
from tracegauge.measure.matrix import workflow_name
from tracegauge.measure.probes.disk import disk_usage
from tracegauge.measure.probes.memory import peak_rss_bytes, reset_peak
from tracegauge.measure.slowdown import slowed_down
from tracegauge.results import Measurement, ReadCost, StoreCounts
from tracegauge.workflows import Workflow, count_calls, load_workflow

if TYPE_CHECKING:
    from tracegauge.measure.probes.store_counts import Stored

EXPERIMENT = "tracegauge"


def run_job(job: Job) -> Answer:
    """Do the job in this process, which does nothing else before or after."""
    try:
        match job:
            case CountCalls():
                return _count_calls(job)
            case CreateStore():
                return _create_store(job)
            case MeasureCell():
                return _measure_cell(job)
    except ConfigError as error:
        return Answer(refusal=Refusal.of(error))


def _load(workflow: MeasuredWorkflow) -> Workflow:
    return load_workflow(
        workflow.workflow, name=workflow_name(workflow), inputs=workflow.inputs, latency_ms=workflow.latency_ms
    )


def _count_calls(job: CountCalls) -> Answer:
    workflow = _load(job.workflow)
    counted = [count_calls(workflow, inputs) for inputs in workflow.inputs]
    return Answer(
        calls=tuple(
            CallsOfInput(
                node_calls=calls.node_calls,
                llm_calls=calls.llm_calls,
                tool_calls=calls.tool_calls,
                node_names=tuple(sorted(calls.by_node)),
            )
            for calls in counted
        )
    )


def _create_store(job: CreateStore) -> Answer:
    backend = backend_named(job.backend)
    os.environ.update(backend.environment)
    started = time.perf_counter_ns()
    backend.create(job.folder)
    return Answer(duration_ns=time.perf_counter_ns() - started)


def _measure_cell(job: MeasureCell) -> Answer:
    workflow = _load(job.workflow)
    instrument = instrument_named(job.cell.instrument)
    inputs = [workflow.inputs[i % len(workflow.inputs)] for i in range(job.invocations)]
    with contextlib.ExitStack() as stack:
        destination = _destination(job, stack)
        setup_started = time.perf_counter_ns()
        attached = stack.enter_context(instrument.attach(workflow, destination))
        setup_ns = time.perf_counter_ns() - setup_started
        invoke = slowed_down(attached.invoke, job.cell.slowdown) if job.cell.slowdown else attached.invoke
        for i in range(job.warmups):
            attached.invoke(workflow.inputs[i % len(workflow.inputs)])
        attached.flush()
        before = _stored(job, instrument, destination)
        disk_before = disk_usage(job.folder) if job.folder else None
        gc.collect()
        reset_peak()
        rss_before = peak_rss_bytes()
        cpu_before = time.process_time_ns()
        burst = run_burst(invoke, inputs, job.cell.concurrency)
        cpu_burst = time.process_time_ns()
        drain_started = time.perf_counter_ns()
        attached.flush()
        drain_ns = time.perf_counter_ns() - drain_started
        cpu_after = time.process_time_ns()
        rss_after = peak_rss_bytes()
        disk_after = disk_usage(job.folder) if job.folder else None
        if burst.error:
            return Answer(failures=(burst.error,))
        counts = _counts(job, instrument, destination, before)
    return Answer(
        measurement=Measurement(
            invocations=job.invocations,
            latency_ns=burst.latency_ns,
            wall_ns=burst.wall_ns,
            cpu_ns=cpu_after - cpu_before,
            cpu_request_ns=cpu_burst - cpu_before,
            drain_ns=drain_ns if destination else 0,
            bytes_allocated=disk_after.allocated - disk_before.allocated if disk_after and disk_before else None,
            bytes_apparent=disk_after.apparent - disk_before.apparent if disk_after and disk_before else None,
            rss_growth_bytes=max(0, rss_after - rss_before),
            counts=counts,
            reads=tuple(_reads(job, instrument, filled) for filled in job.filled),
            setup_ns=setup_ns,
            instrumentation_statements=instrumentation_statements(instrument),
        ),
        failures=tuple(check_counts(counts)) if counts else (),
    )


def _destination(job: MeasureCell, stack: contextlib.ExitStack) -> Destination | None:
    """Open the cell's store and give it an experiment whose artifacts stay in the store's folder."""
    if job.folder is None or job.cell.backend is None:
        return None
    backend = backend_named(job.cell.backend)
    os.environ.update(backend.environment)
    uri = backend.tracking_uri(job.folder)
    _client(uri).create_experiment(EXPERIMENT, artifact_location=(job.folder / "artifacts").as_uri())
    configured = stack.enter_context(backend.server())
    return Destination(
        tracking_uri=uri, experiment_name=EXPERIMENT, delivery=job.cell.delivery, configured_uri=configured
    )


def _client(tracking_uri: str) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri)


def _stored(job: MeasureCell, instrument: Instrument, destination: Destination | None) -> "Stored | None":
    """Count what the store holds; None where nothing is stored."""
    if destination is None:
        return None
    from tracegauge.measure.probes.store_counts import stored_runs, stored_traces

    client = _client(destination.tracking_uri)
    experiment_id = client.get_experiment_by_name(destination.experiment_name).experiment_id
    if instrument.writes == "runs":
        return stored_runs(client, experiment_id)
    return stored_traces(client, experiment_id, {name for calls in job.calls for name in calls.node_names})


def _counts(
    job: MeasureCell, instrument: Instrument, destination: Destination | None, before: "Stored | None"
) -> StoreCounts | None:
    after = _stored(job, instrument, destination)
    if after is None or before is None:
        return None
    stored = after - before
    expected = _expected(job, instrument)
    return StoreCounts(
        traces_made=job.invocations,
        traces_stored=stored.traces,
        spans_expected=expected.spans,
        spans_stored=stored.spans,
        node_spans_expected=expected.node_spans,
        node_spans_stored=stored.node_spans,
        llm_spans_expected=expected.llm_spans,
        llm_spans_stored=stored.llm_spans,
        tool_spans_expected=expected.tool_spans,
        tool_spans_stored=stored.tool_spans,
        orphan_spans=stored.orphan_spans,
    )


def _expected(job: MeasureCell, instrument: Instrument) -> ExpectedCounts:
    """Over all invocations; what the campaign declares goes before what is derived."""
    declared = job.expect or ExpectedSpans()
    per_input = [instrument.expected(calls) for calls in job.calls]
    cycled = [per_input[i % len(per_input)] for i in range(job.invocations)]
    derived_spans = [expected.spans for expected in cycled if expected.spans is not None]
    return ExpectedCounts(
        spans=declared.spans * job.invocations
        if declared.spans is not None
        else sum(derived_spans)
        if len(derived_spans) == len(cycled)
        else None,
        node_spans=_total(declared.node_spans, [expected.node_spans for expected in cycled]),
        llm_spans=_total(declared.llm_spans, [expected.llm_spans for expected in cycled]),
        tool_spans=_total(declared.tool_spans, [expected.tool_spans for expected in cycled]),
    )


def _total(declared: int | None, derived: Sequence[int]) -> int:
    return sum(derived) if declared is None else declared * len(derived)


def _reads(job: MeasureCell, instrument: Instrument, filled: FilledStore) -> ReadCost:
    from tracegauge.measure.probes.reads import read_cost

    if job.cell.backend is None or instrument.writes == "nothing":
        raise ValueError(f"{job.cell.id} has nothing to read")
    uri = backend_named(job.cell.backend).tracking_uri(filled.folder)
    return read_cost(uri, EXPERIMENT, instrument.writes, filled.traces, job.read_repetitions)
