"""Reads a whole file store, experiment by experiment, as rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tracegauge.stores.entities import Entity, SpanFile
from tracegauge.stores.errors import StoreError
from tracegauge.stores.filestore_models import read_logged_model, read_registered_model
from tracegauge.stores.filestore_runs import Experiment, read_dataset, read_experiment, read_run
from tracegauge.stores.filestore_traces import read_trace
from tracegauge.stores.reading import Reading
from tracegauge.stores.survey import ExperimentPlaces, Place, Survey


@dataclass(frozen=True)
class ReadPlace:
    """What was read from one folder; no entity if there is nothing in it that could be."""

    entity: Entity | None
    spans: SpanFile | None = None


def read_file_store(survey: Survey, reading: Reading) -> Iterator[ReadPlace]:
    """Read everything that was found, one folder at a time.

    Experiments come before what is in them, and registered models last: they lead to runs' artifacts.
    """
    # Experiments in the trash come last: where two claim one name or id, the active one keeps it.
    for places in sorted(survey.experiments, key=lambda experiment: experiment.in_trash):
        entity, experiment = read_experiment(places, reading)
        yield ReadPlace(entity)
        yield from _inside(places, experiment, reading)
    for place in survey.registered_models:
        yield _read(place, reading, partial(read_registered_model, place, reading))


def _inside(places: ExperimentPlaces, experiment: Experiment, reading: Reading) -> Iterator[ReadPlace]:
    for place in places.datasets:
        yield _read(place, reading, partial(read_dataset, place, experiment, reading))
    for place in places.runs:
        yield _read(place, reading, partial(read_run, place, experiment, reading))
    for place in places.logged_models:
        yield _read(place, reading, partial(read_logged_model, place, experiment, reading))
    for place in places.traces:
        yield _read(place, reading, partial(read_trace, place, experiment, reading))


def _read(
    place: Place, reading: Reading, read: Callable[[], Entity | tuple[Entity, SpanFile | None] | None]
) -> ReadPlace:
    """Read one folder; what is wrong with it in a way that nobody foresaw is a finding, and the others go on."""
    try:
        found = read()
    except StoreError:
        raise
    except Exception as error:
        reading.findings.skipped(place.kind, place.path, f"nothing can be made of it: {error!r}")
        return ReadPlace(None)
    return ReadPlace(*found) if isinstance(found, tuple) else ReadPlace(found)
