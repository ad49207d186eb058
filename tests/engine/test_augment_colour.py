"""Colour operations: equal to a loop over pixels and to kornia, and exact where they must be."""

import colorsys

import kornia
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sim_engine import augment

FACTORS = [0.0, 0.3, 1.0, 1.8]
SHIFTS = [-0.5, -0.2, 0.0, 0.1, 1 / 3, 0.77]

images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 4), st.just(3)))


@pytest.fixture
def image(rng):
    """Random pixels (7, 9, 3), among them black, white, greys and pure colours."""
    x = rng.random((7, 9, 3))
    x[0, :6] = [[0, 0, 0], [1, 1, 1], [0.4, 0.4, 0.4], [1, 0, 0], [0, 1, 1], [0.2, 0.2, 0.9]]
    return x


def by_pixel(image, change):
    return np.array([[change(*map(float, pixel)) for pixel in row] for row in image])


def clip(value):
    return min(1.0, max(0.0, value))


def luma(r, g, b):
    return 0.299 * r + 0.587 * g + 0.114 * b


def in_hsv(r, g, b, *, turn=0.0, more=1.0):
    h, s, v = colorsys.rgb_to_hsv(r, g, b)
    return colorsys.hsv_to_rgb((h + turn) % 1.0, clip(s * more), v)


def definitions(image, f):
    """Each operation that has a factor, from its definition, a pixel at a time."""
    grey = sum(luma(*pixel) for row in image for pixel in row) / (len(image) * len(image[0]))
    mean = [sum(pixel[c] for row in image for pixel in row) / (len(image) * len(image[0])) for c in range(3)]
    return {
        "brightness": lambda *p: [clip(f * c) for c in p],
        "contrast": lambda *p: [clip(grey + f * (c - grey)) for c in p],
        "saturation": lambda *p: [clip(luma(*p) + f * (c - luma(*p))) for c in p],
        "brightness_added": lambda *p: [clip(c + f - 1) for c in p],
        "contrast_by_channel": lambda *p: [clip(m + f * (c - m)) for c, m in zip(p, mean, strict=True)],
        "saturation_hsv": lambda *p: in_hsv(*p, more=f),
    }


def ours(name, image, f):
    # Addition has no factor: f - 1 gives it a value of either sign.
    return getattr(augment, name)(image, f - 1 if name == "brightness_added" else f)


@pytest.mark.parametrize("f", FACTORS)
@pytest.mark.parametrize("name", list(definitions(np.zeros((1, 1, 3)), 1.0)))
def test_factors_do_what_the_definition_says(image, name, f):
    wanted = by_pixel(image, definitions(image.tolist(), f)[name])
    np.testing.assert_allclose(ours(name, image, f), wanted, atol=1e-12)


@pytest.mark.parametrize("shift", SHIFTS)
def test_hue_is_that_of_colorsys(image, shift):
    wanted = by_pixel(image, lambda *p: in_hsv(*p, turn=shift))
    np.testing.assert_allclose(augment.hue(image, shift), wanted, atol=1e-12)


def test_grey_is_the_luma(image):
    wanted = by_pixel(image, lambda *p: [luma(*p)] * 3)
    np.testing.assert_allclose(augment.grey(image), wanted, atol=1e-12)


def kornias(name, f):
    enhance = kornia.enhance
    return {
        "brightness": lambda x: enhance.adjust_brightness_accumulative(x, f),
        "brightness_added": lambda x: enhance.adjust_brightness(x, f - 1),
        "contrast": lambda x: enhance.adjust_contrast_with_mean_subtraction(x, f),
        "saturation": lambda x: enhance.adjust_saturation_with_gray_subtraction(x, f),
        "saturation_hsv": lambda x: enhance.adjust_saturation(x, f),
    }[name]


def through(change, image):
    """Apply a torch function to (1, 3, H, W) and return (H, W, 3)."""
    return change(torch.tensor(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()


# kornia guards divisors of HSV with 1e-8, so a pixel that is almost black or grey is off by about as
# much; the rest differs by the rounding of float64.
KORNIA = 1e-7


@pytest.mark.parametrize("f", FACTORS)
@pytest.mark.parametrize(
    "name", ["brightness", "brightness_added", "contrast", "saturation", "saturation_hsv"]
)
def test_factors_are_those_of_kornia(image, name, f):
    tolerance = KORNIA if name == "saturation_hsv" else 1e-12
    np.testing.assert_allclose(ours(name, image, f), through(kornias(name, f), image), atol=tolerance)


@pytest.mark.parametrize("shift", SHIFTS)
def test_hue_is_that_of_kornia(image, shift):
    turned = through(lambda x: kornia.enhance.adjust_hue(x, shift * 2 * np.pi), image)
    np.testing.assert_allclose(augment.hue(image, shift), turned, atol=KORNIA)


def test_grey_is_that_of_kornia(image):
    wanted = through(lambda x: kornia.color.rgb_to_grayscale(x).repeat(1, 3, 1, 1), image)
    np.testing.assert_allclose(augment.grey(image), wanted, atol=1e-12)


@given(images)
def test_neutral_parameters_change_no_level(image):
    for name in ("brightness", "contrast", "saturation", "contrast_by_channel", "saturation_hsv"):
        np.testing.assert_array_equal(getattr(augment, name)(image, 1.0), image)
    np.testing.assert_array_equal(augment.brightness_added(image, 0.0), image)
    for shift in (0.0, 1.0, -3.0):
        np.testing.assert_array_equal(augment.hue(image, shift), image)


@given(images, st.floats(-2, 2))
def test_hue_keeps_the_largest_and_the_smallest_channel_and_turns_back(image, shift):
    x = image / 255.0
    turned = augment.hue(x, shift)
    np.testing.assert_allclose(turned.max(axis=-1), x.max(axis=-1), atol=1e-12)
    np.testing.assert_allclose(turned.min(axis=-1), x.min(axis=-1), atol=1e-12)
    np.testing.assert_allclose(augment.hue(turned, -shift), x, atol=1e-12)


@given(images)
def test_factor_0_is_black_mean_grey_grey_mean_colour_and_value(image):
    assert (augment.brightness(image, 0.0) == 0).all()
    np.testing.assert_array_equal(augment.saturation(image, 0.0), augment.grey(image))
    x = image / 255.0
    flat = augment.contrast(x, 0.0)
    np.testing.assert_allclose(flat, np.full(x.shape, augment.grey(x)[..., 0].mean()), atol=1e-12)
    mean = augment.contrast_by_channel(x, 0.0)
    np.testing.assert_allclose(mean, np.broadcast_to(x.mean(axis=(0, 1)), x.shape), atol=1e-12)
    largest = np.repeat(image.max(axis=-1, keepdims=True), 3, axis=-1)
    np.testing.assert_array_equal(augment.saturation_hsv(image, 0.0), largest)


@given(images)
def test_grey_of_grey_is_grey(image):
    once = augment.grey(image)
    assert (once == once[..., :1]).all()
    np.testing.assert_array_equal(augment.grey(once), once)


def test_the_primaries_follow_the_circle():
    red, green, blue = ([[[255 * (i == c) for i in range(3)]]] for c in range(3))
    for start, end in ((red, green), (green, blue), (blue, red)):
        np.testing.assert_array_equal(augment.hue(np.array(start, np.uint8), 1 / 3), end)
    np.testing.assert_array_equal(augment.hue(np.array(red, np.uint8), 0.5), [[[0, 255, 255]]])


@given(images, st.floats(0, 3))
def test_levels_are_the_exact_values_rounded_to_the_nearest(image, f):
    for name in ("brightness", "contrast", "saturation", "saturation_hsv", "contrast_by_channel"):
        exact = getattr(augment, name)(image / 255.0, f) * 255
        got = getattr(augment, name)(image, f)
        assert got.dtype == np.uint8
        # float32 holds a level to 3e-5; where that decides between two levels, either is the nearest.
        assert np.abs(got - exact).max() <= 0.5 + 1e-3
