"""Document search: ranks the documents of a folder by how well they match a query."""

import functools
import math
import re
from collections import Counter
from pathlib import Path
from typing import Annotated

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, Field

from tracegauge.config.errors import ConfigError

CORPUS = Path(__file__).parent / "corpus"
_K1, _B = 1.5, 0.75


class SearchInput(BaseModel):
    """What the search is given."""

    query: str = Field(description="Words to look for.")


def make_document_search(folder: str | None = None, results: Annotated[int, Field(ge=1)] = 3) -> BaseTool:
    """A tool that searches the `.txt` files of a folder; by default a small corpus that comes with tracegauge.

    Raises ConfigError for a folder without documents.
    """
    place = Path(folder) if folder else CORPUS
    if not any(place.glob("*.txt")):
        raise ConfigError(f"document_search: there are no .txt files in {place}", hint="name a folder with documents")
    return StructuredTool.from_function(
        func=lambda query: "\n\n".join(search(query, place, results)) or "Nothing matches.",
        name="document_search",
        description="Search a collection of short articles and return the best matching ones.",
        args_schema=SearchInput,
    )


def search(query: str, folder: Path, results: int) -> list[str]:
    """The best matching documents, best first, by BM25 (Robertson & Zaragoza 2009) with k1 = 1.5, b = 0.75."""
    documents = _documents(folder)
    average = sum(sum(counts.values()) for _, counts in documents) / len(documents)
    scored = [(_score(_words(query), counts, documents, average), text) for text, counts in documents]
    return [text for score, text in sorted(scored, key=lambda one: -one[0]) if score > 0][:results]


def _score(
    words: Counter[str], counts: Counter[str], documents: tuple[tuple[str, Counter[str]], ...], average: float
) -> float:
    total = 0.0
    length = sum(counts.values())
    for word in words:
        containing = sum(word in other for _, other in documents)
        weight = math.log(1 + (len(documents) - containing + 0.5) / (containing + 0.5))
        frequency = counts[word]
        total += weight * frequency * (_K1 + 1) / (frequency + _K1 * (1 - _B + _B * length / average))
    return total


@functools.cache
def _documents(folder: Path) -> tuple[tuple[str, Counter[str]], ...]:
    texts = [path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.txt"))]
    return tuple((text, _words(text)) for text in texts)


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[a-z0-9]+", text.lower()))
