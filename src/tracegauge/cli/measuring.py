"""Measuring with progress on the terminal, then judging and reporting: what `bench` and `demo` share."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from tracegauge.config.campaign import Campaign
    from tracegauge.measure import Progress
    from tracegauge.results.verdict import CampaignVerdict


def measure_and_report(
    campaign: "Campaign",
    out: Path,
    command: list[str],
    console: "Console",
    *,
    resume: bool = False,
    against: str | None = None,
    margin: float = 0.0,
) -> tuple[Path, "CampaignVerdict"]:
    """Measure the campaign into a folder below `out`, judge it and write the report.

    `against` names another side that is measured in the same blocks; here must not be slower by more than `margin`.
    Returns the folder and the verdict; raises ConfigError and CouldNotMeasureError.
    """
    from tracegauge.cli.progress import is_watched, spinner
    from tracegauge.gate import (
        CONTROL_MARGIN,
        against_criteria,
        controls_of,
        is_decided,
        judge_folder,
        resolve_controls,
        resolve_criteria,
    )
    from tracegauge.measure import build_cells, run_campaign, start_folder, unfinished_folder
    from tracegauge.measure.against import ONE_SIDE, old_cells, open_other_side, parse_reference, shared_campaign
    from tracegauge.reporting import write_index, write_report
    from tracegauge.results.files import read_campaign

    cells = build_cells(campaign.matrix)
    with ExitStack() as stack:
        if against is None:
            sides = ONE_SIDE
            criteria = resolve_criteria(campaign, cells)
            controls = resolve_controls(campaign, cells)
        else:
            reference = parse_reference(against)
            campaign = shared_campaign(campaign, reference)
            with spinner(console, "looking at what is installed") as tell:

                def on_step(what: str) -> None:
                    tell(what)
                    if not is_watched(console):
                        print(what, file=sys.stderr, flush=True)  # noqa: T201

                sides = stack.enter_context(open_other_side(reference, margin, on_step))
            criteria = against_criteria(cells, reference.environment, against, margin)
            stored = next((cell for cell in cells if cell.backend), cells[0])
            controls = controls_of(stored, margin=margin or CONTROL_MARGIN)
            cells = (*cells, *old_cells(cells, reference.environment))
        cells = (*cells, *controls.cells)
        if resume:
            folder = unfinished_folder(campaign, out, sides.against)
        else:
            folder = start_folder(out, campaign, cells, criteria, shlex.join(command), sides.against, controls.criteria)
        record = read_campaign(folder).record
        with _progress(console) as on_progress:
            try:
                run_campaign(
                    campaign, cells, folder, on_progress, sides.environments, is_decided=partial(is_decided, record)
                )
            except KeyboardInterrupt:
                if folder.exists():
                    console.print(f"The blocks that were done are kept in {folder}; go on with:", soft_wrap=True)
                    console.print(f"  {shlex.join([*command, '--resume'])}", soft_wrap=True)
                raise
    with spinner(console, "judging") as tell:
        verdict = judge_folder(folder)
        tell("drawing the figures")
        write_report(folder)
    write_index(out)
    return folder, verdict


@contextmanager
def _progress(console: "Console") -> "Iterator[Callable[[Progress], None]]":
    """A progress bar with time left where somebody watches; elsewhere one line per block."""
    from tracegauge.cli.progress import is_watched, progress_bar

    with progress_bar(console, "starting the worker processes") as tell:
        stage = ""

        def show(progress: "Progress") -> None:
            nonlocal stage
            tell(progress.done, progress.total, progress.step)
            new_stage = progress.step.partition(":")[0]
            if not is_watched(console) and new_stage != stage:
                stage = new_stage
                print(stage, file=sys.stderr, flush=True)  # noqa: T201

        yield show
