"""The painted sim stands in the embedding page itself until its frame is ready."""

import pytest

PAGES = {"home": "", "sim page": "sims/nt-xent-explorer/", "chapter": "chapters/03-nt-xent/"}


@pytest.mark.parametrize("name", PAGES)
def test_the_picture_is_there_though_the_frame_never_comes(name, book, page):
    page.route("**/main.html*", lambda route: route.abort())
    page.goto(book.url + PAGES[name], wait_until="load")
    cover = page.locator(".embed-cover")
    assert cover.count() == 1
    picture = cover.locator("figure[data-panel] svg").first
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
    page.goto(book.url + PAGES["sim page"], wait_until="networkidle")
    assert page.locator(".embed-cover").is_hidden()
    assert page.frame_locator("figure.embed iframe").locator("figure[data-panel] svg").first.is_visible()


def test_a_sim_opened_in_another_state_has_no_cover_that_tells_the_default(book, page):
    page.goto(book.url + PAGES["chapter"], wait_until="load")
    for embed in page.locator("figure.embed").all():
        source = embed.locator("iframe").get_attribute("src")
        states = [p for p in source.partition("?")[2].split("&") if p and not p.startswith("hide=")]
        assert not (states and embed.locator(".embed-cover").count())
