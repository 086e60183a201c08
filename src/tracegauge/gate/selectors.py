"""Finding the one cell of a matrix that a selector names."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from tracegauge.config.campaign import CellSelector
from tracegauge.config.errors import ConfigError
from tracegauge.results import Cell

MOST_CELLS_SHOWN = 12


def select_cell(selector: CellSelector, cells: Sequence[Cell], whose: str) -> Cell:
    """The only cell that matches; `whose` says for messages who asks, e.g. "criterion 'reads': baseline".

    Raises ConfigError where no cell matches, or several do; it lists the cells that exist, nearest first.
    """
    matching = [cell for cell in cells if selector.matches(cell)]
    if len(matching) == 1:
        return matching[0]
    wanted = selector.model_dump(exclude_none=True)
    asked = ", ".join(f"{field}: {value}" for field, value in wanted.items()) or "an empty selector"
    if not matching:
        nearest = sorted(cells, key=lambda cell: -_likeness(wanted, cell))
        raise ConfigError(
            f"{whose} ({asked}) matches no cell of the matrix", hint=f"the cells are {_list(nearest)}, nearest first"
        )
    differing = [field for field in Cell.model_fields if len({getattr(cell, field) for cell in matching}) > 1]
    raise ConfigError(
        f"{whose} ({asked}) matches {len(matching)} cells: {_list(matching)}",
        hint=f"name its {' and '.join(differing)} too",
    )


def _likeness(wanted: dict[str, object], cell: Cell) -> float:
    """How well a cell fits: 1 for each field that fits, and a part of it for one that is spelt alike."""
    return sum(SequenceMatcher(None, str(value), str(getattr(cell, field))).ratio() for field, value in wanted.items())


def _list(cells: Sequence[Cell]) -> str:
    shown = ", ".join(cell.id for cell in cells[:MOST_CELLS_SHOWN])
    left = len(cells) - MOST_CELLS_SHOWN
    return f"{shown} and {left} more" if left > 0 else shown
