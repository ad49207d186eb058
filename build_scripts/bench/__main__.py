"""Measure the built book and print a table: `python -m build_scripts.bench` (after `make site`)."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

from build_scripts.bench import (
    build_time,
    engine,
    loss,
    paint,
    probe,
    serve,
    slider,
    startup,
    sweep,
    views,
    weight,
)
from build_scripts.bench.browser import BenchError, launch
from build_scripts.bench.report import Row, table
from build_scripts.runtime import CACHE
from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.runtime_tools.sources import read_pyodide
from build_scripts.static_server import StaticServer

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "chapters/03-nt-xent/"
SIM = "sims/nt-xent-explorer/main.html"
SLIDERS = {SIM: "tau", "sims/embedding-training/main.html": "epoch"}
PAGES = Path(__file__).parent / "pages"


def measurements(
    site: Path, rounds: int, pw: Playwright, browser: Browser
) -> dict[str, Callable[[], list[Row]]]:
    """Return the measurements by name; each starts its own server."""

    def paints() -> list[Row]:
        with (
            paint.plain_material(ROOT / "docs" / "develop" / "architecture.md") as plain,
            StaticServer({"": site, "plain": plain}, compress=True, max_age=600) as server,
        ):
            pages = {"chapter": server.url + CHAPTER, "home page": server.url}
            return paint.measure(browser, pages, server.url + "plain/", rounds)

    def live() -> list[Row]:
        pyodide = read_pyodide(ROOT / "node_modules" / "pyodide")
        with (
            startup.stock_pyodide(pyodide, CACHE) as stock,
            StaticServer({"": site, "stock": stock}, compress=True, max_age=600) as server,
        ):
            return startup.measure(pw, server.url + SIM, server.url + "stock/", rounds)

    def sliders() -> list[Row]:
        with StaticServer(site, compress=True, max_age=600) as server:
            addresses = {server.url + path: name for path, name in SLIDERS.items()}
            return slider.measure(browser, addresses, 200)

    def weights() -> list[Row]:
        with StaticServer(site, compress=True, max_age=600) as server:
            return weight.measure(browser, server, server.url + CHAPTER)

    def losses() -> list[Row]:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(PAGES, Path(folder, "bench"))
            shutil.copytree(site / "runtime", Path(folder, "runtime"))
            with StaticServer(Path(folder), compress=True, max_age=600) as server:
                return [
                    *loss.measure(browser, server.url + "bench/loss.html", 3 * rounds),
                    *loss.train(browser, server.url + "bench/train.html", rounds),
                ]

    return {
        "paint": paints,
        "live": live,
        "slider": sliders,
        "bytes": weights,
        "build": lambda: build_time.measure(min(rounds, 3)),
        "serve": lambda: serve.measure(rounds),
        "loss": losses,
        "engine": lambda: engine.measure(rounds),
        "probe": lambda: probe.measure(rounds),
        "views": lambda: views.measure(rounds),
        "sweep": lambda: sweep.measure(rounds),
    }


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 when it cannot be measured. A missed target is printed, not an error."""
    names = [
        "paint",
        "live",
        "slider",
        "bytes",
        "build",
        "serve",
        "loss",
        "engine",
        "probe",
        "views",
        "sweep",
    ]
    parser = argparse.ArgumentParser(prog="python -m build_scripts.bench", description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "site", help="the built book")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default 7)")
    parser.add_argument("--only", default=",".join(names), help=f"some of {','.join(names)}")
    options = parser.parse_args(argv)
    chosen = options.only.split(",")
    if unknown := [name for name in chosen if name not in names]:
        parser.error(f"--only: wanted some of {', '.join(names)}, got {', '.join(unknown)}")
    if options.rounds < 1:
        parser.error(f"--rounds: wanted 1 or more, got {options.rounds}")
    if not (options.site / SIM).is_file():
        print(f"error: {options.site / SIM} is not there; `make site` builds the book", file=sys.stderr)
        return 1
    rows: list[Row] = []
    try:
        with sync_playwright() as pw, launch(pw) as browser:
            print(f"Chromium {browser.version}, {_machine()}, {options.rounds} rounds", flush=True)
            todo = measurements(options.site, options.rounds, pw, browser)
            for name in chosen:
                print(f"measuring {name} …", file=sys.stderr, flush=True)
                found = todo[name]()
                print(table(found), flush=True)
                rows += found
    except (BenchError, RuntimeBuildError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    missed = [row.what for row in rows if row.verdict == "miss"]
    print(
        f"load at the end {os.getloadavg()[0]:.1f}; "
        + (f"missed: {'; '.join(missed)}" if missed else "every target met")
    )
    return 0


def _machine() -> str:
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
