"""One style sheet for the book, and what a cover keeps of the player's."""

import io
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from build_scripts.book_css import SHEETS, sheet
from build_scripts.look import tokens
from build_scripts.markdown.cover import cover, cover_css
from build_scripts.render.paint import Painting
from build_scripts.render.still import DENSE, still_name
from build_scripts.render.still import stills as stills_of

MARKS = "".join(f'<path d="M{i},0h1"/>' for i in range(DENSE + 1))


def sim(svg):
    return (
        '<main class="sim" data-sim="x" data-state="painted" data-columns="1" data-narrow="lead">'
        '<header class="sim-head"><h1 class="sim-title">Title</h1><p class="sim-origin"></p>'
        '<div class="phase" hidden></div></header>'
        '<div class="sim-stage"><div class="sim-panels"><figure class="panel" data-panel="points" role="img" '
        f'aria-label="points"><div class="panel-view"><div class="painted"><svg>{svg}</svg></div></div>'
        '</figure></div><p class="sim-sentence">Words</p></div>'
        '<form class="sim-controls"><input type="range"></form></main>'
    )


def test_addresses_inside_lead_from_the_one_sheet():
    _, text = sheet(
        [
            ("assets/katex/katex.min.css", "@font-face{src:url(fonts/a.woff2)} b{background:url('x.png')}"),
            ("assets/site.css", "a{background:url(mark.svg)} i{background:url(data:image/svg+xml,x)}"),
        ]
    )
    assert "url(katex/fonts/a.woff2)" in text
    assert "url('katex/x.png')" in text
    assert "url(mark.svg)" in text
    assert "url(data:image/svg+xml,x)" in text


def test_its_name_changes_with_its_content_and_maps_are_left_out():
    one, text = sheet([("assets/site.css", "a{color:red}\n/*# sourceMappingURL=site.css.map */")])
    other, _ = sheet([("assets/site.css", "a{color:blue}")])
    assert one != other
    assert re.fullmatch(r"assets/book\.[0-9a-f]{8}\.css", one)
    assert "sourceMappingURL" not in text


@pytest.mark.parametrize("pattern", SHEETS)
def test_every_sheet_has_one_place(pattern):
    assert pattern.startswith("assets/")
    assert pattern.endswith(r"\.css")


def test_a_cover_is_title_and_pictures_alone():
    html = cover(sim("<path d='M0,0h1'/>"), frozenset(), "sims/x/")
    soup = BeautifulSoup(html.replace("template", "section"), "html.parser")
    assert soup.select_one(".sim-title").get_text() == "Title"
    assert soup.select_one(".painted svg")
    assert not soup.select("input, form, .sim-sentence, [hidden], [role], main, h1")


def test_a_dense_panel_is_an_image_in_its_cover():
    html = cover(sim(MARKS), frozenset(), "../sims/x/")
    light, dark = (f"../sims/x/{still_name('points', dark=theme)}" for theme in (False, True))
    assert f'srcset="{dark}"/><img alt="" decoding="sync" src="{light}"/>' in html
    assert "<svg" not in html
    assert "<picture" not in cover(sim("<path d='M0,0h1'/>"), frozenset(), "")


def test_a_hidden_title_is_left_out():
    assert "Title" not in cover(sim(""), frozenset({"title"}), "")


def test_a_cover_has_the_rules_that_it_meets_and_no_others():
    css = cover_css(BeautifulSoup('<div class="page"><p class="sim-title">T</p></div>', "html.parser"))
    assert ".sim-title" in css
    assert ":host" in css
    for name in (".transport", ".chip", ".readout", ":hover", ":focus-visible", "rem;"):
        assert name not in css
    assert css.count("{") == css.count("}")


def test_a_sim_without_its_parts_is_named():
    with pytest.raises(ValueError, match=r"\.sim-panels"):
        cover('<main class="sim" data-sim="x" data-state="painted"></main>', frozenset(), "")


def test_pages_have_one_style_sheet_and_no_other_copy_of_it():
    site = Path("site")
    home = (site / "index.html").read_text(encoding="utf-8")
    assert len(re.findall(r'rel="stylesheet"', home)) == 1
    assert len(list((site / "assets").glob("book.*.css"))) == 1
    assert not (site / "assets" / "stylesheets").exists()
    # Its head and contents hold no blank lines, its text what it held.
    assert "\n\n" not in home.partition('<div class="md-content"')[0]


def test_a_dense_panel_has_an_image_in_each_theme_and_a_calm_one_none():
    calm = Painting(40, 20, "<g/>", "<g/>", "<g/>")
    assert stills_of("points", calm) == {}
    found = stills_of("points", Painting(40, 20, MARKS, MARKS, MARKS))
    assert list(found) == [still_name("points"), still_name("points", dark=True)]
    for content, theme in zip(found.values(), (tokens().light, tokens().dark), strict=True):
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        assert picture.size == (80, 40)
        ground = [int(theme["panel"][i : i + 2], 16) for i in (1, 3, 5)]
        assert picture.getpixel((70, 30)) == pytest.approx(ground, abs=3)
