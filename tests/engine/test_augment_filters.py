"""Blur, Sobel and noise: equal to loops and to kornia; what they keep, they keep exactly."""

import math

import kornia
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import augment

KERNELS = [(1, 0.5), (3, 0.1), (3, 1.0), (5, 2.0), (9, 2.0), (9, 0.7)]


@pytest.fixture
def image(rng):
    return rng.random((7, 10, 3))


def through(change, image):
    """Apply a torch function to (1, 3, H, W) and return (H, W, 3)."""
    return change(torch.tensor(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()


def mirrored(i, length):
    """Index of a row beyond the border, mirrored about the last one."""
    i = abs(i)
    return i if i < length else 2 * (length - 1) - i


def blurred(image, sigma, kernel):
    """The two-dimensional sum, a pixel at a time."""
    radius = kernel // 2
    height, width, _ = image.shape
    bell = {t: math.exp(-(t * t) / (2 * sigma * sigma)) for t in range(-radius, radius + 1)}
    total = sum(bell.values())
    view = np.zeros_like(image)
    for i in range(height):
        for j in range(width):
            for s in bell:
                for t in bell:
                    there = image[mirrored(i + s, height), mirrored(j + t, width)]
                    view[i, j] += bell[s] * bell[t] / total**2 * there
    return view


@pytest.mark.parametrize(("kernel", "sigma"), KERNELS)
def test_blur_is_that_of_the_loop(image, kernel, sigma):
    got = augment.gaussian_blur(image, sigma, kernel=kernel)
    np.testing.assert_allclose(got, blurred(image, sigma, kernel), atol=1e-12)


@pytest.mark.parametrize(("kernel", "sigma"), KERNELS)
def test_blur_is_that_of_kornia(image, kernel, sigma):
    wanted = through(
        lambda x: kornia.filters.gaussian_blur2d(x, (kernel, kernel), (sigma, sigma), border_type="reflect"),
        image,
    )
    np.testing.assert_allclose(augment.gaussian_blur(image, sigma, kernel=kernel), wanted, atol=1e-12)


@given(
    st.floats(0, 1), st.floats(1e-6, 1e6), st.sampled_from([1, 3, 5, 7]), st.sampled_from([np.float32, float])
)
def test_blur_keeps_a_constant_exactly(level, sigma, kernel, dtype):
    image = np.full((4, 5, 3), level, dtype)
    np.testing.assert_array_equal(augment.gaussian_blur(image, sigma, kernel=kernel), image)


@pytest.mark.parametrize(("kernel", "sigma"), KERNELS)
def test_blur_keeps_the_sum_of_what_lies_inside(rng, kernel, sigma):
    image = np.full((26, 26, 3), 0.4)
    image[9:17, 9:17] = rng.random((8, 8, 3))
    got = augment.gaussian_blur(image, sigma, kernel=kernel)
    np.testing.assert_allclose(got.sum(axis=(0, 1)), image.sum(axis=(0, 1)), rtol=1e-13)


def test_each_image_of_a_batch_has_its_own_sigma(rng):
    batch = rng.random((3, 6, 5, 3))
    got = augment.gaussian_blur(batch, [0.2, 1.0, 1.9], kernel=5)
    for i, sigma in enumerate((0.2, 1.0, 1.9)):
        np.testing.assert_allclose(got[i], augment.gaussian_blur(batch[i], sigma, kernel=5), atol=1e-12)


@pytest.mark.parametrize("side", [*range(1, 45), 96, 224, 225])
def test_kernel_is_that_of_the_released_code(side):
    radius = int((side // 10) / 2)
    assert augment.kernel_size(side) == 2 * radius + 1
    assert radius < side  # so the mirror always has enough pixels


def test_random_blur_draws_simclrs_sigma_and_kernel():
    rng = np.random.default_rng(4)
    drawn = [augment.RandomGaussianBlur().draw(rng, 96, 128)[0].parameters for _ in range(400)]
    assert {p["kernel"] for p in drawn} == {9}
    sigmas = [p["sigma"] for p in drawn]
    assert 0.1 <= min(sigmas) < 0.15
    assert 1.95 < max(sigmas) <= 2.0


@pytest.mark.parametrize("kernel", [0, 2, 4, 15, -1, 3.0, True])
def test_kernel_is_checked(image, kernel):
    with pytest.raises(ValueError, match=r"^kernel must be"):
        augment.gaussian_blur(image, 1.0, kernel=kernel)


SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


def test_sobel_is_that_of_the_loop(image):
    height, width, _ = image.shape
    wanted = np.zeros_like(image)
    for i in range(height):
        for j in range(width):
            around = [
                [image[min(max(i + a, 0), height - 1), min(max(j + b, 0), width - 1)] for b in (-1, 0, 1)]
                for a in (-1, 0, 1)
            ]
            g_x = sum(SOBEL[a][b] * around[a][b] for a in range(3) for b in range(3))
            g_y = sum(SOBEL[b][a] * around[a][b] for a in range(3) for b in range(3))
            wanted[i, j] = np.minimum(np.hypot(g_x, g_y) / 4, 1)
    np.testing.assert_allclose(augment.sobel(image), wanted, atol=1e-12)


def test_sobel_is_twice_that_of_kornia(image):
    # kornia adds eps under the root; 1e-24 of it moves a value by 1e-12 at most.
    wanted = 2 * through(lambda x: kornia.filters.sobel(x, normalized=True, eps=1e-24), image)
    np.testing.assert_allclose(augment.sobel(image), np.minimum(wanted, 1), atol=1e-11)


def test_sobel_of_a_constant_is_black_and_of_a_step_white():
    assert (augment.sobel(np.full((4, 4, 3), 77, np.uint8)) == 0).all()
    step = np.zeros((6, 6, 3), np.uint8)
    step[3:] = 255
    assert (augment.sobel(step)[[2, 3]] == 255).all()
    assert (augment.sobel(step)[[0, 1, 4, 5]] == 0).all()


def test_noise_has_its_sigma_and_no_mean():
    image = np.full((60, 60, 3), 0.5)
    sigma, n = 0.05, image.size
    added = augment.noise(image, sigma, seed=9) - image
    # Five standard errors of the mean and of the standard deviation; 0.5 is ten sigma from either end.
    assert abs(added.mean()) < 5 * sigma / math.sqrt(n)
    assert abs(added.std() - sigma) < 5 * sigma / math.sqrt(2 * n)
    for a, b in ((added[:-1], added[1:]), (added[:, :-1], added[:, 1:]), (added[..., :-1], added[..., 1:])):
        assert abs(np.mean(a * b)) < 5 * sigma**2 / math.sqrt(a.size)


def test_noise_is_its_seeds():
    image = np.full((4, 4, 3), 0.5)
    np.testing.assert_array_equal(augment.noise(image, 0.1, seed=1), augment.noise(image, 0.1, seed=1))
    assert (augment.noise(image, 0.1, seed=1) != augment.noise(image, 0.1, seed=2)).any()
    np.testing.assert_array_equal(augment.noise(image, 0.0, seed=1), image)
    both = augment.noise(np.stack([image, image]), [0.1, 0.2], seed=[5, 6])
    np.testing.assert_array_equal(both[1], augment.noise(image, 0.2, seed=6))


@pytest.mark.parametrize("seed", [-1, 0.5, 2**32, np.nan])
def test_seed_is_checked(image, seed):
    with pytest.raises(ValueError, match=r"^seed must"):
        augment.noise(image, 0.1, seed=seed)
