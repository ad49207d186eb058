"""Random resized crop: the interpolation by loops, torch and PIL; the boxes by the law they come from."""

import math

import kornia
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sim_engine import augment
from sim_engine.augment import RandomResizedCrop, resized_crop

# box (top, left, height, width) in an image of 13 x 17, and the view's sides
CASES = [
    ((0, 0, 13, 17), (13, 17)),
    ((2, 3, 5, 7), (13, 17)),
    ((1, 0, 12, 16), (5, 4)),
    ((4, 6, 9, 3), (3, 11)),
    ((12, 16, 1, 1), (4, 4)),
    ((0, 0, 13, 17), (1, 1)),
]


@pytest.fixture
def image(rng):
    return rng.random((13, 17, 3))


def loop(image, box, size, antialias):
    """The docstring's weights, pixel by pixel."""
    top, left, height, width = box
    cut = image[top : top + height, left : left + width]

    def weights(length, out, i):
        centre = (i + 0.5) * length / out
        reach = max(1.0, length / out) if antialias else 1.0
        raw = [max(0.0, 1 - abs(j + 0.5 - centre) / reach) for j in range(length)]
        return [w / sum(raw) for w in raw]

    view = np.zeros((*size, 3))
    for i in range(size[0]):
        down = weights(height, size[0], i)
        for k in range(size[1]):
            across = weights(width, size[1], k)
            for a in range(height):
                for b in range(width):
                    view[i, k] += down[a] * across[b] * cut[a, b]
    return view


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize(("box", "size"), CASES)
def test_view_is_that_of_the_loop(image, box, size, antialias):
    got = resized_crop(image, *box, size=size, antialias=antialias)
    np.testing.assert_allclose(got, loop(image, box, size, antialias), atol=1e-12)


def as_tensor(image, box):
    top, left, height, width = box
    return torch.tensor(image[top : top + height, left : left + width]).permute(2, 0, 1)[None]


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize(("box", "size"), CASES)
def test_view_is_that_of_torch(image, box, size, antialias):
    wanted = F.interpolate(
        as_tensor(image, box), size, mode="bilinear", align_corners=False, antialias=antialias
    )
    got = resized_crop(image, *box, size=size, antialias=antialias)
    np.testing.assert_allclose(got, wanted[0].permute(1, 2, 0).numpy(), atol=1e-12)


@pytest.mark.parametrize(("box", "size"), CASES)
def test_view_is_that_of_kornia(image, box, size):
    wanted = kornia.geometry.resize(
        as_tensor(image, box), size, interpolation="bilinear", align_corners=False
    )
    got = resized_crop(image, *box, size=size, antialias=False)
    np.testing.assert_allclose(got, wanted[0].permute(1, 2, 0).numpy(), atol=1e-12)


@pytest.mark.parametrize(("box", "size"), CASES)
def test_levels_are_those_of_pil(image, box, size):
    levels = np.rint(image * 255).astype(np.uint8)
    top, left, height, width = box
    cut = Image.fromarray(levels[top : top + height, left : left + width])
    wanted = np.asarray(cut.resize(size[::-1], Image.Resampling.BILINEAR)).astype(int)
    got = resized_crop(levels, *box, size=size).astype(int)
    # PIL rounds to whole levels after the rows too, so it can end one level off.
    assert np.abs(got - wanted).max() <= 1


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_constant_stays_and_nothing_exceeds_the_box(height, width, out_height, out_width, antialias):
    image = np.random.default_rng(height).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    cut = image[:height, :width]
    got = resized_crop(image, 0, 0, height, width, size=(out_height, out_width), antialias=antialias)
    assert got.shape == (out_height, out_width, 3)
    assert (got.max(axis=(0, 1)) <= cut.max(axis=(0, 1))).all()
    assert (got.min(axis=(0, 1)) >= cut.min(axis=(0, 1))).all()
    if (height, width) == (out_height, out_width):
        np.testing.assert_array_equal(got, cut)


def test_each_image_of_a_batch_has_its_own_box(rng):
    batch = rng.random((3, 8, 9, 3))
    top, left, height, width = [0, 2, 5], [1, 0, 4], [8, 3, 1], [2, 9, 5]
    got = resized_crop(batch, top, left, height, width, size=(4, 3))
    for i in range(3):
        one = resized_crop(batch[i], top[i], left[i], height[i], width[i], size=(4, 3))
        np.testing.assert_allclose(got[i], one, atol=1e-12)


# The law of the boxes, on an image so large that rounding to pixels moves nothing. f and u = log q
# are uniform, and a box is kept when it fits: |u| <= -log f.
SIDE, LOW, HIGH = 100_000, 0.08, math.log(4 / 3)
N = 6000
# Dvoretzky-Kiefer-Wolfowitz: beyond this the empirical distribution lies with a chance below 1e-6.
BOUND = math.sqrt(math.log(2e6) / (2 * N))


@pytest.fixture(scope="module")
def boxes():
    rng, operation = np.random.default_rng(3), RandomResizedCrop()
    drawn = [operation.draw(rng, SIDE, SIDE)[0].parameters for _ in range(N)]
    return {key: np.array([p[key] for p in drawn], float) for key in ("top", "left", "height", "width")}


def distance(values, cdf):
    """The largest distance of the empirical distribution from a continuous one."""
    at = np.array([cdf(v) for v in np.sort(values)])
    steps = np.arange(len(at) + 1) / len(at)
    return max((steps[1:] - at).max(), (at - steps[:-1]).max())


def area_law(f):
    """P(area <= f): all ratios fit up to 3/4, above it those within -log f of 1."""

    def integral(x):
        tail = (x - x * math.log(x)) - (0.75 - 0.75 * math.log(0.75)) if x > 0.75 else 0.0
        return min(x, 0.75) - LOW + tail / HIGH

    return integral(min(max(f, LOW), 1.0)) / integral(1.0)


def ratio_law(u):
    """P(log q <= u): the area that fits is exp(-|u|)."""

    def integral(x):
        return math.copysign(1 - math.exp(-abs(x)), x) - LOW * x

    return (integral(min(max(u, -HIGH), HIGH)) - integral(-HIGH)) / (integral(HIGH) - integral(-HIGH))


def test_areas_are_uniform_among_what_fits(boxes):
    areas = boxes["height"] * boxes["width"] / SIDE**2
    assert distance(areas, area_law) < BOUND
    # The bound is sharp enough to see that it is not plainly uniform.
    assert distance(areas, lambda f: (f - LOW) / (1 - LOW)) > BOUND


def test_ratios_are_log_uniform_among_what_fits(boxes):
    ratios = np.log(boxes["width"] / boxes["height"])
    assert distance(ratios, ratio_law) < BOUND
    assert distance(ratios, lambda u: (math.exp(u) - 3 / 4) / (4 / 3 - 3 / 4)) > BOUND
    assert np.abs(ratios).max() <= HIGH + 1e-4


@pytest.mark.parametrize(("start", "side"), [("top", "height"), ("left", "width")])
def test_places_are_uniform(boxes, start, side):
    free = SIDE - boxes[side]
    assert distance((boxes[start] / np.maximum(free, 1))[free > 100], lambda p: min(p, 1.0)) < BOUND * 1.01


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6))
def test_boxes_lie_within_the_image_near_the_law(height, width, seed):
    (step,) = RandomResizedCrop().draw(np.random.default_rng(seed), height, width)
    p = step.parameters
    assert 0 <= p["top"] <= height - p["height"]
    assert 0 <= p["left"] <= width - p["width"]
    assert p["height"] >= 1
    assert p["width"] >= 1
    assert p["size"] == (height, width)
    if (p["height"], p["width"]) != (height, width):  # not the whole image, drawn or fallen back to
        least, most = ((p[side] + 0.5 * sign) for sign, side in ((-1, "height"), (1, "height")))
        lo, hi = ((p["width"] + 0.5 * sign) for sign in (-1, 1))
        # Some box with ratio in [3/4, 4/3] and area in [.08, 1] rounds to these sides.
        assert (lo / width) / (most / height) <= 4 / 3
        assert (hi / width) / (least / height) >= 3 / 4
        assert least * lo <= height * width
        assert most * hi >= 0.08 * height * width


def test_ratio_is_relative_to_the_images_own():
    rng = np.random.default_rng(0)
    drawn = [RandomResizedCrop().draw(rng, 10_000, 20_000)[0].parameters for _ in range(200)]
    ratios = [p["width"] / p["height"] for p in drawn]
    assert min(ratios) >= 2 * 3 / 4 - 1e-2
    assert max(ratios) <= 2 * 4 / 3 + 1e-2


def test_whole_image_where_nothing_fits():
    (step,) = RandomResizedCrop(area=(1.0, 1.0), ratio=(2.0, 2.0)).draw(np.random.default_rng(0), 30, 20)
    assert [step.parameters[k] for k in ("top", "left", "height", "width")] == [0, 0, 30, 20]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"area": (0.5, 0.1)}, "area must be .least, most."),
        ({"area": (0.0, 1.0)}, "area must lie in"),
        ({"area": (0.1, 1.5)}, "area must lie in"),
        ({"area": (0.1, math.nan)}, "area must be finite"),
        ({"ratio": (-1.0, 1.0)}, "ratio must lie in"),
        ({"ratio": (1.0, 1.0, 1.0)}, "ratio must be two numbers"),
        ({"size": (0, 4)}, "size must be at least 1"),
        ({"size": 4}, "size must be .height, width."),
    ],
)
def test_draw_is_checked(given, message):
    with pytest.raises(ValueError, match=message):
        RandomResizedCrop(**given)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((-1, 0, 2, 2), "top must lie in"),
        ((0, 0, 0, 2), "height must lie in"),
        ((12, 0, 2, 2), r"top \+ height must be at most 13, the image's height, got 12 \+ 2"),
        ((0, 16, 2, 2), r"left \+ width must be at most 17"),
        ((0, 0.5, 2, 2), "left must be a whole number of pixels"),
        ((0, 0, 2, [2, 2]), "width must be one number, or one for each of 1 images"),
    ],
)
def test_box_is_checked(image, box, message):
    with pytest.raises(ValueError, match=message):
        resized_crop(image, *box, size=(2, 2))


def test_crop_of_the_draw_is_what_the_view_shows(rng):
    image = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
    drawn = augment.view(image, RandomResizedCrop(size=(7, 5)), rng)
    np.testing.assert_array_equal(drawn.image, resized_crop(image, **drawn.steps[0].parameters))
