"""Evidence from files: the verdicts of judges, and the labels beside them or in a file of their own."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Literal

from tracegauge.config.errors import ConfigError
from tracegauge.config.judge import JudgeSpec
from tracegauge.judging.evidence import ONLY_ORDER, Evidence
from tracegauge.judging.label_file import LabelFile, Row
from tracegauge.judging.scale import NotOnScaleError, Scale, scale_found, scale_of
from tracegauge.results.calibration import LabelSource
from tracegauge.results.judgement import Value, is_mock

Naming = Literal["answers", "positions"]
"""What A and B in a pairwise verdict are: the answers, whatever their order, or the first and the second shown."""
_SWAPPED = {"A>B": "B>A", "B>A": "A>B", "A=B": "A=B"}
_ONE_ANNOTATOR = "label"


def evidence_from_files(
    verdicts: LabelFile,
    labels: LabelFile | None = None,
    specs: Mapping[str, JudgeSpec] | None = None,
    *,
    positive: str | None = None,
    naming: Naming = "answers",
    label_source: LabelSource = "human",
) -> list[Evidence]:
    """Evidence of each judge that a file holds verdicts of.

    Of the judges in `specs`, what the values may be and which are good is known, and the digest, unless the file names
    another. Raises ConfigError with file and line for values that fit no scale, items that are there twice, labels that
    contradict each other, and labels of items that the verdict file doesn't know.
    """
    source = labels or verdicts
    for file, column in ((verdicts, "value"), (source, "label")):
        if column not in file.columns:
            hint = "labels may come from a file of their own: --labels" if column == "label" else None
            raise ConfigError(f"there is no column {column!r}", file.path, 1, hint=hint)
    by_judge: dict[str, list[Row]] = {}
    for row in verdicts.rows:
        by_judge.setdefault(row.judge or verdicts.path.stem, []).append(row)
    if labels is not None:
        _refuse_unknown_items(labels, {row.item for row in verdicts.rows}, str(verdicts.path))
    found = []
    for name, rows in by_judge.items():
        spec = (specs or {}).get(name)
        own_labels = labels.rows if labels else tuple(rows)
        raw = [one for row in rows for one in (row.value,)] + [row.label for row in own_labels]
        given = [value for value in raw if value is not None]
        if not given:
            raise ConfigError(f"judge {name!r} has neither verdicts nor labels", verdicts.path, rows[0].line)
        scale = scale_of(spec) if spec else scale_found(given, positive)
        digests = {row.digest for row in rows if row.digest}
        if len(digests) > 1:
            raise ConfigError(
                f"the verdicts of {name!r} are of several digests: {', '.join(sorted(digests))}", verdicts.path
            )
        found.append(
            Evidence(
                judge=name,
                digest=next(iter(digests), spec.digest if spec else None),
                scale=scale,
                labels=labels_by_item(source, own_labels, scale),
                verdicts=_verdicts_by_item(verdicts, rows, scale, naming),
                labels_from=str(source.path),
                verdicts_from=str(verdicts.path),
                label_source=label_source,
                mock=is_mock(name),
                minimum_kappa=spec.calibration.minimum_kappa if spec else None,
            )
        )
    return found


def labels_by_item(file: LabelFile, rows: Iterable[Row], scale: Scale) -> dict[str, dict[str, Value]]:
    """Labels by item, then by annotator.

    Raises ConfigError with the line of a value that is not on the scale, or that contradicts an earlier one.
    """
    labels: dict[str, dict[str, Value]] = {}
    lines: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.label is None:
            continue
        value = _on(scale, row.label, "label", file, row)
        name = row.annotator or _ONE_ANNOTATOR
        before = labels.setdefault(row.item, {}).setdefault(name, value)
        line = lines.setdefault((row.item, name), row.line)
        if before != value:
            raise ConfigError(
                f"{row.item!r} is labelled {value} here and {before} in line {line}",
                file.path,
                row.line,
                hint="labels of several people have their names in the column `annotator`",
            )
    return labels


def _verdicts_by_item(
    file: LabelFile, rows: Iterable[Row], scale: Scale, naming: Naming
) -> dict[str, dict[str, Value | None]]:
    verdicts: dict[str, dict[str, Value | None]] = {}
    lines: dict[tuple[str, str], tuple[int, Value | None]] = {}
    for row in rows:
        order = row.order or ONLY_ORDER
        if order and scale.kind != "pairwise":
            raise ConfigError("`order` goes with pairwise verdicts, which are A>B, B>A or A=B", file.path, row.line)
        line, before = lines.setdefault((row.item, order), (row.line, row.value))
        if line != row.line and (row.annotator is None or before != row.value):
            raise ConfigError(
                f"{row.item!r} is judged twice{f' in order {order}' if order else ''}, first in line {line}",
                file.path,
                row.line,
                hint="repeated verdicts are for `tracegauge judge audit`",
            )
        value = None if row.value is None else _on(scale, row.value, "value", file, row)
        if naming == "positions" and order == "BA" and value is not None:
            value = _SWAPPED[str(value)]
        verdicts.setdefault(row.item, {})[order] = value
    return verdicts


def _on(scale: Scale, raw: Value, column: str, file: LabelFile, row: Row) -> Value:
    try:
        return scale.parse(raw)
    except NotOnScaleError as error:
        raise ConfigError(f"{column} {error}", file.path, row.line) from None


def _refuse_unknown_items(labels: LabelFile, items: set[str], where: str) -> None:
    refuse_unknown_items(labels, items, f"there is no item {{!r}} in {where}")


def refuse_unknown_items(labels: LabelFile, items: set[str], message: str) -> None:
    """Raise ConfigError with the first lines that label an item that nobody knows; `message` has a place for it."""
    unknown = [row for row in labels.rows if row.item not in items]
    if unknown:
        first, *others = [
            ConfigError(message.format(row.item), labels.path, row.line, hint=_close(row.item, items))
            for row in unknown[:5]
        ]
        if len(unknown) > 5:
            others.append(ConfigError(f"and {len(unknown) - 5} more lines", labels.path))
        raise ConfigError(first.message, first.file, first.line, hint=first.hint, others=others)


def _close(item: str, items: set[str]) -> str | None:
    close = difflib.get_close_matches(item, items, n=1, cutoff=0.8)
    return f"did you mean {close[0]!r}?" if close else None
