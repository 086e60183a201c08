"""Makes the sample report and its screenshots from a measured campaign: `make sample CAMPAIGN=reports/NAME`.

Writes reports/sample (the campaign's own files, the page, the figures, and the top of the page as report.png) and
docs/images/report-{wide,narrow,dark}.png. A campaign without judges gets those of the demo, which score ten traces of
the same example. Needs Chromium.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tracegauge.cli.demo_judging import judge_demo
from tracegauge.gate import judge_folder
from tracegauge.reporting import write_report
from tracegauge.results.files import CAMPAIGN_FILE, ENVIRONMENT_FILE, FIGURES_FOLDER, SAMPLES_FILE
from tracegauge.results.judges_report import JUDGES_FILE

REPOSITORY = Path(__file__).resolve().parents[2]
KEPT = (CAMPAIGN_FILE, ENVIRONMENT_FILE, SAMPLES_FILE, JUDGES_FILE)
VIEWS = {
    "wide": {"viewport": {"width": 1280, "height": 1000}},
    "narrow": {"viewport": {"width": 390, "height": 1400}},
    "dark": {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "dark"},
}


def main() -> None:
    """Copy, judge, report, photograph."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaign", type=Path, help="folder of the measured campaign")
    parser.add_argument("--sample", type=Path, default=REPOSITORY / "reports" / "sample")
    parser.add_argument("--images", type=Path, default=REPOSITORY / "docs" / "images")
    given = parser.parse_args()
    given.sample.mkdir(parents=True, exist_ok=True)
    given.images.mkdir(parents=True, exist_ok=True)
    if given.campaign.resolve() != given.sample.resolve():
        for name in KEPT:
            (given.sample / name).unlink(missing_ok=True)
            if (given.campaign / name).exists():
                shutil.copyfile(given.campaign / name, given.sample / name)
    if not (given.sample / JUDGES_FILE).exists():
        with tempfile.TemporaryDirectory() as folder:
            judge_demo(Path(folder))
            shutil.copyfile(Path(folder, JUDGES_FILE), given.sample / JUDGES_FILE)
    shutil.rmtree(given.sample / FIGURES_FOLDER, ignore_errors=True)
    verdict = judge_folder(given.sample)
    page = write_report(given.sample)
    photograph(page, given.images)
    shutil.copyfile(given.images / "report-wide.png", given.sample / "report.png")
    print(f"{verdict.verdict}: {page} and {given.images}/report-*.png")  # noqa: T201


def photograph(page: Path, images: Path) -> None:
    """The top of the page in each view; what is below the fold is in the page itself."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for name, view in VIEWS.items():
            context = browser.new_context(**view)
            tab = context.new_page()
            tab.goto(page.resolve().as_uri())
            tab.screenshot(path=images / f"report-{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
