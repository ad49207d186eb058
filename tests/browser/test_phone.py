"""One column: panels that make a strip, what stands under the first of two, fingers and paper."""

from itertools import pairwise

import pytest

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
STRIP = ".sim-panels"


@pytest.fixture
def phone(quiet_context):
    return quiet_context(**PHONE).new_page()


def boxes(page, selector):
    return [e.bounding_box() for e in page.locator(selector).all()]


def scrolled(page):
    """How far the strip has scrolled, once it rests."""
    return page.locator(STRIP).evaluate(
        "async e => { for (let last = -1; last !== e.scrollLeft; ) { last = e.scrollLeft;"
        " await new Promise(r => setTimeout(r, 150)) } return e.scrollLeft }"
    )


def swipe(page, at, x=0, y=0):
    """A finger over the middle of `at`, moved by (x, y) pixels; the browser makes the gesture of it."""
    touch = page.context.new_cdp_session(page)
    box = page.locator(at).bounding_box()
    left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for i in range(13):
        points = [{"x": left + x * i / 12, "y": top + y * i / 12}]
        kind = "touchMove" if i else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(16)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def under_each_other(parts):
    return all(a["y"] + a["height"] <= b["y"] for a, b in pairwise(parts))


def test_picture_sentence_and_the_first_controls_share_a_screen(phone, open_sim):
    open_sim("nt-xent-explorer", on=phone)
    assert phone.locator(STRIP).bounding_box()["height"] <= 330
    assert phone.locator(".control-slider input[type=range]").nth(1).bounding_box()["y"] + 44 <= 844
    first, second, *_ = boxes(phone, ".panel")
    assert 0.86 <= first["width"] / (390 - 28) <= 0.92
    assert 20 <= 390 - second["x"] < second["width"]
    assert len({(b["y"], b["height"]) for b in boxes(phone, ".panel-view")}) == 1
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("slug", ["nt-xent-explorer", "embedding-training", "all-controls"])
def test_going_live_moves_nothing_on_a_phone(slug, phone, open_sim):
    sim = open_sim(slug, on=phone)
    if slug != "embedding-training":
        phone.locator(STRIP).evaluate("e => e.scrollTo(9999, 0)")
    before, at = boxes(phone, ".panel-view, .panel-title, .transport, .sim-sentence"), scrolled(phone)
    sim.root.dispatch_event("touchstart")
    sim.wait_state("live")
    assert boxes(phone, ".panel-view, .panel-title, .transport, .sim-sentence") == before
    assert scrolled(phone) == at


def test_a_swipe_brings_the_next_panel_and_the_page_still_scrolls(phone, open_sim):
    open_sim("nt-xent-explorer", on=phone, run=True)
    for turn in (1, 2):
        swipe(phone, f".panel:nth-child({turn}) .panel-view", x=-220)
        assert scrolled(phone) == turn * (330 + 16)
    swipe(phone, ".panel:nth-child(3) .panel-view", y=-150)
    assert phone.evaluate("scrollY") > 100
    for chart in phone.locator(".panel-view .live").all():
        assert chart.get_attribute("data-zoom") == str(330 / 320)


def test_dragging_a_picture_turns_it_and_leaves_the_strip(phone, open_sim):
    open_sim("all-controls", on=phone, run=True)
    assert len({round(box["height"]) for box in boxes(phone, ".panel-view")}) == 1
    yaw = phone.locator("input[name='yaw:value']")
    before = yaw.input_value()
    swipe(phone, "[data-panel=turning] .panel-view", x=-120)
    assert scrolled(phone) == 0
    assert yaw.input_value() != before
    swipe(phone, "[data-panel=turning] .panel-view", y=-150)
    assert phone.evaluate("scrollY") > 100
    assert scrolled(phone) == 0


def test_a_tooltip_stands_by_its_mark_in_the_scrolled_strip(page, open_sim):
    page.set_viewport_size({"width": 390, "height": 844})
    open_sim("all-controls", run=True)
    page.locator(STRIP).evaluate("e => e.scrollTo(e.querySelector('[data-panel=calm]').offsetLeft, 0)")
    scrolled(page)
    mark = page.locator("[data-panel=calm] .live .mark-symbol path").first.bounding_box()
    x, y = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    page.mouse.move(x, y)
    card = page.locator(".tooltip:not([hidden])")
    card.wait_for()
    box = card.bounding_box()
    assert 0 <= box["x"] <= 390 - box["width"]
    assert abs(box["x"] - x) < box["width"] + 20
    assert abs(box["y"] - y) < box["height"] + 20


def test_the_strip_by_keyboard(page, open_sim):
    page.set_viewport_size({"width": 390, "height": 844})
    open_sim("nt-xent-explorer", run=True)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "sim-panels"
    assert page.get_by_role("group", name="4 pictures in a row, scrolls sideways").count() == 1
    page.keyboard.press("ArrowRight")
    assert scrolled(page) > 100
    page.set_viewport_size({"width": 900, "height": 844})
    page.locator(f"{STRIP}:not([tabindex])").wait_for()
    assert page.get_by_role("group", name="scrolls sideways").count() == 0


def test_without_scripts_it_scrolls_and_on_paper_it_is_a_stack(quiet_context, book):
    page = quiet_context(java_script_enabled=False, viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{book.url}sims/nt-xent-explorer/main.html")
    page.mouse.move(150, 200)
    page.mouse.wheel(330, 0)
    page.wait_for_timeout(600)
    assert boxes(page, ".panel")[1]["x"] == pytest.approx(14, abs=1)
    page.emulate_media(media="print")
    stacked = boxes(page, ".panel")
    assert len({b["x"] for b in stacked}) == 1
    assert under_each_other(stacked)


def test_of_two_panels_what_plays_stands_under_the_first(phone, open_sim):
    open_sim("embedding-training", on=phone)
    first, second = boxes(phone, ".panel")
    legend, transport, sentence = boxes(phone, ".legends, .transport, .sim-sentence")
    assert under_each_other([first, legend, transport, sentence, second, *boxes(phone, ".sim-controls")])
    assert transport["y"] + transport["height"] <= 844
