import pytest

from tracegauge.config.campaign import CellSelector, Matrix, MeasuredWorkflow
from tracegauge.config.errors import ConfigError
from tracegauge.measure.matrix import build_cells, workflow_name


def matrix(**changes):
    values = {"workflows": (MeasuredWorkflow(workflow="examples/article_writer_sqlite.yaml", name="writer"),)}
    return Matrix(**(values | changes))


def ids(of):
    return [cell.id for cell in build_cells(of)]


def test_off_has_no_backend_and_runs_have_no_delivery():
    # off once; legacy_runs on 2 backends; manual_spans and autolog on 2 backends × 2 deliveries: 1 + 2 + 4 + 4.
    assert ids(matrix(deliveries=("lossless", "sync"))) == [
        "writer-off-c1",
        "writer-legacy_runs-file-c1",
        "writer-legacy_runs-sqlite-c1",
        "writer-manual_spans-file-c1",
        "writer-manual_spans-file-sync-c1",
        "writer-manual_spans-sqlite-c1",
        "writer-manual_spans-sqlite-sync-c1",
        "writer-autolog-file-c1",
        "writer-autolog-file-sync-c1",
        "writer-autolog-sqlite-c1",
        "writer-autolog-sqlite-sync-c1",
    ]


def test_concurrency_multiplies_off_too():
    assert ids(matrix(instruments=("off",), concurrency=(1, 8))) == ["writer-off-c1", "writer-off-c8"]


def test_a_value_given_twice_makes_one_cell():
    assert ids(matrix(instruments=("off", "off"))) == ["writer-off-c1"]


def test_excluded_cells_are_left_out():
    left = ids(matrix(instruments=("off", "autolog"), exclude=(CellSelector(backend="file"),)))
    assert left == ["writer-off-c1", "writer-autolog-sqlite-c1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instruments": ("autlog",)}, "autolog"),
        ({"backends": ("sqllite",)}, "sqlite"),
        ({"exclude": (CellSelector(concurrency=3),)}, "matches no cell"),
        ({"exclude": (CellSelector(),)}, "no cells left"),
        (
            {"workflows": (MeasuredWorkflow(workflow="a/flow.yaml"), MeasuredWorkflow(workflow="b/flow.yaml"))},
            "2 workflows of the campaign are called 'flow'",
        ),
    ],
)
def test_a_matrix_that_makes_no_sense_says_what_would(changes, message):
    with pytest.raises(ConfigError, match=message):
        build_cells(matrix(**changes))


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("examples/article_writer_sqlite.yaml", "article_writer_sqlite"),
        ("app/langgraph.json", "app"),
        ("app/langgraph.json#agent", "agent"),
        ("package.module:graph", "graph"),
        ("./folder/agent.py:make_graph", "make_graph"),
    ],
)
def test_a_workflow_without_a_name_is_called_after_what_it_is(reference, name):
    assert workflow_name(MeasuredWorkflow(workflow=reference)) == name


def test_a_graph_of_the_current_folder_is_called_after_the_folder(tmp_path, monkeypatch):
    (tmp_path / "letters").mkdir()
    monkeypatch.chdir(tmp_path / "letters")
    for reference in ("langgraph.json", "./langgraph.json"):
        assert workflow_name(MeasuredWorkflow(workflow=reference)) == "letters"
