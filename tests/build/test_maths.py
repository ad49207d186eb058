"""Formulas at build: KaTeX under Node, slots for live numbers, errors that name the formula."""

import re

import pytest

from build_scripts import maths


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(maths, "CACHE", tmp_path)
    return tmp_path


def test_a_formula_is_set_for_eyes_and_for_screen_readers(fresh_cache):
    html = maths.render(r"\tau > 0")
    assert '<span class="katex-mathml"><math' in html
    assert 'class="katex-html" aria-hidden="true"' in html
    assert "katex-display" not in html
    assert "katex-display" in maths.render(r"\tau > 0", display=True)


def test_the_second_time_comes_from_the_cache(fresh_cache, monkeypatch):
    first = maths.render(r"e^{s/\tau}")
    assert len(list(fresh_cache.glob("*.html"))) == 1
    monkeypatch.setattr(maths, "_node", lambda: pytest.fail("Node was asked again"))
    assert maths.render(r"e^{s/\tau}") == first


@pytest.mark.parametrize("display", [False, True])
def test_a_slot_is_an_element_that_holds_the_number(fresh_cache, display):
    html = maths.render(
        r"\ell = \frac{1}{\slot{n}} = \slot{loss}",
        display,
        values={"n": "510", "loss": "−5.204"},
        labels={"n": "negatives", "loss": "NT-Xent, 50 %"},
    )
    assert html.count("<span") == html.count("</span>")
    loss = re.search(r'data-slot="loss">(.*)', html)[1]
    assert re.sub("<[^>]+>", "", loss).startswith("−5.204")
    assert re.search(r'data-slot="n"><span class="mord( mtight)?">510</span>', html)
    # What a screen reader reads stays true when the numbers change.
    said = re.search("<math.*</math>", html)[0]
    assert "negatives" in said
    assert "NT-Xent, 50 %" in said.replace("\xa0", " ")
    assert "510" not in said
    assert "5.204" not in said


def test_slots_are_listed_once_in_order():
    assert maths.slots(r"\slot{b} - \slot{a} + \slot{b}") == ["b", "a"]
    assert maths.slots(r"\tau") == []


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\frac{1", r"the formula '\\\\frac\{1'.*Unexpected end"),
        (r"\nosuch", "Undefined control sequence"),
        (r"\slot{loss}", r"\\slot\{loss\} in .* has no value; there are none"),
        (r"\slot{Loss}", r"\\slot\{Loss\} must name a readout"),
        (r"\href{javascript:alert(1)}{x}", r"\\href is not allowed"),
        (r"\htmlId{a}{x}", r"\\htmlId is not allowed"),
    ],
)
def test_a_bad_formula_is_named(fresh_cache, latex, message):
    with pytest.raises(maths.MathsError, match=message):
        maths.render(latex)
    assert not list(fresh_cache.iterdir())


def test_after_an_error_the_next_formula_is_set(fresh_cache):
    with pytest.raises(maths.MathsError):
        maths.render(r"\nosuch")
    assert "katex" in maths.render("x")


def test_the_assets_name_only_fonts_that_are_there(tmp_path):
    maths.write_assets(tmp_path)
    css = (tmp_path / "katex.min.css").read_text(encoding="utf-8")
    named = re.findall(r"url\(([^)]+)\)", css)
    assert len(named) >= 20
    assert all((tmp_path / n).read_bytes()[:4] == b"wOF2" for n in named)
    assert "font-display:block" not in css
    assert (tmp_path / "LICENSE.txt").is_file()


def test_without_node_the_remedy_is_named(fresh_cache, monkeypatch):
    maths._node.cache_clear()
    monkeypatch.setattr(maths.shutil, "which", lambda name: None)
    with pytest.raises(maths.MathsError, match=r"Node is missing.*install it"):
        maths.render("x + 1")
