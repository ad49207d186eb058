"""The rendered images: what they are made from, and that it is there to be seen."""

import numpy as np
import pytest
import torch
from scipy.stats import chi2_contingency

from build_scripts.precompute.datasets import load
from build_scripts.precompute.datasets.factors import CLASSES, RANGES, render, sample
from build_scripts.precompute.datasets.shapes import SHAPES, signed_distance
from build_scripts.precompute.datasets.texture import TEXTURES, relief

PLAIN = {
    "shape": 0,
    "texture": 0,
    "background": 0,
    "hue": 20.0,
    "background_hue": 230.0,
    "x": 0.0,
    "y": 0.0,
    "scale": 0.7,
    "rotation": 0.0,
    "light": 90.0,
    "brightness": 1.0,
}


def one(size=48, dtype=torch.float32, **changes):
    """The image of the plain factors with some changed, as int (size, size, 3)."""
    factors = tensors({name: np.array([value]) for name, value in (PLAIN | changes).items()})
    return render(factors, size, "cpu", dtype=dtype)[0].int()


def tensors(factors):
    return {name: torch.from_numpy(values) for name, values in factors.items()}


@pytest.fixture(scope="module")
def small():
    return load("factors", count=100, test_count=40, size=32)


def test_parts_and_labels(small):
    assert small.train.images.shape == (100, 32, 32, 3)
    assert small.test.images.shape == (40, 32, 32, 3)
    assert small.classes == CLASSES
    assert len(CLASSES) >= 8
    for split in (small.train, small.test):
        np.testing.assert_array_equal(split.labels, split.factors["shape"])
        assert np.ptp(np.bincount(split.labels, minlength=len(CLASSES))) <= 1
        assert set(split.factors) == set(RANGES)


def test_images_are_pinned_and_follow_the_seed(small):
    assert small.sha256 == "429f42ef00d0297cf8c90d756e3d0c0e2015f3dcb912fbf947f9d1bac6cecf61"
    assert load("factors", count=100, test_count=40, size=32).sha256 == small.sha256
    assert load("factors", count=100, test_count=40, size=32, seed=1).sha256 != small.sha256


def test_the_test_part_does_not_change_with_the_training_part(small):
    other = load("factors", count=20, test_count=40, size=32)
    np.testing.assert_array_equal(other.test.images, small.test.images)


def test_factors_are_independent_of_the_label_and_of_each_other():
    """Each of the 55 pairs, in quarters or classes, over 20,000 draws: no table departs from chance."""
    factors = sample(20_000, 0)
    coded = {}
    for name, values in factors.items():
        if values.dtype == np.int64:
            coded[name] = values
        else:
            coded[name] = np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values)
    names = list(coded)
    found = []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            table = np.histogram2d(coded[a], coded[b], bins=(np.ptp(coded[a]) + 1, np.ptp(coded[b]) + 1))[0]
            found.append(chi2_contingency(table).pvalue)
    assert len(found) == 55
    assert min(found) > 0.05 / 55


def test_factors_fill_their_ranges():
    for name, values in sample(20_000, 3).items():
        bounds = RANGES[name]
        if isinstance(bounds, int):
            assert values.dtype == np.int64
            assert np.bincount(values).min() > 20_000 / bounds * 0.9
            assert values.max() == bounds - 1
        else:
            low, high = bounds
            assert values.dtype == np.float64
            assert low <= values.min() < low + 0.01 * (high - low)
            assert high - 0.01 * (high - low) < values.max() <= high


@pytest.mark.parametrize("size", [32, 47])
def test_float32_and_float64_agree_to_one_grey_level(size):
    factors = tensors(sample(50, 5))
    one32 = render(factors, size, "cpu").int()
    one64 = render(factors, size, "cpu", dtype=torch.float64).int()
    assert (one32 - one64).abs().max() <= 1
    assert (one32 != one64).float().mean() < 1e-3


def test_an_image_does_not_depend_on_its_neighbours():
    """Images are rendered shape by shape, in chunks; each lands in its own row."""
    factors = sample(60, 2)
    together = render(tensors(factors), 32, "cpu")
    for row in (0, 17, 59):
        alone = render(tensors({name: values[row : row + 1] for name, values in factors.items()}), 32, "cpu")
        assert (alone[0].int() - together[row].int()).abs().max() <= 1


@pytest.mark.parametrize("name", list(RANGES))
def test_every_factor_can_be_seen(name):
    low, high = RANGES[name] if isinstance(RANGES[name], tuple) else (0, 1)
    # The ends of a circle are one place.
    other = 180.0 if high == 360 else high
    assert (one(**{name: low}) - one(**{name: other})).abs().float().mean() > 1.5


@pytest.mark.parametrize("shape", range(len(SHAPES)), ids=list(SHAPES))
def test_no_turn_but_a_full_one_gives_the_same_outline(shape):
    """The outline in the shape's own units, against itself turned by every step of 15 degrees."""
    at = torch.linspace(-1, 1, 81)
    y, x = torch.meshgrid(at, at, indexing="ij")
    name = list(SHAPES)[shape]
    inside = signed_distance(name, x, y) < 0
    for degrees in range(15, 360, 15):
        turn = torch.tensor(degrees * torch.pi / 180)
        turned = signed_distance(name, x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin()) < 0
        assert (inside ^ turned).sum() > 0.10 * inside.sum(), degrees


@pytest.mark.parametrize("shape", list(SHAPES))
def test_a_shape_fits_its_circle_and_has_a_body(shape):
    at = torch.linspace(-1.3, 1.3, 131)
    y, x = torch.meshgrid(at, at, indexing="ij")
    inside = signed_distance(shape, x, y) < 0
    assert not (inside & (x**2 + y**2 > 1.03**2)).any()
    assert 0.16 < float(inside.float().mean()) * 2.6**2 / torch.pi < 0.80


@pytest.mark.parametrize("shape", list(SHAPES))
def test_a_distance_is_one_near_the_edge(shape):
    """Just outside the edge the distance rises as fast as one walks, so that edges are equally soft."""
    at = torch.linspace(-1.1, 1.1, 111, dtype=torch.float64)
    y, x = torch.meshgrid(at, at, indexing="ij")
    away = signed_distance(shape, x, y)
    step = 1e-6
    slope_x = (signed_distance(shape, x + step, y) - away) / step
    slope_y = (signed_distance(shape, x, y + step) - away) / step
    steep = torch.sqrt(slope_x**2 + slope_y**2)[(away > 0.0) & (away < 0.04)]
    assert steep.median() == pytest.approx(1, abs=1e-3)
    assert ((steep - 1).abs() < 0.1).double().mean() > 0.9


def test_a_shape_can_be_told_from_its_paper():
    """The middle of the shape is far from the paper's edge in grey, for all hues of both, pale and deep."""
    hues = np.repeat(np.arange(0, 360, 30.0), 12)
    paper = np.tile(np.arange(0, 360, 30.0), 12)
    for background in (0, 1):
        many = {name: np.full(144, value) for name, value in PLAIN.items()}
        many |= {"hue": hues, "background_hue": paper, "background": np.full(144, background)}
        images = render(tensors(many), 32, "cpu").float()
        grey = images @ torch.tensor([0.2126, 0.7152, 0.0722])
        middle, corner = grey[:, 14:18, 14:18].mean((1, 2)), grey[:, :3].mean((1, 2))
        assert (middle - corner).abs().min() > 30


def test_brightness_dims_the_whole_image():
    assert (one(brightness=0.7) <= one(brightness=1.0)).all()


def test_light_comes_from_its_side():
    above, below = one(light=90.0).float(), one(light=270.0).float()
    torch.testing.assert_close(above[0].mean() > above[-1].mean(), torch.tensor(True))
    torch.testing.assert_close(below[0].mean() < below[-1].mean(), torch.tensor(True))


def test_a_position_is_up_and_right():
    """The pixels that differ from an empty corner's colour move with the factors."""
    for name, axis, sign in (("x", 1, 1), ("y", 0, -1)):
        low, high = one(**{name: -0.2}), one(**{name: 0.2})
        means = []
        for image in (low, high):
            redder = (image[..., 0] - image[..., 2] > 20).float()
            at = torch.arange(48.0)
            means.append((redder.sum(1 - axis) * at).sum() / redder.sum())
        # 0.4 half images are 9.6 pixels.
        assert float(sign * (means[1] - means[0])) == pytest.approx(9.6, abs=0.3)


def test_textures_are_balanced_and_differ():
    at = torch.linspace(-1, 1, 101, dtype=torch.float64)
    y, x = torch.meshgrid(at, at, indexing="ij")
    pixel = torch.full((1, 1, 1), 0.05)
    every = [relief(torch.full((1, 1, 1), k), x[None], y[None], pixel) for k in range(len(TEXTURES))]
    assert (every[0] == 0).all()
    for k, pattern in enumerate(every[1:], 1):
        assert pattern.min() == -1
        assert pattern.max() == 1
        assert all((pattern - other).abs().mean() > 0.3 for other in every[:k])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 31}, "size must be 32 to 96 pixels, got 31"),
        ({"size": 97}, "size must be 32 to 96 pixels, got 97"),
        ({"count": 9}, "count must be at least 10, one image a shape, got 9"),
        ({"test_count": 0}, "test_count must be at least 10, one image a shape, got 0"),
        ({"seed": -1}, "seed must be >= 0, got -1"),
        ({"shapes": 3}, "unexpected keyword argument 'shapes'"),
    ],
)
def test_options_out_of_range_are_named(options, said):
    with pytest.raises(ValueError, match=said):
        load("factors", **({"count": 10, "test_count": 10, "size": 32} | options))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scale": 2.0}, r"factor scale must be 0.54 to 0.78, got 2 to 2"),
        ({"hue": float("nan")}, "factor hue must be 0.0 to 360.0"),
        ({"shape": 10}, "factor shape must be 0 to 9, got 10 to 10"),
        ({"texture": 1.5}, "factor texture must be whole numbers"),
        ({"colour": 1.0}, "factors must be shape, texture, background"),
    ],
)
def test_factors_out_of_range_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        one(**change)


def test_factors_of_other_lengths_are_named():
    factors = tensors(sample(3, 0))
    with pytest.raises(ValueError, match=r"factor hue must be \(3,\), as shape is, got \(2,\)"):
        render(factors | {"hue": torch.zeros(2)}, 32, "cpu")
    with pytest.raises(ValueError, match="count must be >= 1, got 0"):
        sample(0, 0)
