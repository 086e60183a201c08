"""All pages of what MLflow gives page by page."""

from collections.abc import Callable, Iterator
from typing import Any


def all_pages(search: Callable[[str | None], Any]) -> Iterator[Any]:
    """Yield everything; `search` gets a page's token, None for the first, and returns a PagedList or (items, token)."""
    token = None
    while True:
        page = search(token)
        items, token = page if isinstance(page, tuple) else (page, page.token)
        yield from items
        if not token:
            return
