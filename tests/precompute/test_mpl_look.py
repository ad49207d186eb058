"""Static figures: the book's colours and face, one picture for both themes, the same every time."""

import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pytest
from matplotlib import font_manager

from build_scripts.look.mpl import book_style, described, style
from build_scripts.look.tokens import tokens


@pytest.fixture(autouse=True)
def _no_window():
    plt.switch_backend("agg")


def draw():
    with book_style() as color:
        figure, axes = plt.subplots(figsize=(4.8, 3.2))
        axes.plot([1, 2, 3], [3, 1, 2], color=color["loss"])
        axes.set(title="NT-Xent & τ", xlabel="temperature τ")
        return described(figure, 'A line falls and "rises".')


def test_every_colour_is_a_token_that_follows_the_theme():
    svg = draw().svg
    assert f"var(--loss, {tokens().light['loss']})" in svg
    bare = set(re.findall(r"(?<!, )#[0-9a-f]{6}", svg))
    assert not bare, f"colours that no token names: {bare}"


def test_picture_is_described_scales_and_speaks_for_itself_alone():
    drawn = draw()
    assert 'aria-label="A line falls and &quot;rises&quot;."' in drawn._repr_html_()
    assert repr(drawn) == 'A line falls and "rises".'
    root = ElementTree.fromstring(drawn.svg)
    assert "max-width: 460.8px" in root.get("style")
    assert root.get("width") is None
    assert "<style" not in drawn.svg
    assert "<metadata" not in drawn.svg
    assert not re.search(r'<g id="', drawn.svg)
    text = "".join(root.itertext())
    assert "NT-Xent & τ" in text, "text stays text"


def test_the_same_figure_is_the_same_bytes():
    assert draw().svg == draw().svg


def test_the_face_is_the_books():
    with book_style():
        found = font_manager.findfont("IBM Plex Sans", fallback_to_default=False)
    assert "IBMPlexSans" in found


def test_style_is_undone_afterwards():
    before = plt.rcParams["axes.facecolor"]
    draw()
    assert plt.rcParams["axes.facecolor"] == before


def test_what_is_refused():
    with pytest.raises(ValueError, match="light or dark, got 'sepia'"):
        style("sepia")
    figure, _ = plt.subplots()
    with pytest.raises(ValueError, match="alt must say"):
        described(figure, " ")
    plt.close(figure)
