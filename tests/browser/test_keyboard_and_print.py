"""By keys alone every control is reached, seen and worked; paper has picture, numbers and sentence."""

import re

import pytest
from playwright.sync_api import expect

ACTIVE = """() => { const e = document.activeElement;
  return e.closest('.cm-editor') ? 'editor' : e.name || e.dataset.action || e.dataset.legend || e.tagName }"""
# What a reader sees of the focus: an outline or a shadow on the element or on the label that stands for it.
RING = """() => { let e = document.activeElement;
  const marked = e => { const s = getComputedStyle(e);
    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== 'none' };
  const near = [e, e.nextElementSibling, e.parentElement, e.closest('.cm-editor')].filter(Boolean);
  return near.some(marked) }"""


@pytest.fixture
def tab_to(page):
    """Press Tab until the focus is on `name`; every stop on the way must show where it is."""

    def go(name, key="Tab", most=60):
        for _ in range(most):
            page.keyboard.press(key)
            now = page.evaluate(ACTIVE)
            if now != "BODY" and not page.evaluate(RING):
                page.wait_for_timeout(80)  # the editor marks itself a moment after the focus has come
                assert page.evaluate(RING), f"no visible focus on {now}"
            if now == name:
                return
        pytest.fail(f"{most} times {key} do not reach {name}")

    return go


def test_every_kind_of_control_by_keys_alone(open_sim, page, tab_to):
    shown = open_sim("all-controls")
    tab_to("show")  # a legend
    page.keyboard.press("Space")
    shown.wait_drawn("show=b,c")
    tab_to("all")
    page.keyboard.press("Enter")
    expect(shown.root).not_to_have_attribute("data-drawn", re.compile("show="))
    tab_to("turn")  # a timeline
    page.keyboard.press("Home")
    shown.wait_drawn("turn=0")
    page.keyboard.press("ArrowRight")
    shown.wait_drawn("turn=1")
    tab_to("radius")
    page.keyboard.press("End")
    shown.wait_drawn("radius=1")
    tab_to("shape")  # a choice shown as segments
    page.keyboard.press("ArrowRight")
    shown.wait_drawn("shape=line")
    tab_to("hue")  # a choice shown as a list
    page.keyboard.press("ArrowDown")
    shown.wait_drawn("hue=blue")
    tab_to("mirrored")  # a toggle
    page.keyboard.press("Space")
    shown.wait_drawn("mirrored=1")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(ACTIVE) == "hue"


def test_the_keyboard_enters_the_editor_works_there_and_leaves(open_sim, page, tab_to):
    shown = open_sim("raises-above")
    tab_to("code")
    page.keyboard.press("Enter")
    page.locator(".cm-content").wait_for()
    tab_to("editor", "Shift+Tab", 12)
    page.keyboard.press("Control+End")
    page.keyboard.type("\n# a reader was here")
    page.keyboard.press("Control+Enter")
    expect(shown.root.locator("[data-part=notice]")).to_contain_text("your edited version", timeout=60_000)
    text = page.locator(".cm-content").inner_text()
    page.keyboard.press("Tab")
    assert page.evaluate(ACTIVE) != "editor"  # no trap
    assert page.locator(".cm-content").inner_text() == text
    tab_to("reset-code", "Shift+Tab", 6)
    page.keyboard.press("Enter")
    expect(page.locator(".cm-content")).not_to_contain_text("a reader was here")


def test_copying_by_keys(book, quiet_context, framed):
    page = quiet_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(f"{book.url}sims/nt-xent-explorer/main.html")
    shown = framed(page, "nt-xent-explorer")
    for action, wanted in (("copy-link", "/main.html"), ("copy-embed", "<iframe ")):
        button = shown.root.locator(f"[data-action={action}]")
        button.focus()
        page.keyboard.press("Enter")
        expect(shown.root.locator("[data-part=said]")).to_contain_text("copied")
        assert wanted in page.evaluate("() => navigator.clipboard.readText()")
        assert page.evaluate(ACTIVE) == action  # the focus stays where the reader is


@pytest.mark.parametrize("state", ["painted", "live"])
@pytest.mark.parametrize("slug", ["nt-xent-explorer", "embedding-training"])
def test_a_printed_sim_is_on_white_with_picture_numbers_and_sentence(slug, state, open_sim, python_sim, page):
    page.emulate_media(color_scheme="dark")
    shown = open_sim(slug, run=state == "live")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_timeout(300)
    assert shown.root.get_by_role("status").inner_text().strip() == python_sim(slug)().alt.strip()
    for output in shown.root.locator("output[data-value]").all():
        assert output.is_visible()
    pictures = shown.root.locator("figure[data-panel] :is(svg, canvas):visible")
    assert pictures.count() >= shown.root.locator("figure[data-panel]").count()
    assert shown.root.locator("[data-action]:visible").count() == 0
    look = page.evaluate(
        """() => { const s = getComputedStyle(document.body);
        return [s.backgroundColor, getComputedStyle(document.querySelector('[role=status]')).color] }"""
    )
    paper, ink = (sum(float(n) for n in re.findall(r"[\d.]+", colour)[:3]) for colour in look)
    assert look[0] == "rgba(0, 0, 0, 0)" or paper > 740
    assert ink < 250


@pytest.mark.parametrize(
    "path", ["chapters/03-nt-xent/", "sims/nt-xent-explorer/", "notebooks/nt-xent-from-scratch/"]
)
def test_a_printed_page_is_dark_on_white_in_either_theme(path, book, page, arrive):
    page.emulate_media(color_scheme="dark")
    arrive(page, book.url + path)
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_timeout(200)
    paper, ink = page.evaluate(
        """() => [document.body, document.querySelector('article p:not([class])')]
        .map((e, i) => getComputedStyle(e)[i ? 'color' : 'backgroundColor'].match(/[\\d.]+/g).map(Number))"""
    )
    assert (len(paper) == 4 and paper[3] == 0) or sum(paper[:3]) > 740
    assert sum(ink[:3]) < 300
    assert page.locator(".md-header, .md-sidebar--primary, .md-footer").filter(visible=True).count() == 0
