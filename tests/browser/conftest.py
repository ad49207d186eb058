"""The built site, served under a base path, in the system's Chromium. Nothing is mocked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from build_scripts.bench.browser import FLAGS
from build_scripts.static_server import StaticServer
from sim_engine.bridge import load_microsim
from sim_engine.microsim import Choice, Legend, Microsim, Slider, Timeline, Toggle

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures" / "sims"
LIVE_MS = 60_000

CHROMIUM_FLAGS = [
    *FLAGS,
    # Each test loads Python anew and asks little of it: compiling it again, for speed, is half the work.
    "--js-flags=--liftoff-only",
    # A name that is not this machine's to a browser: what plain http from another machine is like.
    "--host-resolver-rules=MAP book.invalid 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.fail("Chromium is missing; `make test` installs it", pytrace=False)
    return {"executable_path": chromium, "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def fixture_sims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test sims, rendered by the same command that renders the book's."""
    out = tmp_path_factory.mktemp("fixture-sims")
    command = [sys.executable, "-m", "build_scripts.render_sims", "--sims", str(FIXTURES), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"the fixture sims do not render:\n{done.stdout}{done.stderr}", pytrace=False)
    return out


# Counts the files that a page and the sims in it have loaded; true once that number stands still.
AT_REST = """() => {
    const loaded = (view) => {
        const { fonts, readyState } = view.document;
        return readyState === "complete" && fonts.status === "loaded"
            ? view.performance.getEntriesByType("resource").length
            : NaN;
    };
    let count = loaded(window);
    for (const { contentDocument, contentWindow } of document.querySelectorAll("iframe"))
        if (contentDocument) count += loaded(contentWindow); // without one it is another site's
    const rest = (window.__rest ??= { count: NaN });
    if (count !== rest.count) Object.assign(rest, { count, since: performance.now() });
    return performance.now() - rest.since > 400;
}"""


@pytest.fixture
def arrive():
    """Open an address and wait until all that it loads by itself is there: `arrive(page, url)`.

    Not Playwright's "networkidle", nor a question to each of its frames: it waits for every frame, and
    one that stays empty until the reader comes near may never answer.
    """

    def opened(page: Page, url: str) -> None:
        page.goto(url, wait_until="load")
        page.wait_for_function(AT_REST, timeout=LIVE_MS)

    return opened


@pytest.fixture
def book(site: Path, fixture_sims: Path):
    """The book under a base path, with the test sims laid over it; faults end with the test."""
    with StaticServer({"": site, "sims": fixture_sims}, prefix="/some/book") as server:
        yield server


class SimPage:
    """One sim in a page or frame, through its public handles alone."""

    def __init__(self, scope: Any, slug: str) -> None:
        self.scope = scope
        self.slug = slug
        self.root: Locator = scope.locator(f"main.sim[data-sim='{slug}']")

    def wait_state(self, *states: str, timeout: float = LIVE_MS) -> None:
        wanted = ", ".join(f"main.sim[data-sim='{self.slug}'][data-state='{s}']" for s in states)
        self.scope.locator(wanted).first.wait_for(state="attached", timeout=timeout)

    @property
    def state(self) -> str:
        return self.root.get_attribute("data-state") or ""

    @property
    def drawn(self) -> str:
        return self.root.get_attribute("data-drawn") or ""

    @property
    def frame(self) -> int:
        return int(self.root.get_attribute("data-frame") or 0)

    def wait_drawn(self, part: str, timeout: float = LIVE_MS) -> None:
        self.scope.locator(f"main.sim[data-sim='{self.slug}'][data-drawn*='{part}']").wait_for(
            state="attached", timeout=timeout
        )

    def readouts(self) -> dict[str, float | None]:
        out: dict[str, float | None] = {}
        for output in self.root.locator("output[data-value]").all():
            value = output.get_attribute("data-value")
            out[output.get_attribute("name") or ""] = None if value in ("", "null", None) else float(value)
        return out

    def set(self, name: str, control: Any, value: Any) -> None:
        """Move a control the way a reader does, through its form element."""
        if isinstance(control, Timeline):
            self.root.locator(f"input[type=range][name='{name}']").fill(str(value))
        elif isinstance(control, Slider):
            field = self.root.locator(f"input[name='{name}:value']")
            field.fill(repr(value))
            field.press("Enter")
        elif isinstance(control, Toggle):
            self.root.locator(f"input[name='{name}']").set_checked(value, force=True)
        elif isinstance(control, Choice):
            select = self.root.locator(f"select[name='{name}']")
            if select.count():
                select.select_option(value)
            else:
                self.root.locator(f"input[name='{name}'][value='{value}']").check(force=True)
        elif isinstance(control, Legend):
            for box in self.root.locator(f"input[name='{name}']").all():
                box.set_checked(box.get_attribute("value") in value, force=True)
        else:
            raise AssertionError(f"no way to set {control!r}")


@pytest.fixture
def open_sim(page: Page, book: StaticServer):
    """Open one sim's own page: `open_sim(slug, "tau=0.05", run=True)`."""

    def opened(slug: str, query: str = "", *, run: bool = False, on: Page | None = None) -> SimPage:
        where = on or page
        parts = [p for p in (query, "run=1" if run else "") if p]
        where.goto(f"{book.url}sims/{slug}/main.html" + ("?" + "&".join(parts) if parts else ""))
        sim = SimPage(where, slug)
        if run:
            sim.wait_state("live")
        return sim

    return opened


@pytest.fixture
def framed():
    """A sim inside an iframe of a page: `framed(page.frame_locator("iframe"), slug)`."""
    return SimPage


def sim_folder(slug: str) -> Path:
    own = ROOT / "sims" / slug
    return own if own.is_dir() else FIXTURES / slug


@pytest.fixture
def python_sim():
    """The same sim under CPython: `python_sim(slug)` is the `Microsim`."""

    def load(slug: str) -> Microsim:
        return load_microsim(sim_folder(slug) / "sim.py")

    return load


@pytest.fixture
def no_leaks(context: BrowserContext, book: StaticServer):
    """Every address asked for by pages and workers of this context; the test says which are allowed."""
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))

    def foreign() -> list[str]:
        inline, own = ("data:", "blob:", "about:"), ("127.0.0.1", "localhost")
        return [u for u in asked if not u.startswith(inline) and urlsplit(u).hostname not in own]

    return foreign


@pytest.fixture
def axe():
    """Run axe-core in a page (isolated from its policy) and return the serious and critical findings."""
    source = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    def run(page: Page, frame: Any = None) -> list[str]:
        target = frame or page
        target.evaluate(source + "\n; null")
        found = target.evaluate(
            "() => axe.run(document, {resultTypes: ['violations'], iframes: false})"
            ".then(r => JSON.stringify(r.violations))"
        )
        return [
            f"{v['id']} ({v['impact']}): {v['help']} at {[n['target'] for n in v['nodes']][:4]}: "
            f"{[n.get('failureSummary', '') for n in v['nodes']][:2]}"
            for v in json.loads(found)
            if v["impact"] in ("serious", "critical")
        ]

    return run


@pytest.fixture
def quiet_context(browser: Browser):
    """Contexts with options of the test's own: `quiet_context(java_script_enabled=False)`."""
    opened: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        opened.append(browser.new_context(**options))
        return opened[-1]

    yield make
    for context in opened:
        context.close()
