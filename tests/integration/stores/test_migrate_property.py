"""Any store that MLflow's API can write reads the same after it was migrated."""

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.entities import Metric, Param, RunTag
from mlflow.store.tracking.file_store import FileStore

from tracegauge.stores.migrate import migrate_file_store

# What MLflow takes as a key, and what a file system takes as the name of a file for it.
KEYS = st.text("abcXYZ019_-. /", min_size=1, max_size=12).filter(
    lambda key: key == key.strip("/ .") and "//" not in key and "/." not in key and "./" not in key and ".." not in key
)
# Texts without surrogates, which are no UTF-8, and without the zero character, which MLflow's own store can't compare.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TIMES = st.integers(0, 2**41)
POINTS = st.tuples(KEYS, st.floats(allow_infinity=False), TIMES, st.integers(-(2**31), 2**31))


def unambiguous(pairs: dict[str, str]) -> dict[str, str]:
    """Without keys that are a folder of another: a file store can't keep both."""
    return {key: pairs[key] for key in pairs if not any(other.startswith(f"{key}/") for other in pairs)}


PAIRS = st.dictionaries(KEYS, TEXTS, max_size=4).map(unambiguous)
RUNS = st.fixed_dictionaries(
    {
        "name": st.text("abc ÄÖ数", min_size=1, max_size=8),
        "params": PAIRS,
        "tags": PAIRS,
        "points": st.lists(POINTS, max_size=8),
        "status": st.sampled_from([None, 3, 4, 5]),
        "nested": st.booleans(),
        "deleted": st.booleans(),
    }
)
STORES = st.lists(
    st.fixed_dictionaries({"tags": PAIRS, "deleted": st.booleans(), "runs": st.lists(RUNS, max_size=4)}), max_size=3
)


def write(folder: Path, experiments: list[dict]) -> None:
    store = FileStore(str(folder))
    for number, wanted in enumerate(experiments):
        from mlflow.entities import ExperimentTag

        tags = [ExperimentTag(key, value) for key, value in wanted["tags"].items()]
        experiment = store.create_experiment(f"experiment {number}", tags=tags)
        parent = None
        for run in wanted["runs"]:
            tags = [RunTag("mlflow.parentRunId", parent)] if run["nested"] and parent else []
            run_id = store.create_run(experiment, "me", 1_700_000_000_000, tags, run["name"]).info.run_id
            points = unambiguous({key: "" for key, *_ in run["points"]})
            metrics = [Metric(*point) for point in run["points"] if point[0] in points]
            store.log_batch(
                run_id,
                metrics,
                [Param(*pair) for pair in run["params"].items()],
                [RunTag(*pair) for pair in run["tags"].items()],
            )
            if run["status"] is not None:
                store.update_run_info(run_id, run["status"], 1_700_000_001_000, None)
            if run["deleted"]:
                store.delete_run(run_id)
            parent = run_id
        if wanted["deleted"]:
            store.delete_experiment(experiment)


def once(snapshot: dict) -> dict:
    """As a database has it: each point once, the last of a metric by step, time and value; NaN counts as 0."""
    for run in snapshot["runs"].values():
        run["metrics"] = {key: sorted(set(points)) for key, points in run["metrics"].items()}
        run["latest"] = {
            key: max(points, key=lambda point: (point[0], point[1], number(point[2])))[2]
            for key, points in run["metrics"].items()
        }
        run["artifacts"] = {}
    return snapshot


def number(text: str) -> float:
    return 0.0 if math.isnan(float(text)) else float(text)


@pytest.mark.slow
@given(experiments=STORES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_random_store_reads_the_same(experiments, read_store):
    with tempfile.TemporaryDirectory(prefix="tracegauge-property-") as name:
        folder = Path(name)
        write(folder / "mlruns", experiments)
        source = once(read_store(str(folder / "mlruns")))
        report = migrate_file_store(str(folder / "mlruns"), f"sqlite:///{folder}/mlflow.db")
        assert once(read_store(f"sqlite:///{folder}/mlflow.db")) == source
        assert report.totals()["skipped"] == 0
