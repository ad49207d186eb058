"""Every page type: nothing overflows at 320 px, axe finds nothing serious, keys and no scripts suffice."""

import re

import pytest

from build_scripts.static_server import StaticServer

PAGES = {
    "home": "",
    "chapter": "chapters/03-nt-xent/",
    "gallery": "sims/",
    "sim page": "sims/nt-xent-explorer/",
    "timeline sim page": "sims/embedding-training/",
    "sim": "sims/nt-xent-explorer/main.html",
    "timeline sim": "sims/embedding-training/main.html",
    "every control": "sims/all-controls/main.html",
    "notebook": "notebooks/nt-xent-from-scratch/",
    "develop": "develop/architecture/",
    "reference": "reference/losses/",
    "reference of classes": "reference/encoders/",
    "instructors": "instructors/",
    "references": "references/",
}


def in_theme(page, theme):
    page.emulate_media(color_scheme=theme)


def in_both_themes(page, axe):
    """What axe finds in a page that opened light, and after the system has gone dark."""
    background = "() => getComputedStyle(document.body).backgroundColor"
    light, found = page.evaluate(background), [f"light: {fault}" for fault in axe(page)]
    in_theme(page, "dark")
    page.wait_for_function(f"light => ({background})() !== light", arg=light)
    page.wait_for_timeout(400)  # what fades has faded
    return found + [f"dark: {fault}" for fault in axe(page)]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(name, book, page, axe, arrive):
    in_theme(page, "light")
    arrive(page, book.url + PAGES[name])
    assert in_both_themes(page, axe) == []


@pytest.mark.parametrize("slug", ["nt-xent-explorer", "embedding-training"])
def test_axe_finds_nothing_serious_in_a_live_sim(slug, page, open_sim, axe):
    in_theme(page, "light")
    open_sim(slug, run=True)
    assert in_both_themes(page, axe) == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_overflows(name, book, page, arrive):
    page.set_viewport_size({"width": 320, "height": 800})
    arrive(page, book.url + PAGES[name])
    over = {}
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(250)  # sims answer a new width with a new height
        over[width] = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    assert max(over.values()) <= 0, over


def test_no_page_at_all_is_wider_than_the_narrowest_phone(site, book, quiet_context):
    page = quiet_context(viewport={"width": 320, "height": 800}, java_script_enabled=False).new_page()
    pages = sorted(path.parent.relative_to(site).as_posix() for path in site.glob("**/index.html"))
    assert len(pages) > 20
    over = {}
    for place in pages:
        page.goto(f"{book.url}{place}/", wait_until="load")
        over[place] = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    assert {place: by for place, by in over.items() if by > 0} == {}


@pytest.mark.parametrize("base", ["", "repo-name", "deep/er/path"])
def test_any_base_path_works(base, site, page, arrive):
    with StaticServer(site, prefix=base) as server:
        arrive(page, server.url + "chapters/03-nt-xent/")
        # Under its cover the frame waits until the reader comes near.
        page.locator("figure.embed").first.scroll_into_view_if_needed()
        page.frame_locator("iframe").first.locator("main.sim svg").first.wait_for()
        page.goto(server.url + "sims/nt-xent-explorer/main.html?run=1")
        page.locator("main.sim[data-state=live]").wait_for(timeout=60_000)
        broken = [a for a in server.log if a.status >= 400 and not a.path.endswith("favicon.ico")]
        assert broken == []


@pytest.mark.parametrize("slug", ["nt-xent-explorer", "embedding-training"])
def test_without_scripts_the_page_carries_picture_numbers_and_sentence(slug, book, quiet_context, python_sim):
    page = quiet_context(java_script_enabled=False).new_page()
    page.goto(f"{book.url}sims/{slug}/", wait_until="load")
    page.locator("iframe").first.scroll_into_view_if_needed()
    frame = page.frame_locator("iframe").first
    frame.locator("figure[data-panel] svg").first.wait_for()
    sentence = re.sub(r"\s+", " ", frame.get_by_role("status").inner_text()).strip()
    assert sentence == python_sim(slug)().alt.strip()
    assert frame.locator("output[data-value]").count() == len(python_sim(slug)().readouts)


def test_a_chapter_carries_both_sims_and_state_links_set_them(book, page, framed, arrive):
    arrive(page, book.url + "chapters/03-nt-xent/")
    sources = page.locator("iframe[src*='main.html']")
    slugs = {re.search(r"sims/([^/]+)/main", s.get_attribute("src")).group(1) for s in sources.all()}
    assert {"nt-xent-explorer", "embedding-training"} <= slugs
    for iframe in sources.all():
        for needed in ("src", "width", "height", "title", "loading"):
            assert iframe.get_attribute(needed)
    link = page.locator("a[href*='nt-xent-explorer/main.html?'], a[data-state-query]").first
    link.scroll_into_view_if_needed()
    href = link.get_attribute("href")
    slug, query = re.search(r"sims/([^/]+)/main\.html\?(.+)$", href).groups()
    before = page.url.split("#")[0]
    link.click()
    inside = framed(page.frame_locator(f"iframe[src*='{slug}/main.html']").first, slug)
    for part in query.split("&"):
        inside.wait_drawn(part)
    assert page.url.split("#")[0] == before


def test_a_state_link_reaches_a_frame_that_comes_later(book, page, framed):
    held = []

    def hold(route):
        held.append(route)

    page.route("**/sims/nt-xent-explorer/main.html*", hold)
    page.goto(book.url + "chapters/03-nt-xent/", wait_until="domcontentloaded")
    link = page.locator("a[data-sim=nt-xent-explorer].state-link").first
    link.click()
    page.wait_for_timeout(300)
    assert held  # the frame was asked for, and is not there
    page.unroute_all()  # lets it come
    inside = framed(page.frame_locator("iframe[src*='nt-xent-explorer/main.html']").first, "nt-xent-explorer")
    for part in link.get_attribute("data-query").split("&"):
        inside.wait_drawn(part)


def test_the_book_passes_its_theme_to_the_sims(book, page, arrive):
    in_theme(page, "light")
    arrive(page, book.url + "sims/nt-xent-explorer/")
    frame = page.frame_locator("iframe[src*='main.html']").first
    frame.locator("main.sim").wait_for()
    page.wait_for_timeout(300)
    inner = next(f for f in page.frames if "main.html" in f.url)
    colour = "() => getComputedStyle(document.body).backgroundColor"
    light = inner.evaluate(colour)
    toggle = page.locator("label[for^='__palette']:visible, [data-action=theme]:visible").first
    for _ in range(3):
        toggle.click()
        page.wait_for_timeout(400)
        if inner.evaluate(colour) != light:
            break
    assert inner.evaluate(colour) != light
    assert page.evaluate("() => document.body.dataset.mdColorScheme") == "slate"


def test_a_sim_by_keyboard_alone(page, open_sim):
    shown = open_sim("nt-xent-explorer")
    active = "() => { const e = document.activeElement; return e.name || e.dataset.action || e.tagName }"
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(active))
        if reached[-1] == "tau":
            break
    assert "tau" in reached
    ring = page.evaluate(
        "() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.boxShadow }"
    )
    assert ring != "nonenone"
    before = shown.readouts()
    page.keyboard.press("ArrowRight")
    shown.wait_drawn("tau=")
    shown.wait_state("live")
    page.wait_for_timeout(150)
    assert shown.readouts() != before
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(active))
    for action in ("copy-link", "copy-embed", "fullscreen", "code"):
        assert action in reached


def test_a_timeline_by_keyboard(page, open_sim):
    shown = open_sim("embedding-training")
    play = shown.root.locator("[data-action=play]")
    play.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(900)
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    stopped = shown.drawn
    assert "epoch=" in stopped
    page.wait_for_timeout(500)
    assert shown.drawn == stopped
    shown.root.locator("input[type=range][name=epoch]").focus()
    page.keyboard.press("Home")
    shown.wait_drawn("epoch=0")


def test_reduced_motion_still_steps(quiet_context, book, framed):
    page = quiet_context(reduced_motion="reduce").new_page()
    page.goto(f"{book.url}sims/embedding-training/main.html?epoch=10")
    shown = framed(page, "embedding-training")
    shown.wait_drawn("epoch=10")
    page.wait_for_timeout(600)
    assert "epoch=10" in shown.drawn
    shown.root.locator("[data-action=step]").click()
    shown.wait_drawn("epoch=11")


def test_the_hand_over_from_painted_to_live_moves_nothing(page, open_sim):
    shown = open_sim("nt-xent-explorer")
    boxes = lambda: [f.bounding_box() for f in page.locator("figure[data-panel]").all()]  # noqa: E731
    page.wait_for_timeout(400)
    painted = boxes()
    height = page.evaluate("() => document.documentElement.scrollHeight")
    shown.root.locator("input[type=range][name=tau]").focus()
    shown.wait_state("live")
    page.wait_for_timeout(400)
    for before, after in zip(painted, boxes(), strict=True):
        for side in ("x", "y", "width", "height"):
            assert after[side] == pytest.approx(before[side], abs=1.0)
    assert page.evaluate("() => document.documentElement.scrollHeight") == pytest.approx(height, abs=2)


def test_hovering_a_point_shows_the_image_of_the_digit(page, open_sim):
    shown = open_sim("embedding-training", run=True)
    panel = shown.root.locator("figure[data-panel]").first
    box = panel.bounding_box()
    tooltip = page.locator("[data-part=tooltip]")
    found = False
    for i in range(1, 40):
        for j in (0.3, 0.5, 0.7, 0.45):
            page.mouse.move(box["x"] + box["width"] * i / 40, box["y"] + box["height"] * j)
            if tooltip.is_visible() and tooltip.locator("canvas, img").count():
                found = True
                break
        if found:
            break
    assert found


def test_search_finds_the_chapter(book, page, arrive):
    arrive(page, book.url)
    page.keyboard.press("s")
    page.keyboard.type("temperature", delay=20)
    page.locator(".md-search-result__item a").first.wait_for(timeout=15_000)
    assert page.locator(".md-search-result__item").count() > 0


def test_formulas_are_drawn_without_scripts(book, quiet_context):
    page = quiet_context(java_script_enabled=False).new_page()
    page.goto(book.url + "chapters/03-nt-xent/")
    assert page.locator(".katex").count() > 10
    text = page.locator("article").inner_text()
    assert "\\frac" not in text
    assert "$$" not in text
    for marker in ("{control:", "{sim:", "{value:", "[@", "](state:", ":::predict"):
        assert marker not in text
