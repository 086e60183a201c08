"""The documentation site builds strictly, from the pages as they are in the repository, and fetches nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


def build(folder, *, docs=None):
    source = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    config = folder / "mkdocs.yml"
    root = docs or REPOSITORY
    config.write_text(source.replace("docs_dir: docs", f"docs_dir: {root / 'docs'}").replace(
        "docs/site/hooks.py", str(REPOSITORY / "docs" / "site" / "hooks.py")))  # fmt: skip
    command = [sys.executable, "-m", "mkdocs", "build", "-f", str(config), "-d", str(folder / "site")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder / "site"


def test_every_page_is_there_and_links_to_files_of_the_repository_work(site):
    pages = {path.stem for path in (REPOSITORY / "docs").glob("*.md")} | {"CONTRIBUTING", "CHANGELOG"}
    assert all((site / page / "index.html").is_file() for page in pages)
    front = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="quickstart/"' in front
    pictures = re.findall(r'<img [^>]*src="([^"]+)"', front)
    assert pictures
    assert all((site / picture).is_file() for picture in pictures)
    assert (site / "repository" / "src" / "tracegauge" / "measure" / "instruments" / "autolog.py.txt").is_file()


def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="https?:', text), page
        assert "fonts.googleapis" not in text


def test_a_link_that_leads_nowhere_fails(tmp_path):
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        (tmp_path / name).write_text("# A page\n")
    nav = re.findall(r": (\w+\.md)$", (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    for name in set(nav) - {"CONTRIBUTING.md", "CHANGELOG.md"}:
        (tmp_path / "docs" / name).write_text("# A page\n")
    (tmp_path / "docs" / "measuring.md").write_text("[gone](no-such-page.md)\n")
    done = build(tmp_path, docs=tmp_path)
    assert done.returncode == 1
    assert "no-such-page.md" in done.stderr
