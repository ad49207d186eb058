"""The address and the messages of an embed: what each name does, and whom a sim listens to."""

import re
from itertools import islice

import pytest
from playwright.sync_api import expect

from build_scripts.static_server import StaticServer

SLUG = "nt-xent-explorer"


@pytest.fixture
def blog(book, tmp_path):
    """A page of another site with one sim in it, which keeps what it is told in `window.told`."""
    with StaticServer(tmp_path) as server:

        def publish(slug=SLUG, query=""):
            (tmp_path / "index.html").write_text(
                "<!doctype html><title>a blog</title><script>window.told = [];"
                "addEventListener('message', e => told.push([e.data, e.source === frames[0]]))</script>"
                f'<iframe src="{book.url}sims/{slug}/main.html{query}" width="900" height="900" '
                'title="a sim"></iframe>'
            )
            return server.other_site

        yield publish


def told(page, kind):
    return [data for data, mine in page.evaluate("told") if mine and data.get("type") == kind]


def test_the_page_around_hears_of_the_readers_changes_alone(blog, page, framed):
    page.goto(blog())
    shown = framed(page.frame_locator("iframe[title]"), SLUG)
    shown.wait_state("painted")
    page.evaluate("frames[0].postMessage({type: 'lwl:state', query: 'tau=0.1'}, '*')")
    shown.wait_drawn("tau=0.1")
    assert told(page, "lwl:state") == []  # what the page asked for is no news to it
    shown.root.locator("input[type=range][name=tau]").focus()
    page.keyboard.press("Home")
    shown.wait_drawn("tau=0.02")
    assert told(page, "lwl:state")[-1] == {"type": "lwl:state", "query": "tau=0.02"}
    assert all(m["height"] > 100 for m in told(page, "lwl:height"))


def test_a_message_from_any_window_but_the_parent_is_ignored(blog, page, framed):
    page.goto(blog())
    shown = framed(page.frame_locator("iframe[title]"), SLUG)
    shown.wait_state("painted")
    shown.root.locator("input[type=range][name=tau]").focus()
    shown.wait_state("live")
    page.evaluate(
        """() => new Promise(done => {
        const stranger = document.createElement('iframe');
        stranger.srcdoc = `<script>for (const m of [{type: 'lwl:state', query: 'tau=0.1'},
          {type: 'lwl:theme', theme: 'dark'}]) parent.frames[0].postMessage(m, '*')</` + `script>`;
        stranger.onload = done;
        document.body.append(stranger);
        })"""
    )
    page.wait_for_timeout(400)
    assert shown.drawn == ""
    html = page.frame_locator("iframe[title]").locator("html")
    assert html.get_attribute("data-theme") is None
    # The same two from the page around do what they say.
    page.evaluate("frames[0].postMessage({type: 'lwl:theme', theme: 'dark'}, '*')")
    expect(html).to_have_attribute("data-theme", "dark")
    page.evaluate("frames[0].postMessage({type: 'lwl:state', query: 'tau=0.1'}, '*')")
    framed(page.frame_locator("iframe[title]"), SLUG).wait_drawn("tau=0.1")


def test_the_books_page_ignores_heights_of_strangers(book, page, arrive):
    arrive(page, f"{book.url}sims/{SLUG}/")
    frame = page.locator(f"figure.embed[data-sim='{SLUG}'] iframe").first
    expect(frame).to_have_attribute("style", re.compile("height"))
    before = frame.bounding_box()["height"]
    page.evaluate(
        """() => new Promise(done => {
        const stranger = document.createElement('iframe');
        stranger.srcdoc = `<script>parent.postMessage({type: 'lwl:height', height: 123}, '*')</` + `script>`;
        stranger.onload = done;
        document.body.append(stranger);
        })"""
    )
    page.evaluate("postMessage({type: 'lwl:height', height: 123}, '*')")
    page.wait_for_timeout(300)
    assert frame.bounding_box()["height"] == before


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        "lwl:state",
        {"type": "lwl:state"},
        {"type": "lwl:theme", "theme": "<"},
        {"type": "lwl:state", "query": "tau=1e999&__proto__=2"},
    ],
)
def test_senseless_messages_change_nothing(message, blog, page, framed):
    alarms = []
    page.on("pageerror", lambda e: alarms.append(str(e)))
    page.goto(blog())
    shown = framed(page.frame_locator("iframe[title]"), SLUG)
    shown.wait_state("painted")
    page.evaluate("m => frames[0].postMessage(m, '*')", message)
    page.wait_for_timeout(300)
    assert alarms == []
    assert shown.drawn == ""


@pytest.mark.parametrize("frame", [12, 75])
def test_a_process_is_replayed_to_the_frame_of_the_address(frame, open_sim, python_sim):
    """Step 12 is recorded; step 75 is past what is, and Python runs up to it."""
    shown = open_sim("process-walk", f"frame={frame}&seed=0")
    shown.wait_drawn(f"frame={frame}")
    wanted = next(islice(python_sim("process-walk")(seed=0), frame, None))
    assert shown.readouts() == pytest.approx({n: r.value for n, r in wanted.readouts.items()}, rel=1e-9)
    assert shown.state == ("baked" if frame < 60 else "live")


def test_a_replay_keeps_the_other_controls(open_sim, python_sim):
    shown = open_sim("process-walk", "seed=4&rate=0.1&frame=12")
    shown.wait_state("live")
    shown.wait_drawn("frame=12")
    wanted = next(islice(python_sim("process-walk")(seed=4, rate=0.1), 12, None))
    assert shown.readouts() == pytest.approx({n: r.value for n, r in wanted.readouts.items()}, rel=1e-9)


def test_a_frame_past_the_end_is_the_last_one(open_sim):
    shown = open_sim("process-walk", "frame=500&run=1")
    shown.wait_drawn("frame=199")
    assert "ends at step 199" in shown.root.locator("[data-part=notice]").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_in_the_address_wins_over_the_system(theme, open_sim, page):
    page.emulate_media(color_scheme="dark" if theme == "light" else "light")
    open_sim(SLUG, f"theme={theme}")
    assert page.locator("html").get_attribute("data-theme") == theme
    panel = page.evaluate("() => getComputedStyle(document.body).color.match(/\\d+/g).map(Number)")
    assert (sum(panel[:3]) > 380) == (theme == "dark")


@pytest.mark.parametrize(
    ("part", "selector"),
    [
        ("title", ".sim-title"),
        ("controls", ".sim-controls"),
        ("readouts", ".readouts"),
        ("formula", ".formula"),
        ("actions", ".sim-actions"),
        ("batch_size", "[data-control=batch_size]"),
    ],
)
def test_each_part_can_be_hidden(part, selector, open_sim):
    shown = open_sim(SLUG)
    assert shown.root.locator(selector).first.is_visible()
    shown = open_sim(SLUG, f"hide={part}")
    expect(shown.root.locator(selector).first).to_be_hidden()
    assert shown.root.locator("figure[data-panel] svg:visible").count() > 0


def test_python_starts_only_when_asked(book, open_sim, page):
    shown = open_sim(SLUG)
    page.wait_for_timeout(1200)
    assert shown.state == "painted"
    assert not any(a.path.startswith("runtime/") for a in book.log)
    open_sim(SLUG, "run=0")
    page.wait_for_timeout(400)
    assert not any(a.path.startswith("runtime/") for a in book.log)
    open_sim(SLUG, "run=1").wait_state("live")
