"""Bytes that a reader of a chapter downloads: before the first touch, and once every sim is live."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from build_scripts.bench.browser import PATIENCE, BenchError, fresh_context
from build_scripts.bench.report import Row
from build_scripts.static_server import StaticServer

__all__ = ["TARGET", "measure"]

TARGET = 700.0  # kB


def measure(browser: Browser, server: StaticServer, chapter: str) -> list[Row]:
    """Read the chapter from top to bottom, then touch each of its sims; count what the server sent.

    Bodies are counted as sent, gzipped where a static host does that; headers are not.
    """
    with fresh_context(browser) as page:
        server.log.clear()
        page.goto(chapter, wait_until="load")
        _read_down(page)
        _quiet(page, server)
        before = [answer.sent for answer in server.log]
        listed = _heaviest(server)
        frames = page.locator("figure.embed iframe").all()
        if len(frames) < 2:
            raise BenchError(f"{chapter}: wanted a chapter with two sims, found {len(frames)}")
        for place in frames:
            handle = place.element_handle()
            frame = handle.content_frame() if handle else None
            if frame is None:
                raise BenchError(f"{chapter}: an embedded sim has no frame")
            place.scroll_into_view_if_needed()
            # An edit of the code needs Python for certain; a recorded state may not.
            frame.goto(frame.url.split("?")[0] + "?run=1")
            frame.locator("main.sim[data-state=live]").wait_for(state="attached", timeout=PATIENCE)
        _quiet(page, server)
        whole = [answer.sent for answer in server.log]
    return [
        Row(
            f"bytes before the first touch ({len(frames)} sims)",
            f"{sum(before):,} bytes",
            f"{len(before)} answers",
            sum(before) / 1000,
            TARGET,
            unit="kB",
            spread=listed,
        ),
        Row("bytes in all, every sim live", f"{sum(whole):,} bytes", f"{len(whole)} answers"),
    ]


def _read_down(page: Page) -> None:
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    for top in range(0, height, 600):
        page.evaluate("(y) => scrollTo(0, y)", top)
        page.wait_for_timeout(60)


def _quiet(page: Page, server: StaticServer) -> None:
    """Wait until the server has answered nothing for a second and a half."""
    seen = -1
    while seen != len(server.log):
        seen = len(server.log)
        page.wait_for_timeout(1500)


def _heaviest(server: StaticServer) -> str:
    answers = sorted(server.log, key=lambda answer: -answer.sent)[:4]
    return "most: " + ", ".join(
        f"{answer.path.split('/')[-1] or 'page'} {answer.sent / 1000:.0f}" for answer in answers
    )
