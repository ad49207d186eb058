"""The digits, grey and tinted: what is in them, and that the tint says nothing of the digit."""

import numpy as np
import pytest
import torch
from scipy.stats import chi2_contingency

from build_scripts.precompute import digits as source
from build_scripts.precompute.datasets import load
from build_scripts.precompute.datasets.base import digest
from build_scripts.precompute.datasets.colour import contrast, luminance, oklch, to_linear, to_srgb
from build_scripts.precompute.datasets.digits import to_byte
from build_scripts.precompute.datasets.tinted import CHROMA, CONTRAST, LIGHTNESS, draw, tint


@pytest.fixture(scope="module")
def grey():
    return load("digits")


@pytest.fixture(scope="module")
def tinted():
    return load("tinted-digits")


def test_digits_are_those_of_the_recipes(grey):
    train, test = source.split(source.load(), 360, 0)
    for split, digits in ((grey.train, train), (grey.test, test)):
        assert split.images.shape == (len(digits.labels), 8, 8, 1)
        np.testing.assert_array_equal(split.labels, digits.labels)
        np.testing.assert_array_equal(split.images[..., 0], np.floor(digits.images * (255 / 16) + 0.5))
    assert (len(grey.train), len(grey.test)) == (1437, 360)
    assert grey.sha256 == source.ABOUT["sha256"]
    assert grey.provenance()["options"] == {"held_out": 360, "seed": 0}


def test_white_is_white():
    assert to_byte(np.arange(17, dtype=np.uint8)).tolist()[::4] == [0, 64, 128, 191, 255]


@pytest.mark.parametrize("name", ["digits", "tinted-digits"])
def test_every_digit_has_its_share_of_both_parts(name):
    data = load(name, held_out=360)
    for split, most in ((data.train, 147), (data.test, 37)):
        counts = np.bincount(split.labels, minlength=10)
        assert counts.max() <= most
        assert counts.min() >= most * 0.9


@pytest.mark.parametrize("name", ["digits", "tinted-digits"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"held_out": 9}, "held_out must be 10 to 1787"),
        ({"held_out": 1790}, "held_out must be 10 to 1787"),
        ({"seed": -1}, "seed must be 0 to"),
        ({"colour": 1}, "unexpected keyword argument 'colour'"),
    ],
)
def test_options_out_of_range_are_named(name, options, said):
    with pytest.raises(ValueError, match=said):
        load(name, **options)


def test_the_seed_of_colours_is_checked():
    with pytest.raises(ValueError, match="seed_colour must be >= 0, got -1"):
        load("tinted-digits", seed_colour=-1)


def test_tinted_digits_are_the_digits_in_order(grey, tinted):
    """Undoing the tint along the line between the two colours gives back the ink."""
    for plain, split in ((grey.train, tinted.train), (grey.test, tinted.test)):
        np.testing.assert_array_equal(plain.labels, split.labels)
        fore, back = (screen(split, part)[:, None, None] for part in ("foreground", "background"))
        line = fore - back
        share = ((split.images / 255 - back) * line).sum(-1) / (line * line).sum(-1)
        # Half a level of each of three channels, along a line of length 0.2 or more.
        np.testing.assert_allclose(share, plain.images[..., 0] / 255, atol=0.02)


def test_the_colours_are_pinned(tinted):
    assert tinted.sha256 == "dd3f7e8220cbd175f5a29182ffee574aae4280d7fd701b90381ae4edf3738675"
    assert load("tinted-digits").sha256 == tinted.sha256
    assert load("tinted-digits", seed_colour=2).sha256 != tinted.sha256
    assert tinted.sha256 == digest(tinted.train.images, tinted.test.images)


def screen(split, part):
    three = [torch.from_numpy(split.factors[f"{part}_{what}"]) for what in ("lightness", "chroma", "hue")]
    return (to_srgb(oklch(*three)) * 255).round().numpy() / 255


def test_every_tinted_digit_is_legible(tinted):
    for split in (tinted.train, tinted.test):
        ratio = contrast(
            to_linear(torch.from_numpy(screen(split, "foreground"))),
            to_linear(torch.from_numpy(screen(split, "background"))),
        )
        assert float(ratio.min()) >= CONTRAST


def test_colours_say_nothing_of_the_digit(tinted):
    """No table of a colour's quarters against the digits departs from chance (p > 0.001 for each of 12)."""
    for split in (tinted.train, tinted.test):
        assert len(split.factors) == 6
        for name, values in split.factors.items():
            quarter = np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values)
            table = np.histogram2d(quarter, split.labels, bins=(4, 10))[0]
            assert chi2_contingency(table).pvalue > 0.001, name


def test_a_factor_that_follows_the_label_would_be_noticed(tinted):
    values = tinted.test.labels * 36.0 + np.arange(360) / 10
    quarter = np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values)
    table = np.histogram2d(quarter, tinted.test.labels, bins=(4, 10))[0]
    assert chi2_contingency(table).pvalue < 1e-9


def test_colours_alone_tell_images_apart(tinted):
    """The shortcut: no two of 256 images have nearly the same pair of colours."""
    pairs = np.concatenate(
        [screen(tinted.train, part)[:256] for part in ("foreground", "background")], axis=1
    )
    apart = np.abs(pairs[:, None] - pairs[None]).max(-1) + np.eye(256)
    assert apart.min() > 4 / 255
    assert np.median(apart.min(1)) > 0.1


def test_colours_stay_in_their_ranges():
    for colours in draw(500, np.random.default_rng(3)):
        assert (colours.min(0) >= [LIGHTNESS[0], CHROMA[0], 0]).all()
        assert (colours.max(0) <= [LIGHTNESS[1], CHROMA[1], 360]).all()


def test_full_ink_is_the_foreground_and_none_the_background():
    colour, paper = draw(3, np.random.default_rng(0))
    ink = np.zeros((3, 8, 8), np.uint8)
    ink[:, 0] = 16
    images = tint(ink, colour, paper)
    for rows, want in ((images[:, :1], colour), (images[:, 1:], paper)):
        level = (to_srgb(oklch(*torch.from_numpy(want).unbind(-1))) * 255).round().numpy()
        assert (rows == level[:, None, None]).all()


def test_oklch_knows_the_named_colours():
    """Ottosson's own table: white, and the red, green and blue of the screen."""
    values = torch.tensor(
        [
            [1, 0, 0],
            [0.627955, 0.257683, 29.2339],
            [0.866440, 0.294827, 142.4953],
            [0.452014, 0.313214, 264.0520],
        ],
        dtype=torch.float64,
    )
    want = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    torch.testing.assert_close(oklch(*values.unbind(-1)), want, atol=2e-4, rtol=0)


def test_contrast_is_that_of_the_guidelines():
    black, white = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    assert float(contrast(black, white)) == pytest.approx(21)
    assert float(contrast(white, white)) == 1
    assert float(luminance(white)) == pytest.approx(1)
    # #777777 on white is known as the grey just short of 4.5.
    grey = to_linear(torch.full((3,), 0x77 / 255, dtype=torch.float64))
    assert float(contrast(grey, white)) == pytest.approx(4.48, abs=0.005)


def test_the_screen_curve_and_its_inverse_agree():
    screen_values = torch.linspace(0, 1, 256, dtype=torch.float64)
    torch.testing.assert_close(to_srgb(to_linear(screen_values)), screen_values, atol=1e-7, rtol=0)
