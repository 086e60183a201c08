"""What all readers of a file store share, and how loose values become those of a database."""

import hashlib
import math
import os
from dataclasses import dataclass
from typing import Any

from tracegauge.stores.artifacts import Artifacts
from tracegauge.stores.findings import Findings
from tracegauge.stores.identities import Identities
from tracegauge.stores.small_files import LARGEST_INTEGER, MetricPoint, UnreadableFileError, read_yaml

LARGEST_FLOAT = 1.7976931348623157e308
"""What MLflow's SQL stores write for an infinite metric."""


@dataclass(frozen=True)
class Reading:
    """One reading of a file store."""

    root: str
    artifacts: Artifacts
    findings: Findings
    identities: Identities

    def meta(self, path: str, kind: str) -> dict[str, Any] | None:
        """Read a YAML file; None, and a finding, if it can't be used."""
        try:
            return read_yaml(path)
        except UnreadableFileError as error:
            self.findings.skipped(kind, path, str(error))
            return None

    def unique_id(self, kind: str, wanted: str, path: str) -> str:
        """The wanted id, or another if it is taken; that is a finding. The same for the same folder each time."""
        new = self.identities.entity_id(kind, wanted, os.path.relpath(path, self.root))
        if new != wanted:
            self.findings.changed(kind, path, f"another {kind} has the id {wanted}: this one is written as {new}")
        return new

    def milliseconds(self, meta: dict[str, Any], field: str, path: str) -> int | None:
        """A time in milliseconds; None, and a finding, for what is not a number."""
        value = meta.get(field)
        if value is None:
            return None
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            self.findings.changed("time", path, f"{field} is not a number: {value!r}")
            return None
        if abs(number) > LARGEST_INTEGER:
            self.findings.changed("time", path, f"{field} is too large a number: {number}")
            return None
        return number

    def finite(self, point: MetricPoint, path: str) -> tuple[float, bool]:
        """(value, is NaN) as MLflow's SQL stores keep a metric: NaN as 0, infinity as the largest number."""
        if math.isnan(point.value):
            return 0.0, True
        if math.isinf(point.value):
            written = math.copysign(LARGEST_FLOAT, point.value)
            self.findings.changed("metric point", path, f"{point.value} is written as {written}, as MLflow does")
            return written, False
        return point.value, False


def derived_id(*parts: str) -> str:
    """An id of 32 hexadecimal digits, the same for the same parts."""
    return hashlib.blake2b("\0".join(parts).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def text_or_none(value: Any) -> str | None:
    """YAML reads an unquoted number or date as such; names and descriptions are texts."""
    return None if value is None else str(value)
