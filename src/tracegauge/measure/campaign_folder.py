"""The folder that a campaign is measured into: a new one, or one to go on with."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tracegauge.config.campaign import Campaign
from tracegauge.config.errors import ConfigError
from tracegauge.results import Cell
from tracegauge.results.against import Against
from tracegauge.results.campaign_record import CampaignRecord, CriterionRecord
from tracegauge.results.files import CAMPAIGN_FILE, VERDICT_FILE, read_campaign, write_record

_STAMP = r"-\d{8}-\d{6}(-\d+)?"
"""What `new_folder` puts behind the name."""


def start_folder(
    out: Path,
    campaign: Campaign,
    cells: Sequence[Cell],
    criteria: Sequence[CriterionRecord],
    command: str,
    against: Against | None = None,
    controls: Sequence[CriterionRecord] = (),
) -> Path:
    """Make the campaign's folder below `out` and write down there what is planned.

    `command` is the command line that measures it again. Raises ConfigError where `out` can't be written to.
    """
    folder = new_folder(out, campaign.name)
    record = CampaignRecord(
        name=campaign.name,
        description=campaign.description,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        cells=tuple(cells),
        blocks=campaign.measure.most_blocks,
        looks=campaign.measure.sequential.looks if campaign.measure.sequential else (),
        invocations=campaign.measure.invocations,
        criteria=tuple(criteria),
        against=against,
        controls=tuple(controls),
        settings=campaign.model_dump(mode="json"),
    )
    write_record(folder / CAMPAIGN_FILE, record)
    return folder


def new_folder(out: Path, name: str) -> Path:
    """Make `<out>/<name>-<time>`, and make sure that it can be written to before anything is measured.

    Raises ConfigError where it can't: a folder that is read-only or a file, a full disk.
    """
    stem = f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = next(path for i in range(1000) if not (path := out / (f"{stem}-{i}" if i else stem)).exists())
        folder.mkdir()
    except OSError as error:
        raise _unwritable(out, error) from error
    probe = folder / ".probe"
    try:
        probe.write_bytes(b"x" * 65536)
        probe.unlink()
    except OSError as error:
        probe.unlink(missing_ok=True)
        folder.rmdir()
        raise _unwritable(out, error) from error
    return folder


def _unwritable(out: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the output folder {out} can't be written to: {error.strerror}", hint="name another one, or make room there"
    )


def unfinished_folder(campaign: Campaign, out: Path, against: Against | None = None) -> Path:
    """The newest folder of this campaign below `out`, measured against the same other side, to go on with.

    If a verdict has been given since it stopped, that was a look at the blocks it had by then, and becomes one of the
    planned looks: what it spent of the error rate can't be spent again.

    Raises ConfigError if there is none, if it is finished, or if the campaign was another one then.
    """
    named = re.compile(re.escape(campaign.name) + _STAMP)  # not `quick-against-main-…` for `quick`
    folders = sorted(path.parent for path in out.glob(f"*/{CAMPAIGN_FILE}") if named.fullmatch(path.parent.name))
    if not folders:
        raise ConfigError(f"there is no campaign {campaign.name!r} to resume in {out}", hint="run it without --resume")
    results = read_campaign(folders[-1])
    if len(results.samples) >= results.record.blocks * len(results.record.cells):
        raise ConfigError(f"{folders[-1]} is finished", hint="run it without --resume to measure again")
    if results.record.settings != campaign.model_dump(mode="json"):
        raise ConfigError(
            f"the campaign file has changed since {folders[-1]} was started",
            hint="samples of two different campaigns don't mix: run it without --resume",
        )
    if results.record.against != against:
        raise ConfigError(
            f"what is compared has changed since {folders[-1]} was started: the revision, the packages or the margin",
            hint="samples of two different comparisons don't mix: run it without --resume",
        )
    record = results.record
    blocks = len(results.samples) // len(record.cells)
    if record.looks and blocks and (folders[-1] / VERDICT_FILE).exists():
        looks = tuple(sorted({*record.looks, blocks}))
        write_record(folders[-1] / CAMPAIGN_FILE, record.model_copy(update={"looks": looks}))
    return folders[-1]
