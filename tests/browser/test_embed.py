"""An embed is an address: it works on another site with nothing else, and better with the listener."""

import re

import pytest

from build_scripts.static_server import StaticServer

SLUG = "nt-xent-explorer"


@pytest.fixture
def host(tmp_path):
    """Another site: `host(html)` serves a page and returns its address."""
    with StaticServer(tmp_path) as server:

        def publish(html):
            (tmp_path / "index.html").write_text(f"<!doctype html><title>a blog</title>{html}", "utf-8")
            return server.other_site

        yield publish


def iframe(book, query="", height=420):
    return (
        f'<iframe src="{book.url}sims/{SLUG}/main.html{query}" width="100%" height="{height}" '
        'title="NT-Xent explorer" loading="lazy"></iframe>'
    )


def test_from_another_site_with_four_attributes_alone(book, host, page, framed, python_sim):
    page.goto(host(iframe(book)))
    shown = framed(page.frame_locator("iframe"), SLUG)
    shown.wait_state("painted")
    shown.set("tau", python_sim(SLUG).controls["tau"], 0.2)
    shown.wait_state("live")
    shown.wait_drawn("tau=0.2")
    frame = page.frames[1]
    scrolls = frame.evaluate("() => document.scrollingElement.scrollHeight > innerHeight")
    assert scrolls
    assert frame.evaluate("() => getComputedStyle(document.documentElement).overflowY") != "hidden"


def test_with_the_listener_the_frame_gets_its_height(book, host, page, framed):
    listener = """<script>addEventListener('message', e => {
      for (const f of document.querySelectorAll('iframe'))
        if (f.contentWindow === e.source && e.data?.type === 'lwl:height') f.height = e.data.height;
    });</script>"""
    page.goto(host(listener + iframe(book, height=100)))
    shown = framed(page.frame_locator("iframe"), SLUG)
    shown.wait_state("painted")
    page.wait_for_timeout(500)
    frame = page.frames[1]
    content = frame.evaluate("() => document.documentElement.scrollHeight")
    height = page.locator("iframe").bounding_box()["height"]
    assert height > 300
    assert abs(height - content) <= 4


def lightness(frame):
    colour = frame.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return sum(int(n) for n in re.findall(r"\d+", colour)[:3])


@pytest.mark.parametrize(("query", "follows"), [("", True), ("?theme=auto", True), ("?theme=dark", False)])
def test_theme_by_message_unless_the_address_names_one(query, follows, book, host, page):
    page.emulate_media(color_scheme="dark")
    page.goto(host(iframe(book, query)))
    # Who posts before the player listens is not heard; the first height message says that it does.
    page.frame_locator("iframe").locator("main.sim[data-drawn]").wait_for()
    inside = page.frames[1]
    assert lightness(inside) < 200
    page.evaluate("frames[0].postMessage({type: 'lwl:theme', theme: 'light'}, '*')")
    page.wait_for_timeout(300)
    assert (lightness(inside) > 600) == follows


def test_state_in_the_address_round_trips(book, page, open_sim, python_sim):
    sim = python_sim(SLUG)
    shown = open_sim(SLUG, run=True)
    shown.set("tau", sim.controls["tau"], 0.05)
    shown.wait_drawn("tau=0.05")
    readouts = shown.readouts()
    page.wait_for_url(re.compile("tau=0\\.05"))
    again = page.context.new_page()
    again.goto(page.url)
    other = open_sim(SLUG, page.url.split("?", 1)[1], on=again)
    other.wait_state("live")
    assert other.readouts() == pytest.approx(readouts, rel=1e-12)


@pytest.mark.parametrize(
    "query",
    [
        "tau=1e999",
        "tau=%3Cscript%3Ealert(1)%3C/script%3E",
        "tau=NaN",
        "tau=-1",
        "tau=",
        "positive=0x10",
        "x" * 10_000 + "=1",
        "tau=" + "9" * 10_000,
        "theme=%22%3E%3Cimg src=x onerror=alert(1)%3E",
        "hide=%3Cscript%3E,tau",
        "frame=-5",
        "__proto__=1&constructor=2&tau=0.3;drop",
    ],
)
def test_hostile_addresses_do_nothing_worse_than_the_default(query, page, open_sim, python_sim):
    alarms = []
    page.on("dialog", lambda d: (alarms.append(d.message), d.dismiss()))
    page.on("pageerror", lambda e: alarms.append(str(e)))
    shown = open_sim(SLUG, query, run=True)
    assert alarms == []
    wanted = {n: r.value for n, r in python_sim(SLUG)().readouts.items()}
    assert shown.readouts() == pytest.approx(wanted, rel=1e-9)
    assert page.locator("main script:not([type='application/json']), main img[onerror]").count() == 0
    if query.startswith(("tau=", "positive=")) and query != "tau=":
        notice = shown.root.locator("[data-part=notice]")
        assert notice.is_visible()
        label = python_sim(SLUG).controls[query.split("=", 1)[0]].label
        assert label in notice.inner_text()


def test_hide_and_text(open_sim):
    shown = open_sim(SLUG, "hide=tau,actions&text=off")
    assert shown.root.locator("input[name=tau]").is_hidden()
    assert shown.root.locator("[data-action=copy-link]").is_hidden()
    status = shown.root.get_by_role("status")
    assert status.count() == 1
    box = status.bounding_box()
    assert box is None or box["height"] <= 2


def test_copied_link_and_embed_code_reopen_the_state(book, quiet_context, framed, python_sim):
    context = quiet_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{book.url}sims/{SLUG}/main.html?tau=0.05&run=1")
    shown = framed(page, SLUG)
    shown.wait_state("live")
    shown.root.locator("[data-action=copy-link]").click()
    page.wait_for_timeout(200)
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert link.startswith(book.url)
    assert "tau=0.05" in link
    shown.root.locator("[data-action=copy-embed]").click()
    page.wait_for_timeout(200)
    code = page.evaluate("() => navigator.clipboard.readText()")
    assert re.match(r"<iframe ", code)
    for needed in ("src=", "width=", "height=", "title=", 'loading="lazy"', "tau=0.05"):
        assert needed in code
    other = context.new_page()
    other.set_content(code)
    inside = framed(other.frame_locator("iframe"), SLUG)
    inside.wait_drawn("tau=0.05")


def test_no_request_leaves_the_host(book, page, open_sim, no_leaks, arrive):
    for path in ("", "sims/", f"sims/{SLUG}/"):
        arrive(page, book.url + path)
    open_sim(SLUG, run=True)
    open_sim("embedding-training", run=True)
    assert no_leaks() == []
    assert any(a.path.endswith(".wasm") for a in book.log)
