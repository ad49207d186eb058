"""SimCLR's colour distortion: both listings of appendix A, literally and against kornia, and their ranges."""

import colorsys
import itertools

import kornia
import numpy as np
import pytest
import torch

from sim_engine import augment
from sim_engine.augment import RandomColourJitter, colour_distortion
from sim_engine.augment.jitter import ORDER


@pytest.fixture
def image(rng):
    return rng.random((5, 6, 3))


def clip(value):
    return min(1.0, max(0.0, value))


def saturated(pixel, factor):
    """tf.image.adjust_saturation, also where a channel lies outside [0, 1]."""
    largest, smallest = max(pixel), min(pixel)
    s = (largest - smallest) / largest if largest > 0 else 0.0
    if s == 0:
        return [largest] * 3
    h = colorsys.rgb_to_hsv(*[(c - smallest) / (largest - smallest) for c in pixel])[0]
    return colorsys.hsv_to_rgb(h, clip(s * factor), largest)


def turned(pixel, shift):
    """tf.image.adjust_hue, which keeps the largest and the smallest channel, wherever they lie."""
    smallest, spread = min(pixel), max(pixel) - min(pixel)
    if spread == 0:
        return pixel
    h, s, v = colorsys.rgb_to_hsv(*[(c - smallest) / spread for c in pixel])
    return [smallest + spread * c for c in colorsys.hsv_to_rgb((h + shift) % 1.0, s, v)]


def tensorflow_listing(image, delta, contrast, saturation, shift):
    rows, count = image.tolist(), image.shape[0] * image.shape[1]
    rows = [[[c + delta for c in pixel] for pixel in row] for row in rows]
    mean = [sum(pixel[c] for row in rows for pixel in row) / count for c in range(3)]
    rows = [[[m + contrast * (c - m) for c, m in zip(p, mean, strict=True)] for p in row] for row in rows]
    rows = [[turned(saturated(p, saturation), shift) for p in row] for row in rows]
    return np.array([[[clip(c) for c in pixel] for pixel in row] for row in rows])


@pytest.mark.parametrize(
    "drawn", [(0.5, 1.7, 0.2, 0.13), (-0.7, 1.8, 1.8, -0.2), (0.8, 0.3, 1.5, 0.0), (-0.3, 0.2, 1.0, 0.2)]
)
def test_tensorflow_is_the_first_listing_with_one_clip_at_the_end(image, drawn):
    wanted = tensorflow_listing(image, *drawn)
    np.testing.assert_allclose(augment.jitter_tensorflow(image, *drawn), wanted, atol=1e-12)


def test_tensorflow_brings_back_what_a_clip_after_each_step_would_lose(image):
    once = augment.jitter_tensorflow(image, 0.4, 0.2, 1.0, 0.0)
    each = augment.contrast_by_channel(augment.brightness_added(image, 0.4), 0.2)
    brighter = image + 0.4
    wanted = np.clip(brighter.mean(axis=(0, 1)) + 0.2 * (brighter - brighter.mean(axis=(0, 1))), 0, 1)
    np.testing.assert_allclose(once, wanted, atol=1e-12)
    assert np.abs(once - each).max() > 0.02


@pytest.mark.parametrize("order", list(itertools.permutations(ORDER)))
def test_pytorch_is_the_four_operations_one_after_another(image, order):
    drawn = {"brightness": 1.6, "contrast": 0.4, "saturation": 1.7, "shift": 0.15}
    wanted = image
    for name in order:
        wanted = getattr(augment, name)(wanted, drawn["shift" if name == "hue" else name])
    got = augment.jitter_pytorch(image, **drawn, order=order)
    np.testing.assert_allclose(got, wanted, atol=1e-12)


# kornia guards the divisors of HSV with 1e-8, which alone puts the hue off by up to 1e-7; the three factors
# after it, of at most 1.8 each, may make that 1.8 ** 3 = 5.8 times as much.
KORNIA = 6e-7


@pytest.mark.parametrize("order", list(itertools.permutations(ORDER)))
def test_pytorch_is_the_whole_jitter_of_kornia(image, order):
    """Drawn by the engine, done by kornia's ColorJitter, which is torchvision's, clips and all."""
    image[0] = [[0, 0, 0], [1, 1, 1], [0.4, 0.4, 0.4], [1, 0, 0], [0, 1, 1], [0.2, 0.2, 0.9]]
    operation, rng = RandomColourJitter(1.0, "pytorch"), np.random.default_rng(3)
    kornias = kornia.augmentation.ColorJitter(0.8, 0.8, 0.8, 0.2, p=1.0)
    x = torch.tensor(image).permute(2, 0, 1)[None]
    for _ in range(5):
        (step,) = operation.draw(rng, *image.shape[:2])
        drawn = {**step.parameters, "order": order}
        factors = {name: drawn["shift" if name == "hue" else name] for name in ORDER}
        params = {f"{name}_factor": torch.tensor([f], dtype=torch.float64) for name, f in factors.items()}
        params["order"] = torch.tensor([ORDER.index(name) for name in order])
        wanted = kornias(x, params={**params, "batch_prob": torch.ones(1)})[0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(augment.jitter_pytorch(image, **drawn), wanted, atol=KORNIA)


def test_order_matters(image):
    there = augment.jitter_pytorch(image, 1.6, 0.4, 1.7, 0.15)
    back = augment.jitter_pytorch(image, 1.6, 0.4, 1.7, 0.15, order=ORDER[::-1])
    assert np.abs(there - back).max() > 0.05


@pytest.mark.parametrize("s", [0.125, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("listing", ["tensorflow", "pytorch"])
def test_ranges_grow_with_s(s, listing):
    rng = np.random.default_rng(11)
    operation = RandomColourJitter(s, listing)
    drawn = [operation.draw(rng, 8, 8)[0].parameters for _ in range(400)]
    least = max(0.0, 1 - 0.8 * s)
    ends = {
        "contrast": (least, 1 + 0.8 * s),
        "saturation": (least, 1 + 0.8 * s),
        "shift": (-0.2 * s, 0.2 * s),
    }
    if listing == "tensorflow":
        ends["delta"] = (-0.8 * s, 0.8 * s)
    else:
        ends["brightness"] = (least, 1 + 0.8 * s)
        # 400 draws of 24 orders: one is missing with a chance of 24 (23/24)^400 < 1e-6.
        assert {p["order"] for p in drawn} == set(itertools.permutations(ORDER))
    assert set(drawn[0]) - {"order"} == set(ends)
    for name, (low, high) in ends.items():
        values = np.array([p[name] for p in drawn])
        assert low <= values.min()
        assert values.max() <= high
        # The chance that 400 uniform draws all miss the first or last twentieth is 2 (19/20)^400 < 3e-9.
        assert values.min() < low + 0.05 * (high - low)
        assert values.max() > high - 0.05 * (high - low)


@pytest.mark.parametrize("listing", ["tensorflow", "pytorch"])
def test_strength_0_is_the_image_or_its_grey(rng, listing):
    image = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    operation = colour_distortion(0.0, listing=listing)
    jittered = greyed = 0
    for _ in range(60):
        drawn = augment.view(image, operation, rng)
        names = [step.name for step in drawn.steps]
        jittered += f"jitter_{listing}" in names
        greyed += "grey" in names
        np.testing.assert_array_equal(drawn.image, augment.grey(image) if "grey" in names else image)
    assert jittered > 0
    assert greyed > 0


def test_jitter_comes_with_probability_8_and_grey_with_2_each_on_its_own():
    rng, n = np.random.default_rng(5), 3000
    drawn = [{s.name for s in colour_distortion().draw(rng, 8, 8)} for _ in range(n)]
    jitter = np.array(["jitter_tensorflow" in names for names in drawn])
    grey = np.array(["grey" in names for names in drawn])
    # Hoeffding: a mean of n draws is off by more than this with a chance below 1e-6.
    bound = np.sqrt(np.log(2e6) / (2 * n))
    assert abs(jitter.mean() - 0.8) < bound
    assert abs(grey.mean() - 0.2) < bound
    assert abs((jitter & grey).mean() - 0.16) < bound
    assert bound < 0.05


@pytest.mark.parametrize("s", [-0.1, 2.6, np.nan, np.inf, "1", None])
def test_strength_is_checked(s):
    with pytest.raises(ValueError, match=r"^s must"):
        colour_distortion(s)


def test_listing_and_order_are_checked(image):
    with pytest.raises(ValueError, match="listing must be 'tensorflow' or 'pytorch', got 'keras'"):
        RandomColourJitter(1.0, "keras")
    with pytest.raises(ValueError, match="order must hold each of"):
        augment.jitter_pytorch(image, 1, 1, 1, 0, order=("hue", "hue", "contrast", "saturation"))
