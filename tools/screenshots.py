"""Pictures of the explorer, and of a report if one is given, for the README.

    python tools/screenshots.py [--report results/report.html] [--out docs/figures]

Needs chromium and takes about a minute. Writes explorer.png, explorer-process.png,
explorer-dark.png and, with a report, report.png.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WINDOW = {"width": 1280, "height": 720}
LONG = 120_000.0  # milliseconds
COMMAND = "from spintherm.cli import main; raise SystemExit(main())"


def phases(page, address, folder):
    page.goto(f"{address}#H=2.2&P=1&theta=60&show=density.reversible&plane=alpha-angle")
    page.locator("#diagram-status").filter(has_text="boundaries exact").wait_for(timeout=LONG)
    page.screenshot(path=folder / "explorer.png")


def process(page, address, folder):
    page.goto(f"{address}#tab=process&show=density.reversible.irreversible&H=2.2&P=1&theta=60")
    page.locator("#process-status").filter(has_text="done").wait_for(timeout=LONG)
    page.screenshot(path=folder / "explorer-process.png")


def trajectories(page, address, folder):
    page.goto(f"{address}#tab=paths&source=process&show=density.paths&yaw=1.1")
    page.locator("#paths-status").filter(has_text="duration").wait_for(timeout=LONG)
    if page.locator("#play").inner_text() == "Pause":
        page.click("#play")
    page.locator("#time").fill("110")
    page.wait_for_timeout(300)
    page.screenshot(path=folder / "explorer-dark.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, help="a report.html")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium on this machine")
    options.out.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "explore", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = server.stdout.readline().split()[0]
        photograph(chromium, address, options.report, options.out)
    finally:
        server.terminate()
        server.wait()


def photograph(chromium, address, report, folder):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for take, scheme in ((phases, "light"), (process, "light"), (trajectories, "dark")):
            page = browser.new_page(viewport=WINDOW, color_scheme=scheme, device_scale_factor=1.5)
            take(page, address, folder)
            page.close()
        if report is not None:
            page = browser.new_page(viewport=WINDOW, device_scale_factor=1.5)
            page.goto(report.resolve().as_uri())
            page.screenshot(path=folder / "report.png")
        browser.close()


if __name__ == "__main__":
    main()
