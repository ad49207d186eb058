"""The painted sim stands in the embedding page itself until its frame is ready."""

import re

import pytest

PAGES = {"home": "", "sim page": "sims/nt-xent-explorer/", "chapter": "chapters/03-nt-xent/"}


@pytest.mark.parametrize("name", PAGES)
def test_the_picture_is_there_though_the_frame_never_comes(name, book, page):
    page.route("**/main.html*", lambda route: route.abort())
    page.goto(book.url + PAGES[name], wait_until="load")
    cover = page.locator(".embed-cover")
    assert cover.count() == 1
    picture = cover.locator("figure[data-panel] :is(svg, img)").first
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box["width"] > 200
    assert box["height"] > 100
    # It is a picture of a sim, not one: nothing in it can be reached.
    assert page.evaluate("() => document.querySelector('.embed-cover').inert")
    frame = page.locator("figure.embed iframe").first.bounding_box()
    assert cover.bounding_box()["x"] == pytest.approx(frame["x"] + 1, abs=0.5)
    assert cover.bounding_box()["width"] == pytest.approx(frame["width"] - 2, abs=0.5)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_frame_takes_over_where_the_picture_stood(width, book, page):
    page.set_viewport_size({"width": width, "height": 900})
    page.route("**/_player/player.js", lambda route: route.abort())
    page.goto(book.url + PAGES["sim page"], wait_until="load")
    covered = [f.bounding_box() for f in page.locator(".embed-cover figure[data-panel]").all()]
    assert len(covered) == 4
    page.unroute("**/_player/player.js")
    page.goto(book.url + PAGES["sim page"], wait_until="load")
    page.locator(".embed-cover").wait_for(state="detached")
    frame = page.frame_locator("figure.embed iframe")
    framed = [f.bounding_box() for f in frame.locator("figure[data-panel]").all()]
    for before, after in zip(covered, framed, strict=True):
        for side in ("x", "y", "width", "height"):
            assert after[side] == pytest.approx(before[side], abs=1.5)


def test_without_scripts_the_frame_itself_is_seen(book, quiet_context):
    page = quiet_context(java_script_enabled=False).new_page()
    page.goto(book.url + PAGES["sim page"], wait_until="load")
    assert page.locator(".embed-cover").is_hidden()
    assert (
        page.frame_locator("figure.embed iframe")
        .locator("figure[data-panel] :is(svg, img)")
        .first.is_visible()
    )


def test_a_sim_opened_in_another_state_has_no_cover_that_tells_the_default(book, page):
    page.goto(book.url + PAGES["chapter"], wait_until="load")
    for embed in page.locator("figure.embed").all():
        source = embed.locator("iframe").get_attribute("src")
        states = [p for p in source.partition("?")[2].split("&") if p and not p.startswith("hide=")]
        assert not (states and embed.locator(".embed-cover").count())


def test_the_picture_comes_before_its_frame_and_no_script_holds_it_up(book, page):
    page.goto(book.url, wait_until="load")
    html = page.request.get(book.url).text()
    cover, frame = html.index('<div class="embed-cover"'), html.index("<iframe")
    assert cover < frame
    assert 'loading="lazy"' in html[frame : html.index(">", frame)]
    scripts = [tag for tag in re.findall(r"<script[^>]*>", html) if re.search(r"\ssrc=", tag)]
    assert scripts
    assert [tag for tag in scripts if not re.search(r'defer|type="module"', tag)] == []
    page.keyboard.press("/")
    assert page.locator("[data-md-component=search-query]").evaluate("e => e === document.activeElement")


def test_after_the_first_paint_the_whole_page_is_laid_out(book, page):
    page.goto(book.url + PAGES["chapter"], wait_until="load")
    page.wait_for_function("() => 'whole' in document.documentElement.dataset")
    paragraphs = page.locator(".md-content__inner > p:not([class])")
    assert paragraphs.count() > 20
    ways = paragraphs.evaluate_all("all => [...new Set(all.map(p => getComputedStyle(p).contentVisibility))]")
    assert ways == ["visible"]


def test_an_address_with_an_anchor_shows_its_heading(book, page):
    page.goto(book.url + PAGES["chapter"] + "#activities", wait_until="load")
    page.wait_for_function("() => 'whole' in document.documentElement.dataset")
    page.wait_for_timeout(300)
    assert 0 <= page.locator("#activities").bounding_box()["y"] < 160


def test_a_cover_is_printed_when_its_frame_has_not_come(book, page):
    page.route("**/main.html*", lambda route: route.abort())
    page.goto(book.url + PAGES["sim page"], wait_until="load")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator(".embed-cover figure[data-panel] :is(svg, img)").first.is_visible()
