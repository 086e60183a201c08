"""Makes one site of `docs/` and the repository's own pages, without a copy of any.

README.md becomes the front page, CONTRIBUTING.md and CHANGELOG.md become pages. What pages link to elsewhere in the
repository (a picture, a source file) is carried along, so that the same link works in the repository and on the site.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
"""Pages of the repository by their place on the site."""
CARRIED = "repository"
"""Folder of the site for files that are linked to and stand outside of `docs/`."""

_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s#]+)")
_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def on_files(files: Files, *, config: Any) -> Files:
    """Add the repository's own pages."""
    repository = Path(config.docs_dir).parent
    for name, place in PAGES.items():
        files.append(File.generated(config, place, abs_src_path=str(repository / name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: Any, files: Files) -> str:
    """Turn links within the repository into links within the site; code blocks are left as they are."""
    source = Path(page.file.abs_src_path or config.docs_dir)
    repository = Path(config.docs_dir).parent

    def site_link(match: re.Match[str]) -> str:
        before, link = match.groups()
        target = (source.parent / link).resolve()
        if "://" in link or not target.exists() or not target.is_relative_to(repository):
            return match[0]
        place = _place(target, repository, config, files)
        return before + (place if page.file.src_uri == "index.md" else _relative(place, page.file.src_uri))

    parts, end = [], 0
    for code in _CODE.finditer(markdown):
        parts += [_LINK.sub(site_link, markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, _LINK.sub(site_link, markdown[end:])])


def _place(target: Path, repository: Path, config: Any, files: Files) -> str:
    """Where a file of the repository is on the site; a folder is its first file."""
    if target.is_dir():
        target = sorted(path for path in target.iterdir() if path.is_file())[0]
    name = target.relative_to(repository).as_posix()
    if name in PAGES:
        return PAGES[name]
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    place = f"{CARRIED}/{name}" + (".txt" if target.suffix in {".md", ".py", ".yaml"} else "")
    if files.get_file_from_path(place) is None:
        content = target.read_bytes()
        files.append(File.generated(config, place, content=content))
    return place


def _relative(place: str, page: str) -> str:
    return "../" * page.count("/") + place
