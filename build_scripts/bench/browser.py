"""Chromium for the benchmark: throw-away profiles, and the marks that pages leave."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

__all__ = ["FLAGS", "BenchError", "Profile", "fresh_context", "launch", "sim_marks"]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Chromium draws the list under its address bar with a page of its own, a fifth of the work of a short
    # visit that has no address bar. A later switch replaces an earlier one: the rest is Playwright's list.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,"
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,"
    "AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,"
    "PreconnectToSearch",
]
VIEWPORT = {"width": 1280, "height": 800}
PATIENCE = 120_000  # ms
# A browser that has just started builds its own toolbar, itself a page of scripts, for most of a
# second of two cores' time. A reader's browser did that long before the book was opened.
_SETTLE = 2500  # ms

# Runs in every document before its own scripts; notes, in ms since navigation, when the picture of
# a sim was on the screen and when each of the sim's states was reached.
_MARKS = """
(() => {
  const marks = (window.__bench = { states: {} });
  // A reader who comes for the sim: it stands at the top of the window as soon as it is in the page.
  const arrive = () => {
    const sim = location.hash === "#bench-sim" && document.querySelector("figure.embed");
    if (sim) return sim.scrollIntoView();
    if (location.hash && document.readyState !== "complete") requestAnimationFrame(arrive);
  };
  requestAnimationFrame(arrive);
  const look = () => {
    // In the sim's own document, or in the page that embeds it, where it first stands in a cover.
    const holder = document.querySelector(".embed-cover");
    const cover = holder?.shadowRoot;
    const picture = (cover ?? document).querySelector("figure[data-panel] :is(svg, img, canvas)");
    const box = picture?.complete === false ? null : picture?.getBoundingClientRect();
    // Something after it has been read, so the picture is whole.
    const ready = document.readyState !== "loading" || (cover && holder.nextElementSibling);
    if (ready && box && box.height > 0 && box.bottom > 0 && box.top < innerHeight) {
      // The frame in which it was found is painted when the next task runs, before those of loading.
      const seen = () => (marks.picture = performance.timeOrigin + performance.now());
      scheduler.postTask(seen, { priority: "user-blocking" });
      return;
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  const watch = () => {
    const root = document.querySelector("main.sim");
    if (!root) return;
    const note = () => (marks.states[root.dataset.state] ??= performance.now());
    note();
    new MutationObserver(note).observe(root, { attributes: true, attributeFilter: ["data-state"] });
  };
  document.addEventListener("DOMContentLoaded", watch);
})();
"""


class BenchError(Exception):
    """The benchmark cannot run; the message says what is missing and what to do."""


def _chromium() -> str:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        raise BenchError(
            "Chromium: not found on the PATH; `make bench` installs it, or set CHROMIUM to its path"
        )
    return path


@contextmanager
def launch(playwright: Playwright) -> Iterator[Browser]:
    """A browser whose contexts start with an empty cache each."""
    browser = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def fresh_context(browser: Browser) -> Iterator[Page]:
    """A page of a new context: nothing cached."""
    context = browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]  # a plain dict is one
    context.add_init_script(_MARKS)
    try:
        yield context.new_page()
    finally:
        context.close()


class Profile:
    """A profile folder: empty at first, reused by each visit, so the second finds the cache warm."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def __enter__(self) -> Profile:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @contextmanager
    def visit(self) -> Iterator[Page]:
        """A page in a newly started browser with this profile."""
        context: BrowserContext = self._playwright.chromium.launch_persistent_context(
            str(Path(self._folder.name)),
            executable_path=_chromium(),
            args=FLAGS,
            viewport=VIEWPORT,  # type: ignore[arg-type]  # a plain dict is one
        )
        context.add_init_script(_MARKS)
        try:
            page = context.new_page()
            page.wait_for_timeout(_SETTLE)
            yield page
        finally:
            context.close()


def sim_marks(page: Page) -> dict[str, Any]:
    """Return what the document noted: `picture` (epoch ms), `states` (ms since its navigation)."""
    marks: dict[str, Any] = page.evaluate("window.__bench")
    return marks
