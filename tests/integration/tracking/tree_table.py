"""`python tree_table.py RESULTS`: the Markdown table of what the tests of trees have found, to standard output.

RESULTS is what test_tree_correctness.py leaves in the file that TRACEGAUGE_TREE_TABLE names, run once for each pair of
versions: a line of JSON for each combination.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HEAD = """# Trees of spans

<!-- Made by `make tree-table`. Don't edit it. -->

Does each invocation give exactly one trace, with one root, no orphan, and every span below the one that caused it?
For each shape of graph, called synchronously and asynchronously, with each instrument, on the oldest and the newest
MLflow that tracegauge is tested with. A cell says how many of how many combinations are right: of ways to drive the
graph ({drives}) and of spans of the user's own in its nodes ({user_spans}).

"""


def render(results: Iterable[Mapping[str, Any]]) -> str:
    """The document. Of a combination that was tried several times, the last one counts."""
    latest = {tuple(value for key, value in row.items() if key != "problems"): row for row in results}
    rows = list(latest.values())
    columns = sorted({_column(row) for row in rows}, key=lambda column: (column[1:], column[0]))
    tried: Counter[tuple[Any, ...]] = Counter()
    right: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        cell = (*_line(row), *_column(row))
        tried[cell] += 1
        right[cell] += not row["problems"]
    titles = [f"{instrument}, MLflow {mlflow}, LangGraph {langgraph}" for instrument, mlflow, langgraph in columns]
    lines = [["shape", "called", *titles], ["---"] * (2 + len(titles))]
    for line in dict.fromkeys(map(_line, rows)):
        cells = [f"{right[*line, *column]} of {tried[*line, *column]}" for column in columns]
        lines.append([line[0].replace("_", " "), line[1], *cells])
    head = HEAD.format(drives=_named(rows, "how"), user_spans=_named(rows, "user_spans"))
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    wrong = "".join(f"- {_problem(row)}\n" for row in rows if row["problems"])
    return f"{head}{table}\nIn all, {right.total()} of {tried.total()} are right.\n{wrong}"


def _problem(row: Mapping[str, Any]) -> str:
    where = f"{row['shape']}, {row['how']}, {row['instrument']}, user spans {row['user_spans']}, MLflow {row['mlflow']}"
    return f"{where}: {'; '.join(row['problems'])}"


def _line(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["shape"], "async" if row["asynchronous"] else "sync"


def _column(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["instrument"], row["mlflow"], row["langgraph"]


def _named(rows: Iterable[Mapping[str, Any]], key: str) -> str:
    return ", ".join(dict.fromkeys(f"`{row[key]}`" if row[key] != "none" else "none" for row in rows))


if __name__ == "__main__":
    print(render(json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()), end="")
