import pytest

from tracegauge.config.campaign import CellSelector
from tracegauge.config.errors import ConfigError
from tracegauge.gate.selectors import select_cell
from tracegauge.results import Cell

CELLS = [
    Cell(workflow=workflow, instrument=instrument, backend=backend, delivery="lossless", concurrency=k)
    for workflow in ("writer", "agent")
    for instrument in ("autolog", "manual_spans")
    for backend in ("file", "sqlite")
    for k in (1, 8)
]


def test_what_is_left_out_may_be_anything_if_one_cell_is_left():
    cell = select_cell(CellSelector(workflow="agent", instrument="autolog", backend="file", concurrency=8), CELLS, "x")
    assert cell.id == "agent-autolog-file-c8"
    assert select_cell(CellSelector(), CELLS[:1], "x") == CELLS[0]


def test_an_ambiguous_selector_says_what_to_add():
    selector = CellSelector(instrument="autolog", backend="sqlite")
    with pytest.raises(ConfigError) as error:
        select_cell(selector, CELLS, "criterion 'writes': candidate")
    assert "criterion 'writes': candidate (instrument: autolog, backend: sqlite) matches 4 cells" in str(error.value)
    assert "writer-autolog-sqlite-c1" in str(error.value)
    assert error.value.hint == "name its workflow and concurrency too"


def test_no_match_lists_the_cells_nearest_first():
    with pytest.raises(ConfigError) as error:
        select_cell(CellSelector(workflow="agent", instrument="manual_span", concurrency=8), CELLS, "x")
    assert "matches no cell" in str(error.value)
    assert error.value.hint.startswith("the cells are agent-manual_spans-file-c8, agent-manual_spans-sqlite-c8, ")
    assert error.value.hint.endswith("and 4 more, nearest first"), "twelve of sixteen are enough for one screen"
