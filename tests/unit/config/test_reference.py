from pathlib import Path

from tracegauge.config.reference import config_reference

REPOSITORY = Path(__file__).resolve().parents[3]


def test_the_committed_page_is_not_stale():
    assert (REPOSITORY / "docs" / "CONFIG_REFERENCE.md").read_text(encoding="utf-8") == config_reference(), (
        'stale: python -c "from tracegauge.config.reference import write_reference; '
        "write_reference('docs/CONFIG_REFERENCE.md')\""
    )


def test_every_tracking_key_is_explained():
    page = config_reference().partition("### MLflowConfig")[2].partition("###")[0]
    for key in ("tracking_uri", "autolog_enabled", "delivery", "fallback_uri", "server_check_timeout_s", "sample_rate"):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{key}` |")]
        assert len(row.split("|")[4].strip()) > 10, row


def test_links_within_the_page_have_their_targets():
    page = config_reference()
    targets = {part.partition('"')[0] for part in page.split('<a id="')[1:]}
    links = {part.partition(")")[0] for part in page.split("](#")[1:]}
    assert links
    assert links <= targets
