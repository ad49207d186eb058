"""When a reader sees a sim's picture, beside the first paint of a plain Material page."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from build_scripts.bench.browser import PATIENCE, BenchError, fresh_context
from build_scripts.bench.report import Row, ratio_row

__all__ = ["TARGET", "measure", "plain_material"]

TARGET = 1.2
_CONFIG = "site_name: Plain\ntheme:\n  name: material\n  font: false\nuse_directory_urls: true\n"


@contextmanager
def plain_material(text: Path) -> Iterator[Path]:
    """Build a site of one page with Material as it comes, and yield its folder.

    Its fonts are left out: asked for from another host, they would only slow it down.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "docs").mkdir()
        (root / "docs" / "index.md").write_bytes(text.read_bytes())
        (root / "mkdocs.yml").write_text(_CONFIG, encoding="utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "-q", "-d", str(root / "site")]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"the plain Material page does not build:\n{done.stderr}")
        yield root / "site"


def measure(browser: Browser, book: dict[str, str], plain: str, rounds: int) -> list[Row]:
    """Open all pages in turn, with empty caches; the window stands at the page's first sim.

    Args:
        book: name to address of a page with a sim.
        plain: address of the plain page.
    """
    beside: list[float] = []
    first: dict[str, list[float]] = {name: [] for name in book}
    picture: dict[str, list[float]] = {name: [] for name in book}
    for turn in range(rounds + 1):
        with fresh_context(browser) as page:
            page.goto(plain, wait_until="load")
            seen = _first_paint(page)
        if turn:  # the first turn fills the server's own caches
            beside.append(seen)
        for name, address in book.items():
            with fresh_context(browser) as page:
                page.goto(address + "#bench-sim", wait_until="load")
                seen_text, seen_sim = _first_paint(page), _picture(page)
            if turn:
                first[name].append(seen_text)
                picture[name].append(seen_sim)
    rows = []
    for name in book:
        rows.append(ratio_row(f"first paint, {name}", first[name], beside, unit="ms", name="plain Material"))
        what = f"painted picture visible, {name}"
        rows.append(ratio_row(what, picture[name], beside, unit="ms", target=TARGET, name="plain Material"))
    return rows


def _first_paint(page: Page) -> float:
    page.wait_for_timeout(50)
    return float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))


def _picture(page: Page) -> float:
    """Return when the first sim's picture was on the screen, in ms since the page's navigation.

    It is seen first in the page's own cover of the frame; without one, in the frame.
    """
    covered = page.evaluate("window.__bench.picture ?? null")
    if covered is not None:
        # Laid out is not yet on the screen: before the page's first paint nothing is.
        return max(float(covered) - float(page.evaluate("performance.timeOrigin")), _first_paint(page))
    handle = page.locator("figure.embed iframe").first.element_handle()
    frame = handle.content_frame() if handle else None
    if frame is None:
        raise BenchError(f"{page.url}: the first embedded sim has no frame")
    frame.wait_for_load_state("load", timeout=PATIENCE)
    for _ in range(200):
        seen = frame.evaluate("window.__bench.picture ?? null")
        if seen is not None:
            return float(seen) - float(page.evaluate("performance.timeOrigin"))
        page.wait_for_timeout(20)
    raise BenchError(f"{page.url}: no picture was painted in the first sim")
