"""Flip, rotation and cutout: equal to loops and to kornia, exact for what only moves pixels."""

import math

import kornia
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sim_engine import augment

images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3)))
ANGLES = [-400.0, -30.0, 0.0, 12.5, 45.0, 90.0, 133.0, 180.0, 270.0]


@pytest.fixture
def image(rng):
    return rng.random((6, 9, 3))


def through(change, image):
    """Apply a torch function to (1, 3, H, W) and return (H, W, 3)."""
    return change(torch.tensor(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()


@given(images)
def test_flip_moves_pixels_and_comes_back(image):
    flipped = augment.horizontal_flip(image)
    height, width, _ = image.shape
    for i in range(height):
        for j in range(width):
            assert flipped[i, j].tolist() == image[i, width - 1 - j].tolist()
    np.testing.assert_array_equal(augment.horizontal_flip(flipped), image)


def test_flip_is_that_of_kornia(image):
    np.testing.assert_array_equal(augment.horizontal_flip(image), through(kornia.geometry.hflip, image))


def rotated(image, degrees, fill):
    """The docstring's coordinates, a pixel at a time."""
    height, width, _ = image.shape
    theta = math.radians(degrees)
    cosine, sine = math.cos(theta), math.sin(theta)

    def at(i, j):
        return image[i, j] if 0 <= i < height and 0 <= j < width else np.full(3, fill)

    view = np.zeros_like(image)
    for i in range(height):
        for j in range(width):
            v, u = i - (height - 1) / 2, j - (width - 1) / 2
            y = u * sine + v * cosine + (height - 1) / 2
            x = u * cosine - v * sine + (width - 1) / 2
            i0, j0 = math.floor(y), math.floor(x)
            a, b = y - i0, x - j0
            view[i, j] = (1 - a) * ((1 - b) * at(i0, j0) + b * at(i0, j0 + 1)) + a * (
                (1 - b) * at(i0 + 1, j0) + b * at(i0 + 1, j0 + 1)
            )
    return view


@pytest.mark.parametrize("fill", [0.0, 0.7])
@pytest.mark.parametrize("degrees", ANGLES)
def test_rotation_is_that_of_the_loop(image, degrees, fill):
    got = augment.rotation(image, degrees, fill=fill)
    np.testing.assert_allclose(got, rotated(image, degrees, fill), atol=1e-12)


# kornia maps pixels to [-1, 1] and back through two 3 x 3 inverses: some roundings more.
@pytest.mark.parametrize("degrees", ANGLES)
def test_rotation_is_that_of_kornia(image, degrees):
    wanted = through(lambda x: kornia.geometry.rotate(x, torch.tensor([degrees], dtype=x.dtype)), image)
    np.testing.assert_allclose(augment.rotation(image, degrees), wanted, atol=1e-9)


@given(hnp.arrays(np.uint8, st.integers(1, 6).map(lambda n: (n, n, 3))), st.integers(-9, 9))
def test_quarter_turns_of_a_square_are_exact(image, quarters):
    got = augment.rotation(image, 90.0 * quarters, fill=1.0)
    np.testing.assert_array_equal(got, np.rot90(image, quarters))


def test_outside_is_filled():
    image = np.full((9, 9, 3), 100, np.uint8)
    turned = augment.rotation(image, 45.0, fill=1.0)
    assert (turned[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
    assert (turned[3:6, 3:6] == 100).all()


def test_each_image_of_a_batch_has_its_own_angle(rng):
    batch = rng.random((3, 5, 7, 3))
    got = augment.rotation(batch, [10.0, 90.0, -77.0])
    for i, degrees in enumerate((10.0, 90.0, -77.0)):
        np.testing.assert_allclose(got[i], augment.rotation(batch[i], degrees), atol=1e-12)


@given(images, st.tuples(*[st.integers(-3, 6)] * 2), st.tuples(*[st.integers(0, 4)] * 2))
def test_cutout_paints_the_box_and_leaves_the_rest(image, start, sides):
    got = augment.cutout(image, *start, *sides, fill=0.2)
    height, width, _ = image.shape
    for i in range(height):
        for j in range(width):
            inside = start[0] <= i < start[0] + sides[0] and start[1] <= j < start[1] + sides[1]
            assert got[i, j].tolist() == ([51, 51, 51] if inside else image[i, j].tolist())


@pytest.mark.parametrize("fill", [0.0, 0.5, 1.0])
def test_cutout_is_kornias_random_erasing_of_the_same_boxes(rng, fill):
    """To the bit, since both copy pixels or paint; boxes that reach beyond the image among them."""
    boxes = np.array([(0, 0, 6, 9), (1, 2, 3, 4), (5, 8, 1, 1), (-2, 3, 4, 2), (4, -3, 9, 5), (2, 7, 3, 30)])
    batch = rng.random((len(boxes), 6, 9, 3))
    keys = dict(
        zip(("ys", "xs", "heights", "widths"), torch.tensor(boxes.T, dtype=torch.float64), strict=True)
    )
    chance = {"values": torch.full((len(boxes),), fill), "batch_prob": torch.ones(len(boxes))}
    erase = kornia.augmentation.RandomErasing(value=fill, p=1.0)
    wanted = erase(torch.tensor(batch).permute(0, 3, 1, 2), params=keys | chance).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(augment.cutout(batch, *boxes.T, fill=fill), wanted)
    assert (wanted != batch).any(axis=(1, 2, 3)).all()


def test_each_image_of_a_batch_has_its_own_box(rng):
    batch = rng.random((2, 4, 4, 3))
    got = augment.cutout(batch, [0, -1], [1, 2], [2, 3], [1, 9], fill=0.0)
    hidden = (got == 0).all(axis=-1)
    assert np.argwhere(hidden[0]).tolist() == [[0, 1], [1, 1]]
    assert np.argwhere(hidden[1]).tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]


def test_cutouts_centre_is_uniform_over_the_pixels():
    rng, n, side = np.random.default_rng(1), 4000, 8
    operation = augment.RandomCutout(0.5)
    counts = np.zeros((side, side))
    for _ in range(n):
        p = operation.draw(rng, side, side)[0].parameters
        counts[p["top"] + 2, p["left"] + 2] += 1
    # Hoeffding for each of 16 marginals, all together wrong with a chance below 1e-6.
    bound = math.sqrt(math.log(2 * 16 * 1e6) / (2 * n))
    for axis in (0, 1):
        assert np.abs(counts.sum(axis=axis) / n - 1 / side).max() < bound
    assert counts.min() > 0


def test_random_rotations_stay_in_range():
    rng = np.random.default_rng(2)
    drawn = [augment.RandomRotation(20.0).draw(rng, 8, 8)[0].parameters["degrees"] for _ in range(300)]
    assert -20 <= min(drawn) < -18
    assert 18 < max(drawn) <= 20
    chosen = augment.RandomRotation(angles=(90, 180, 270))
    assert {chosen.draw(rng, 8, 8)[0].parameters["degrees"] for _ in range(60)} == {90.0, 180.0, 270.0}
