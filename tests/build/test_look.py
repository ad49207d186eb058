"""Tokens, the style sheets made from them, the faces, and the charts' theme."""

import itertools
import json
import re

import pytest

from build_scripts import look
from build_scripts.look.faces import faces
from build_scripts.look.tokens import TOKENS_FILE, Tokens

# AA: 4.5 for text. Each of these is a colour of words somewhere in the book.
WORDS = ["ink", "ink-soft", "ink-faint", "accent", "anchor", "positive", "negative-hard", "loss", "alignment"]
WORDS += ["uniformity", "good", "bad"]
# AA: 3 for what a reader must tell from its ground in a figure.
MARKS = ["negative", *look.CLASSES]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("name", WORDS)
def test_words_are_legible(theme, ground, name):
    colors = getattr(look.tokens(), theme)
    assert look.contrast(colors[name], colors[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "ink-soft", "ink-faint"])
def test_ink_is_legible_on_sunken_ground(theme, name):
    colors = getattr(look.tokens(), theme)
    assert look.contrast(colors[name], colors["sunken"]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("words", "ground"), [("on-accent", "accent"), ("ink", "accent-wash"), ("accent", "accent-wash")]
)
def test_words_on_accents_are_legible(theme, words, ground):
    colors = getattr(look.tokens(), theme)
    assert look.contrast(colors[words], colors[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("name", MARKS)
def test_marks_stand_out(theme, ground, name):
    colors = getattr(look.tokens(), theme)
    assert look.contrast(colors[name], colors[ground]) >= 3


def test_contrast_is_wcags():
    assert look.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert look.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)
    assert look.contrast("#000000", "#ffffff") == look.contrast("#ffffff", "#000000")


def _tokens_with(tmp_path, **changes):
    raw = json.loads(TOKENS_FILE.read_text(encoding="utf-8"))
    raw["color"].update(changes)
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def test_two_tokens_of_one_light_hex_are_refused(tmp_path):
    paper = look.color("paper")
    with pytest.raises(ValueError, match=f"unique, got {paper} for paper and accent"):
        Tokens.read(_tokens_with(tmp_path, accent=[paper, "#ffffff"]))


@pytest.mark.parametrize("pair", [["#fff", "#000000"], ["#FFFFFF", "#000000"], "#ffffff", ["#ffffff"]])
def test_a_colour_that_is_no_pair_of_hexes_is_refused(tmp_path, pair):
    with pytest.raises(ValueError, match=r"color accent must be \[light, dark\]"):
        Tokens.read(_tokens_with(tmp_path, accent=pair))


def test_an_unknown_colour_names_those_there_are():
    with pytest.raises(ValueError, match=r"no colour token 'anchr'; there are paper, .*anchor"):
        look.color("anchr")


def test_css_has_every_colour_in_every_theme():
    css = look.css()
    for name, value in look.tokens().light.items():
        assert css.count(f"--{name}: {value};") >= 1
        assert css.count(f"--{name}: ") == 3  # light, the system's dark, dark asked for
    assert "--size-chart-label: 12px;" in css
    assert "--size-measure: 68ch;" in css
    assert "--motion-calm: 250ms;" in css


def test_every_face_of_the_style_sheet_is_written(tmp_path):
    look.write(tmp_path)
    css = (tmp_path / "fonts.css").read_text(encoding="utf-8")
    named = set(re.findall(r"url\((fonts/[^)]+)\)", css))
    assert len(named) == len(list(faces())) >= 15
    for name in named:
        assert (tmp_path / name).read_bytes()[:4] == b"wOF2"
    assert css.count("font-display: swap") == len(named)
    assert css.count("unicode-range") == len(named)
    assert len(list((tmp_path / "fonts").glob("LICENSE-*.txt"))) == 3
    assert "http" not in css


def test_greek_comes_with_the_text_and_figure_faces():
    greek = {f.family for f in faces() if "U+03A3-03FF" in f.unicode_range}
    assert greek == {"IBM Plex Sans", "Source Serif 4 Variable"}


def test_the_painter_has_each_weight_with_greek_in_one_file():
    from fontTools.ttLib import TTFont

    folder = look.painter_fonts()
    for weight in (400, 500, 600):
        font = TTFont(folder / f"IBMPlexSans-{weight}.ttf")
        assert font["OS/2"].usWeightClass == weight
        assert {ord(c) for c in "aτθℓ−"} <= set(font.getBestCmap())


# Per cent of English letters, most frequent first, then the space.
LETTER_SHARES = [
    12.7,
    9.1,
    8.2,
    7.5,
    7.0,
    6.7,
    6.3,
    6.1,
    6.0,
    4.3,
    4.0,
    2.8,
    2.8,
    2.4,
    2.4,
    2.2,
    2.0,
    2.0,
    1.9,
    1.5,
]
LETTER_SHARES += [1.0, 0.8, 20]


def test_the_fallback_face_is_as_wide_as_ours():
    from fontTools.ttLib import TTFont

    font = TTFont(look.painter_fonts() / "IBMPlexSans-400.ttf")
    share = dict(zip("etaoinshrdlcumwfgypbvk ", LETTER_SHARES, strict=True))
    widths, cmap = font["hmtx"], font.getBestCmap()
    mean = (
        sum(s * widths[cmap[ord(c)]][0] for c, s in share.items())
        / sum(share.values())
        / font["head"].unitsPerEm
    )
    arial = 0.44433
    adjusted = (
        float(re.search(r"'IBM Plex Sans Fallback'.*?size-adjust: ([\d.]+)%", look.fonts_css())[1]) / 100
    )
    assert adjusted * arial == pytest.approx(mean, rel=1e-3)


def test_the_theme_uses_tokens_alone():
    text = json.dumps(look.altair_theme())
    hexes = set(re.findall(r"#[0-9a-f]{6}", text))
    assert hexes
    assert hexes <= set(look.tokens().light.values())
    category = look.altair_theme()["config"]["range"]["category"]
    assert category == [look.color(f"class-{i}") for i in range(10)]


def test_classes_stay_apart_for_colour_blind_readers():
    """No two classes look alike with any dichromacy (CIE76 over 12; 2.3 is just noticeable)."""
    for theme in ("light", "dark"):
        colors = getattr(look.tokens(), theme)
        for kind, matrix in DICHROMACIES.items():
            seen = {n: _lab(_linear(colors[n]), matrix) for n in look.CLASSES}
            for a, b in itertools.combinations(look.CLASSES, 2):
                distance = sum((p - q) ** 2 for p, q in zip(seen[a], seen[b], strict=True)) ** 0.5
                assert distance > 12, (theme, kind, a, b, distance)


# Machado, Oliveira & Fernandes 2009, table 1, severity 1.0; linear RGB.
DICHROMACIES = {
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}


def _linear(value):
    channels = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def _lab(rgb, matrix):
    """CIELAB (D65) of linear RGB seen through a dichromacy's matrix."""
    seen = [min(1.0, max(0.0, sum(m * c for m, c in zip(row, rgb, strict=True)))) for row in matrix]
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
    xyz = [sum(m * c for m, c in zip(row, seen, strict=True)) for row in to_xyz]
    f = [_f(v / w) for v, w in zip(xyz, (0.95047, 1.0, 1.08883), strict=True)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def _f(t):
    return t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
