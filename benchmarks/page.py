"""The report page at 10,000 events: its size, how soon it opens, and how long a filter takes, in headless Chromium.

    python benchmarks/page.py [RUN] [--times 5]

Without RUN, the run folder is one made up of 10,000 events: a chaos run with a kill for every twentieth invocation.
Opening is from the start of the navigation until the timeline and the table are there (performance.now). A filter is
from the click on one of its buttons until the next frame. The bars are 2 MB, 1 s and 100 ms; the median counts. On a
machine that does much else, look at the processor time of the page's main thread, which is told beside.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import figures
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from assay.cli.paging import page_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "integration"))
from browser import installed, opened
from run_on_disk import CHAOS, a_chaos_row, a_report_of, loaded, write

EVENTS = 10_000
READY = "return document.documentElement.dataset.ready"
FILTER = """
const done = arguments[arguments.length - 1];
const buttons = [...document.querySelectorAll("#kinds button")];
const took = [];
(async () => {
  for (const button of [...buttons, ...buttons]) {
    const began = performance.now();
    button.click();
    document.body.getBoundingClientRect();
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    took.push(performance.now() - began);
  }
  done(took);
})();
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    programs = installed()
    if programs is None:
        print("needs chromium and chromedriver", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as name:
        run = options.run or _made_up(Path(name) / "run")
        out = Path(name) / "report.html"
        out.write_text(page_of(run, out), encoding="utf-8")
        size = out.stat().st_size
        opening, filtering, busy = [], [], []
        for number in range(options.times):
            driver = opened(programs, f"{name}/profile{number}", 1280, 1000)
            try:
                driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
                driver.get(out.as_uri())
                ready = WebDriverWait(driver, 60, 0.05).until(lambda driver: driver.execute_script(READY))
                opening.append(float(ready) / 1000)
                opened_s = _busy(driver)
                took = [float(each) for each in driver.execute_async_script(FILTER)]
                busy.append((opened_s, (_busy(driver) - opened_s) / len(took) * 1000))
                filtering += took
            finally:
                driver.quit()
    open_s, filter_ms = statistics.median(opening), statistics.median(filtering)
    open_busy_s, filter_busy_ms = (statistics.median(each) for each in zip(*busy, strict=True))
    print(f"size     {size / 1e6:6.2f} MB")
    print(f"opens in {open_s:6.2f} s   of {options.times}: {', '.join(f'{each:.2f}' for each in sorted(opening))}")
    print(f"filters  {filter_ms:6.0f} ms  of {len(filtering)}, the slowest {max(filtering):.0f} ms")
    print(f"main thread busy: {open_busy_s:.2f} s to open, {filter_busy_ms:.0f} ms for a filter")
    if not options.run:
        bars = [
            {"figure": "page with 10,000 events, MB", "value": round(size / 1e6, 2), "bar": 2, "met": "below"},
            {"figure": "page opens, seconds", "value": round(open_s, 2), "bar": 1, "met": "below"},
            {"figure": "page filters, ms", "value": round(filter_ms), "bar": 1, "met": "below"},
        ]
        figures.keep(
            "page",
            size=size,
            open_s=round(open_s, 3),
            filter_ms=round(filter_ms, 1),
            busy={"open_s": round(open_busy_s, 3), "filter_ms": round(filter_busy_ms, 1)},
            bars=bars,
        )
    return 0


def _busy(driver: WebDriver) -> float:
    """Seconds of processor time that the main thread has spent in tasks since the navigation began."""
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")


def _made_up(folder: Path) -> Path:
    events = loaded(EVENTS // 12)
    return write(folder, a_report_of(a_chaos_row(events)), {CHAOS: events})


if __name__ == "__main__":
    raise SystemExit(main())
