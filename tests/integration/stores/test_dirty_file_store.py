"""Dirt in a file store: what can be migrated is, and everything else is listed with path and reason."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tracegauge.stores.migrate import migrate_file_store


@dataclass(frozen=True)
class Variant:
    """One kind of dirt, and what becomes of it."""

    name: str
    arrives: str
    """What is in the target, in words for the guide."""
    spoil: Callable[[Path], Path]
    """Makes the dirt in a store and returns the file or folder that it is in."""
    action: str
    kind: str
    reason: str
    """Part of the finding's reason."""
    lost: dict[str, int]
    """How many fewer of each kind arrive than without the dirt."""
    count: int = 1


def workflow(store: Path) -> Path:
    """The folder of the run called workflow."""
    (tag,) = [path for path in store.glob("*/*/tags/mlflow.runName") if path.read_text() == "workflow"]
    return tag.parents[1]


def trace(store: Path) -> Path:
    """The folder of the trace with assessments."""
    (folder,) = store.glob("*/traces/*/assessments")
    return folder.parent


def written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def appended(path: Path, content: bytes) -> Path:
    return written(path, path.read_bytes() + content)


def removed(path: Path) -> Path:
    path.unlink()
    return path


def repeated_lines(store: Path) -> Path:
    path = workflow(store) / "metrics" / "loss"
    lines = path.read_bytes().splitlines(keepends=True)
    return written(path, b"".join(lines + lines[:3]))


def copied_run(store: Path) -> Path:
    run = workflow(store)
    # Read after the run itself, whose name is hexadecimal: the second to come takes another id.
    return shutil.copytree(run, run.with_name("the copy of a run"))


def second_experiment(store: Path) -> Path:
    old = workflow(store).parent
    new = old.with_name("999000111222333444")
    new.mkdir()
    text = (old / "meta.yaml").read_text().replace(old.name, "999000111222333444")
    return written(new / "meta.yaml", text.encode()).parent


def moved_to_other_experiment(store: Path) -> Path:
    run = workflow(store)
    return Path(shutil.move(run, store / "0" / run.name))


def renamed_experiment(store: Path) -> Path:
    folder = workflow(store).parent
    return folder.rename(folder.with_name("my-experiment"))


def broken_link(store: Path) -> Path:
    path = workflow(store) / "artifacts" / "model.bin"
    path.symlink_to("/nonexistent/model.bin")
    return path


def pipe(store: Path) -> Path:
    path = workflow(store) / "artifacts" / "pipe"
    os.mkfifo(path)
    return path


VARIANTS = [
    Variant(
        "duplicate metric lines", "each point once", repeated_lines, "changed", "metric line", "exact duplicates", {}, 3
    ),
    Variant(
        "truncated metric line",
        "all other points",
        lambda store: appended(workflow(store) / "metrics" / "loss", b"17000000"),
        "skipped",
        "metric line",
        "not `timestamp value step`",
        {},
    ),
    Variant(
        "metric lines run into one another",
        "all other points",
        lambda store: appended(workflow(store) / "metrics" / "loss", b"17000000000001700000000009 0.5 1\n"),
        "skipped",
        "metric line",
        "not `timestamp value step`",
        {},
    ),
    Variant(
        "metric line without its end",
        "the point, as the line reads",
        lambda store: appended(workflow(store) / "metrics" / "loss", b"1700000000009 0.5 1"),
        "noted",
        "metric line",
        "may be cut short",
        {"metric points": -1},
    ),
    Variant(
        "empty metric file",
        "all other metrics",
        lambda store: written(workflow(store) / "metrics" / "loss", b""),
        "skipped",
        "metric",
        "empty",
        {"metric points": 5},
    ),
    Variant(
        "infinite metric",
        "the largest number, as MLflow itself writes it",
        lambda store: written(workflow(store) / "metrics" / "worst", b"1700000000000 -inf 0\n"),
        "changed",
        "metric point",
        "-inf is written as -1.7976931348623157e+308",
        {"metric points": -1},
    ),
    Variant(
        "tag that is not UTF-8",
        "the tag, with such bytes as `\\xNN`",
        lambda store: written(workflow(store) / "tags" / "team", b"Z\xfcrich"),
        "changed",
        "tag",
        "not UTF-8 at byte 1",
        {},
    ),
    Variant(
        "param name that is not UTF-8",
        "the param, with such bytes of its name as `\\xNN`",
        lambda store: written(Path(os.fsdecode(os.fsencode(workflow(store)) + b"/params/stra\xdfe")), b"1"),
        "changed",
        "param",
        "its name is not UTF-8",
        {"params": -1},
    ),
    Variant(
        "metric file that is not text",
        "all other metrics",
        lambda store: written(workflow(store) / "metrics" / "loss", b"\x80\x81 \xff\n"),
        "skipped",
        "metric line",
        "not `timestamp value step`",
        {"metric points": 5},
    ),
    Variant(
        "empty meta.yaml of a run",
        "the run with everything else, tagged `tracegauge.salvaged`",
        lambda store: written(workflow(store) / "meta.yaml", b""),
        "changed",
        "run",
        "the file is empty; written as KILLED",
        {},
    ),
    Variant(
        "truncated meta.yaml of a run",
        "the run with everything else, tagged `tracegauge.salvaged`",
        lambda store: written(workflow(store) / "meta.yaml", b"artifact_uri: 'file:///tm"),
        "changed",
        "run",
        "not valid YAML",
        {},
    ),
    Variant(
        "meta.yaml of a run is no mapping",
        "the run with everything else, tagged `tracegauge.salvaged`",
        lambda store: written(workflow(store) / "meta.yaml", b"- a\n- b\n"),
        "changed",
        "run",
        "holds no mapping",
        {},
    ),
    Variant(
        "missing meta.yaml of a run",
        "the run with everything else, tagged `tracegauge.salvaged`",
        lambda store: removed(workflow(store) / "meta.yaml"),
        "changed",
        "run",
        "",
        {},
    ),
    Variant(
        "unknown status",
        "the run, as KILLED",
        lambda store: appended(workflow(store) / "meta.yaml", b"status: 99\n"),
        "changed",
        "run",
        "its status 99",
        {},
    ),
    Variant(
        "time that is no number",
        "the run, without that time",
        lambda store: appended(workflow(store) / "meta.yaml", b"end_time: yesterday\n"),
        "changed",
        "time",
        "end_time is not a number",
        {},
    ),
    Variant(
        "orphan runs: no meta.yaml of their experiment",
        "the runs, in an experiment `recovered <id>`",
        lambda store: removed(workflow(store).parent / "meta.yaml"),
        "changed",
        "experiment",
        "so that its runs arrive",
        {},
    ),
    Variant(
        "corrupt meta.yaml of an experiment",
        "the runs, in an experiment `recovered <id>`",
        lambda store: written(workflow(store).parent / "meta.yaml", b"name: [unclosed"),
        "changed",
        "experiment",
        "not valid YAML",
        {},
    ),
    Variant(
        "duplicate run id",
        "both runs, one under another id, tagged `tracegauge.original_id`",
        copied_run,
        "changed",
        "run",
        "another run has the id",
        {"runs": -1, "params": -4, "metric points": -7},
    ),
    Variant(
        "duplicate experiment name",
        "both experiments, one as `<name> (<id>)`",
        second_experiment,
        "changed",
        "experiment",
        "another experiment is called",
        {"experiments": -1},
    ),
    Variant(
        "run in the wrong experiment",
        "the run, in the experiment of its folder",
        moved_to_other_experiment,
        "changed",
        "run",
        "stays in this one",
        {},
    ),
    Variant(
        "experiment folder that is no number",
        "the experiment under another id, with its runs",
        renamed_experiment,
        "changed",
        "experiment",
        "written with the id",
        {},
    ),
    Variant(
        "dataset that is gone",
        "the run without that input",
        lambda store: written(
            workflow(store) / "inputs" / "x" / "meta.yaml",
            b"source_type: DATASET\nsource_id: gone\ndestination_type: RUN\ndestination_id: gone\ntags: {}\n",
        ),
        "skipped",
        "run input",
        "there is no dataset gone",
        {},
    ),
    Variant(
        "trace without spans",
        "the trace without spans",
        lambda store: removed(trace(store) / "artifacts" / "traces.json"),
        "noted",
        "trace",
        "no spans",
        {"spans": 1},
    ),
    Variant(
        "truncated traces.json",
        "the trace without spans, and the file as it is",
        lambda store: written(trace(store) / "artifacts" / "traces.json", b'{"spans": [{"trace'),
        "skipped",
        "spans of a trace",
        "not valid JSON",
        {"spans": 1},
    ),
    Variant(
        "traces.json that is not UTF-8",
        "the trace without spans, and the file as it is",
        lambda store: written(trace(store) / "artifacts" / "traces.json", b'{"spans": "\xff\xfe"}'),
        "skipped",
        "spans of a trace",
        "not UTF-8",
        {"spans": 1},
    ),
    Variant(
        "empty trace_info.yaml",
        "the trace, with times and status of its root span",
        lambda store: written(trace(store) / "trace_info.yaml", b""),
        "changed",
        "trace",
        "those of its root span",
        {},
    ),
    Variant(
        "corrupt assessment",
        "the trace with its other assessments",
        lambda store: written(next(trace(store).glob("assessments/*.yaml")), b"feedback: {"),
        "skipped",
        "assessment",
        "not valid YAML",
        {"assessments": 1},
    ),
    Variant(
        "empty assessment",
        "the trace with its other assessments",
        lambda store: written(next(trace(store).glob("assessments/*.yaml")), b"name: x"),
        "skipped",
        "assessment",
        "MLflow can't make one of it",
        {"assessments": 1},
    ),
    Variant(
        "corrupt registered model",
        "all other registered models",
        lambda store: written(store / "models" / "router" / "meta.yaml", b""),
        "skipped",
        "registered model",
        "empty",
        {"registered models": 1, "model versions": 1},
    ),
    Variant(
        "alias of a version that is gone",
        "the model with its other aliases",
        lambda store: written(store / "models" / "router" / "aliases" / "old", b"9"),
        "skipped",
        "alias",
        "no version 9",
        {},
    ),
    Variant(
        "artifact that is a broken link", "all other artifacts", broken_link, "skipped", "artifact", "leads nowhere", {}
    ),
    Variant("artifact that is a pipe", "all other artifacts", pipe, "skipped", "artifact", "not a regular file", {}),
    Variant(
        "litter of a file manager",
        "everything else",
        lambda store: written(workflow(store) / "tags" / ".DS_Store", b"\x00\x05"),
        "skipped",
        "litter",
        "file manager",
        {},
    ),
    Variant(
        "stray file",
        "everything else",
        lambda store: written(store / "notes.txt", b"x"),
        "skipped",
        "file",
        "not part of a file store",
        {},
    ),
    Variant(
        "stray file among traces",
        "everything else",
        lambda store: written(trace(store).parent / "notes.txt", b"x"),
        "skipped",
        "file",
        "not part of a trace",
        {},
    ),
    Variant(
        "stray folder",
        "everything else",
        lambda store: written(store / "backup" / "notes.txt", b"x").parent,
        "skipped",
        "folder",
        "no experiment",
        {},
    ),
]


GUIDE = Path(__file__).parents[3] / "docs" / "MLFLOW_MIGRATION.md"


def guide_table() -> str:
    """The guide's table of dirt."""
    rows = [
        ("in the source", "in the target", "in the report"),
        ("---",) * 3,
        *((one.name, one.arrives, f"{one.action}: {one.kind}") for one in VARIANTS),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def test_the_guide_lists_the_dirt():
    """If this fails, put the table that it shows into the guide."""
    assert guide_table() in GUIDE.read_text(), guide_table()


@pytest.fixture(scope="module")
def clean(written_now, tmp_path_factory):
    return migrate_file_store(str(written_now), f"sqlite:///{tmp_path_factory.mktemp('clean')}/mlflow.db")


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_dirt_is_handled_and_reported(variant, written_now, clean, tmp_path):
    store = tmp_path / "mlruns"
    shutil.copytree(written_now, store)
    place = variant.spoil(store)
    report = migrate_file_store(str(store), f"sqlite:///{tmp_path}/out/mlflow.db")
    shown = os.fsencode(place).decode(errors="backslashreplace")
    findings = [one for one in report.findings if one.kind == variant.kind and shown in one.path]
    assert [(one.action, one.count) for one in findings] == [(variant.action, variant.count)], report.findings
    assert variant.reason in findings[0].reason
    kinds = clean.migrated.keys() | report.migrated.keys()
    lost = {kind: clean.migrated.get(kind, 0) - report.migrated.get(kind, 0) for kind in kinds}
    # Our own tags come on top: a salvaged run says so in one.
    assert {kind: number for kind, number in lost.items() if number and kind != "tags"} == variant.lost
    # MLflow opens it and finds every run.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    opened = SqlAlchemyStore(f"sqlite:///{tmp_path}/out/mlflow.db", str(tmp_path))
    experiments = [one.experiment_id for one in opened.search_experiments(3)]
    assert len(opened.search_runs(experiments, "", 3, 1000)) == report.migrated["runs"]
    assert len(opened.search_traces(locations=experiments)[0]) == report.migrated["traces"]
    opened.engine.dispose()


def test_a_salvaged_run_keeps_what_was_there(written_now, read_store, tmp_path):
    store = tmp_path / "mlruns"
    shutil.copytree(written_now, store)
    run = workflow(store)
    whole = read_store(str(store))["runs"][run.name]
    (run / "meta.yaml").write_bytes(b"")
    migrate_file_store(str(store), f"sqlite:///{tmp_path}/mlflow.db")
    there = read_store(f"sqlite:///{tmp_path}/mlflow.db")["runs"][run.name]
    assert there["tags"].pop("tracegauge.salvaged") == "meta.yaml: the file is empty"
    assert (there["status"], there["times"]) == ("KILLED", (1_700_000_000_000, 1_700_000_000_004))
    for kept in ("name", "params", "tags", "metrics", "artifacts"):
        assert there[kept] == whole[kept]


def test_values_of_wrong_types(written_now, clean, tmp_path):
    store = tmp_path / "mlruns"
    shutil.copytree(written_now, store)
    run, assessments = workflow(store), trace(store) / "assessments"
    model_input = written(run / "inputs" / "one" / "meta.yaml", b"")
    spoiled = {
        run.parent / "meta.yaml": b"artifact_location: [1]\ncreation_time: .inf\n",
        run / "meta.yaml": b"end_time: 99999999999999999999\n",
        model_input: b"source_id: m-1\nsource_type: MODEL\ntags: [context]\n",
        min(assessments.glob("*.yaml")): b"assessment_id: [1, {a: 2}]\n",
        min(store.glob("models/*/version-*/meta.yaml")): b"version: .inf\n",
    }
    for path, lines in spoiled.items():
        appended(path, lines)  # of a key that is there twice, YAML takes the last
    report = migrate_file_store(str(store), f"sqlite:///{tmp_path}/mlflow.db")
    assert report.verified
    assert {(one.action, one.kind) for one in report.findings} >= {
        ("changed", "time"),
        ("skipped", "tags of a run input"),
        ("skipped", "model version"),
    }
    for kind in ("experiments", "runs", "traces", "spans", "assessments"):
        assert report.migrated[kind] == clean.migrated[kind], kind


def test_dirt_of_many_kinds_at_once(written_now, tmp_path):
    store = tmp_path / "mlruns"
    shutil.copytree(written_now, store)
    together = [one for one in VARIANTS if one.name in ("infinite metric", "stray file", "corrupt assessment")]
    for variant in together:
        variant.spoil(store)
    report = migrate_file_store(str(store), f"sqlite:///{tmp_path}/mlflow.db")
    assert {one.kind for one in report.findings} == {one.kind for one in together}
    assert "2 skipped, 1 changed, 0 noted" in report.summary()
