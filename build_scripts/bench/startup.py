"""When Python answers: a sim from navigation to `live`, beside a stock Pyodide page to its first value."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, Playwright

from build_scripts.bench.browser import PATIENCE, BenchError, Profile, sim_marks
from build_scripts.bench.report import Row, ratio_row
from build_scripts.runtime_tools.sources import Pyodide, numpy_wheel

__all__ = ["TARGET_COLD", "TARGET_WARM", "measure", "stock_pyodide"]

TARGET_COLD = 0.55
TARGET_WARM = 0.45
_PAGE = Path(__file__).parent / "pages" / "stock.html"
# A reader stays longer than this; the browser writes compiled code to its cache meanwhile.
_STAY = 2500


@contextmanager
def stock_pyodide(pyodide: Pyodide, cache: Path) -> Iterator[Path]:
    """Yield a folder with the npm package's own files, NumPy's own wheel and the page."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (
            "pyodide.mjs",
            "pyodide.asm.mjs",
            "pyodide.asm.wasm",
            "python_stdlib.zip",
            "pyodide-lock.json",
        ):
            shutil.copyfile(pyodide.folder / name, Path(folder, name))
        wheel = numpy_wheel(pyodide, cache)
        shutil.copyfile(wheel, Path(folder, wheel.name))
        shutil.copyfile(_PAGE, Path(folder, "index.html"))
        yield Path(folder)


def measure(playwright: Playwright, sim: str, stock: str, rounds: int) -> list[Row]:
    """Open both in turn: each with an empty profile, then again with the profile of that visit.

    Args:
        sim: address of a sim's `main.html`.
        stock: address of the stock page.
    """
    times: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds + 1):
        for name in ("ours", "stock") if turn % 2 else ("stock", "ours"):
            with Profile(playwright) as profile:
                for visit in ("cold", "warm"):
                    with profile.visit() as page:
                        took = _live(page, f"{sim}?run=1") if name == "ours" else _stock(page, stock)
                        page.wait_for_timeout(_STAY)
                    if turn:  # the first turn fills the server's own caches
                        times.setdefault((name, visit), []).append(took)
    rows = []
    for visit, target in (("cold", TARGET_COLD), ("warm", TARGET_WARM)):
        mine, other = times["ours", visit], times["stock", visit]
        rows.append(
            ratio_row(f"Python live, {visit}", mine, other, unit="ms", target=target, name="stock Pyodide")
        )
    return rows


def _live(page: Page, address: str) -> float:
    page.goto(address, wait_until="commit")
    page.locator("main.sim:is([data-state=live], [data-state=failed])").wait_for(
        state="attached", timeout=PATIENCE
    )
    states = sim_marks(page)["states"]
    if "live" not in states:
        raise BenchError(f"{address}: the sim did not come alive; its states were {json.dumps(states)}")
    return float(states["live"])


def _stock(page: Page, address: str) -> float:
    page.goto(address, wait_until="commit")
    page.locator("body[data-done]").wait_for(state="attached", timeout=PATIENCE)
    return float(page.locator("body").get_attribute("data-done") or "nan")
