"""Ids and names that are unique in the target, and the map from those of the source that had to change."""

import hashlib
from dataclasses import dataclass, field

LARGEST_ID = 2**63 - 1


@dataclass
class Identities:
    """Hands out ids and experiment names so that none is used twice."""

    _names: set[str] = field(default_factory=set)
    _taken: set[int] = field(default_factory=set)
    _used: set[tuple[str, str]] = field(default_factory=set)

    def experiment_id(self, folder: str) -> int:
        """The id of an experiment: its folder's name where that is a number and still free, else a derived one.

        Call once per folder.
        """
        new = int(folder) if folder.isdigit() and int(folder) <= LARGEST_ID else None
        attempt = 0
        while new is None or new in self._taken:
            # 15 digits: readable, and out of the way of the small ids that a database gives.
            new = int.from_bytes(_digest(f"{folder} {attempt}")[:8]) % 10**15
            attempt += 1
        self._taken.add(new)
        return new

    def experiment_name(self, name: str, experiment_id: int) -> str:
        """The name itself, or with the id behind it if another experiment has it already."""
        unique = name if name not in self._names else f"{name} ({experiment_id})"
        self._names.add(unique)
        return unique

    def entity_id(self, kind: str, wanted: str, path: str) -> str:
        """The id itself, or one derived from the path if another of the kind has it: the same each time."""
        new = wanted if (kind, wanted) not in self._used else _digest(path).hex()[:32]
        self._used.add((kind, new))
        return new


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=32).digest()
