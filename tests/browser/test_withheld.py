"""Where a browser, a policy or the page around withholds something, the painted sim stays and says why."""

import re

import pytest

from build_scripts.static_server import StaticServer, blocked, damaged

SLUG = "nt-xent-explorer"


@pytest.fixture
def stays_painted(python_sim):
    """Nothing of what the build painted is lost: `stays_painted(shown)`."""

    def check(shown):
        wanted = {n: r.value for n, r in python_sim(shown.slug)().readouts.items()}
        assert shown.readouts() == pytest.approx(wanted, rel=1e-9)
        assert shown.root.get_by_role("status").inner_text().strip() == python_sim(shown.slug)().alt.strip()
        assert shown.root.locator("figure[data-panel] svg:visible").count() >= 4

    return check


def test_without_webassembly(browser_type, browser_type_launch_args, book, framed, stays_painted):
    flags = [*browser_type_launch_args["args"], "--js-flags=--jitless"]
    bare = browser_type.launch(**(browser_type_launch_args | {"args": flags}))
    try:
        page = bare.new_page()
        page.goto(f"{book.url}sims/{SLUG}/main.html?run=1")
        assert page.evaluate("() => typeof WebAssembly") == "undefined"
        shown = framed(page, SLUG)
        for _ in range(2):
            shown.wait_state("failed")
            error = shown.root.locator("[data-part=error]")
            assert "no WebAssembly" in error.inner_text()
            stays_painted(shown)
            shown.root.locator("[data-action=retry]").click()  # it can only fail again, and says so again
        shown.root.locator("input[type=range][name=tau]").focus()
        page.keyboard.press("Home")
        shown.wait_drawn("tau=0.02")  # what was recorded is still there
        assert not any(a.path.endswith(".wasm") for a in book.log)
    finally:
        bare.close()


def test_a_policy_that_forbids_wasm_and_retry_when_it_is_lifted(book, open_sim, stays_painted):
    book.headers["Content-Security-Policy"] = "script-src 'self' 'unsafe-inline'"
    shown = open_sim(SLUG, "run=1")
    shown.wait_state("failed")
    said = shown.root.locator("[data-part=error]").inner_text()
    assert "policy" in said
    assert "WebAssembly" in said
    stays_painted(shown)
    book.headers.clear()
    shown.root.locator("[data-action=retry]").click()
    shown.wait_state("live")
    assert shown.root.locator("[data-part=error]").is_hidden()


def test_an_insecure_origin_checks_hashes_all_the_same(book, page, framed, python_sim):
    """Plain http from another machine: browsers withhold crypto.subtle and the clipboard."""
    address = book.url.replace("127.0.0.1", "book.invalid")
    page.goto(f"{address}sims/{SLUG}/main.html?run=1")
    assert page.evaluate("() => [isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
    shown = framed(page, SLUG)
    shown.wait_state("live")
    shown.set("tau", python_sim(SLUG).controls["tau"], 0.2)
    shown.wait_drawn("tau=0.2")
    wanted = {n: r.value for n, r in python_sim(SLUG)(tau=0.2).readouts.items()}
    assert shown.readouts() == pytest.approx(wanted, rel=1e-9)
    shown.root.locator("[data-action=copy-link]").click()
    said = shown.root.locator("[data-part=said]")
    said.filter(has_text=re.compile("copied|copy it")).wait_for()


def test_damage_is_found_on_an_insecure_origin_too(book, page, framed, stays_painted):
    book.faults[f"{SLUG}/files/sim.py"] = damaged
    page.goto(book.url.replace("127.0.0.1", "book.invalid") + f"sims/{SLUG}/main.html?run=1")
    shown = framed(page, SLUG)
    shown.wait_state("failed")
    assert "sim.py is damaged" in shown.root.locator("[data-part=error]").inner_text()
    stays_painted(shown)


@pytest.mark.parametrize("shared", [True, False], ids=["with CORS headers", "without CORS headers"])
def test_a_fully_sandboxed_frame_of_another_site(shared, book, page, framed, tmp_path, stays_painted, arrive):
    """`sandbox="allow-scripts"` alone leaves a frame no origin. Pages sends the header; others may not.

    With it the player loads and says why Python cannot; without it the page says that the player is missing.
    """
    if shared:
        book.headers["Access-Control-Allow-Origin"] = "*"
    with StaticServer(tmp_path) as host:
        (tmp_path / "index.html").write_text(
            f'<!doctype html><title>x</title><iframe src="{book.url}sims/{SLUG}/main.html?run=1" '
            'sandbox="allow-scripts" width="900" height="900" title="a sim"></iframe>'
        )
        arrive(page, host.other_site)
        shown = framed(page.frame_locator("iframe"), SLUG)
        if shared:
            shown.wait_state("failed")
            said = shown.root.locator("[data-part=error]")
            assert "may not start a worker" in said.inner_text()
            assert said.locator("[data-action=retry]").is_visible()
        else:
            shown.root.get_by_text("The player could not be loaded").wait_for()
        stays_painted(shown)


def test_a_player_that_cannot_be_had_is_said_and_retried(book, page, framed, python_sim, stays_painted):
    book.faults["_player/player.js"] = blocked
    page.goto(f"{book.url}sims/{SLUG}/main.html?tau=0.2")
    shown = framed(page, SLUG)
    said = shown.root.get_by_text("The player could not be loaded")
    said.wait_for()
    stays_painted(shown)
    del book.faults["_player/player.js"]
    said.get_by_role("link", name="Retry").click()
    shown.wait_drawn("tau=0.2")
    assert said.is_hidden()
