"""BYOL's and SimSiam's loss: loops, slope with the target held, torch's detach, collapse the optimum."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import losses

SHAPES = [(1, 1), (1, 4), (5, 2), (8, 3), (16, 33)]


def cosines(p, z):
    """Mean cosine of two sets of rows, by loops."""

    def cosine(x, y):
        dot = sum(v * w for v, w in zip(x, y, strict=True))
        return dot / math.sqrt(sum(v * v for v in x)) / math.sqrt(sum(w * w for w in y))

    return sum(cosine(x, y) for x, y in zip(p, z, strict=True)) / len(p)


def _mse(p, z):
    """Grill et al. (2020), eq. 2."""
    return 2 - 2 * cosines(p, z)


def _negative(p, z):
    """Chen & He (2021), eq. 1."""
    return -cosines(p, z)


def _byol(p_a, p_b, z_a, z_b):
    return _mse(p_a, z_b) + _mse(p_b, z_a)


def _simsiam(p_a, p_b, z_a, z_b):
    return _negative(p_a, z_b) / 2 + _negative(p_b, z_a) / 2


ONE_SIDED = [(losses.normalized_mse, _mse), (losses.negative_cosine, _negative)]
SYMMETRIC = [(losses.byol, _byol), (losses.simsiam, _simsiam)]


@pytest.fixture
def four(views):
    def make(n, d):
        return *views(n, d), *views(n, d, seed=5)

    return make


@pytest.mark.parametrize(("ours", "paper"), ONE_SIDED)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_one_side_is_the_papers(views, rng, slope, n, d, ours, paper):
    p, z = views(n, d)
    result = ours(p, z)
    assert result.value == pytest.approx(paper(p, z), rel=1e-12, abs=1e-14)
    direction = rng.normal(size=(n, d)) * np.linalg.norm(p, axis=1)[:, None]
    wanted = slope(lambda x: paper(x, z), (p,), (direction,), step=1e-3)
    assert np.sum(result.grad_p * direction) == pytest.approx(wanted, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("ours", "paper"), SYMMETRIC)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_both_sides_are_the_papers(four, rng, slope, n, d, ours, paper):
    p_a, p_b, z_a, z_b = four(n, d)
    result = ours(p_a, p_b, z_a, z_b)
    assert result.value == pytest.approx(paper(p_a, p_b, z_a, z_b), rel=1e-12, abs=1e-14)
    along = rng.normal(size=(2, n, d)) * np.linalg.norm([p_a, p_b], axis=2)[:, :, None]
    wanted = slope(lambda x, y: paper(x, y, z_a, z_b), (p_a, p_b), along, step=1e-3)
    grads = np.array([result.grad_p_a, result.grad_p_b])
    assert np.sum(grads * along) == pytest.approx(wanted, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_values_and_gradients_are_those_of_torch_with_detached_targets(four, n, d):
    z = four(n, d)
    p_a, p_b, z_a, z_b = tensors = [torch.tensor(x, requires_grad=True) for x in z]

    def mse(p, target):
        return (F.normalize(p) - F.normalize(target.detach())).pow(2).sum(1).mean()

    def negative(p, target):
        return -F.cosine_similarity(p, target.detach()).mean()

    for loss, result in (
        (mse(p_a, z_b) + mse(p_b, z_a), losses.byol(*z)),
        (negative(p_a, z_b) / 2 + negative(p_b, z_a) / 2, losses.simsiam(*z)),
    ):
        assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
        wanted = torch.autograd.grad(loss, tensors, allow_unused=True)
        np.testing.assert_allclose(result.grad_p_a, wanted[0].numpy(), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(result.grad_p_b, wanted[1].numpy(), rtol=1e-10, atol=1e-10)
        assert wanted[2:] == (None, None)


def test_the_gradient_is_not_that_of_a_loss_whose_target_moves(views, slope):
    """One embedding as prediction and target: without stop-gradient the slope is twice as steep."""
    z = views(6, 4)[0]
    other = views(6, 4)[1]
    result = losses.byol(z, other, z, other)  # predictor: the identity
    both = slope(lambda x: _byol(x, other, x, other), (z,), (-result.grad_p_a,))
    assert both == pytest.approx(2 * np.sum(result.grad_p_a * -result.grad_p_a), rel=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_collapse_is_the_optimum(dtype):
    z = np.tile(np.array([0.3, -1.2, 0.5], dtype), (6, 1))
    for loss, floor in ((losses.simsiam, -1.0), (losses.byol, 0.0)):
        result = loss(z, 2 * z, 4 * z, 8 * z)
        assert result.value == pytest.approx(floor, abs=1e-14)
        assert np.abs(result.grad_p_a).max() < 1e-14
        assert loss(z, z, -z, -z).value == pytest.approx({-1.0: 1.0, 0.0: 8.0}[floor], rel=1e-6)


@given(st.integers(0, 10**6), st.sampled_from([np.float16, np.float32, np.float64]))
def test_symmetries_and_bounds(seed, dtype):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(1, 7), rng.integers(1, 6)
    z = [(x + 1e-2).astype(dtype) for x in rng.normal(size=(4, n, d))]
    result = losses.simsiam(*z)
    assert -1 - 1e-6 <= result.value <= 1 + 1e-6
    assert losses.byol(*z).value == pytest.approx(4 * result.value + 4, rel=1e-4, abs=1e-4)
    assert result.grad_p_a.dtype == np.result_type(dtype, np.float32)
    if dtype is not np.float64:
        return
    order, turn = rng.permutation(n), np.linalg.qr(rng.normal(size=(d, d)))[0]
    length = 10.0 ** rng.uniform(-2, 2, size=(n, 1))
    p_b, p_a, z_b, z_a = ((x @ turn)[order] for x in z)  # the views change places
    moved = losses.simsiam(p_a, p_b * length[order], z_a * 7, z_b)
    assert moved.value == pytest.approx(result.value, rel=1e-11, abs=1e-12)
    bound = 1e-11 * (1 + np.abs(result.grad_p_a).max() + np.abs(result.grad_p_b).max())
    np.testing.assert_allclose(moved.grad_p_a, (result.grad_p_b @ turn)[order], atol=bound)
    np.testing.assert_allclose(moved.grad_p_b * length[order], (result.grad_p_a @ turn)[order], atol=bound)


def test_near_agreement_keeps_its_digits():
    result = losses.normalized_mse([[1.0, 1e-10]], [[1.0, 0.0]])
    assert result.value == pytest.approx(1e-20, rel=1e-12)  # 2 - 2 cos would be 0
    np.testing.assert_allclose(result.grad_p, [[0.0, 2e-10]], atol=1e-19)


def test_long_and_short_rows_neither_overflow_nor_vanish(views):
    p, z = views(6, 5)
    plain = losses.normalized_mse(p, z)
    scaled = losses.normalized_mse(p * 1e300, z * 1e-300)
    assert scaled.value == pytest.approx(plain.value, rel=1e-12)
    np.testing.assert_allclose(scaled.grad_p * 1e300, plain.grad_p, atol=1e-13)


ONES = np.ones((3, 2))
TINY = np.array([[1.0, 0.0], [0.0, 1.0], [1e-320, 0.0]])


@pytest.mark.parametrize("loss", [losses.normalized_mse, losses.negative_cosine])
@pytest.mark.parametrize(
    ("p", "z", "message"),
    [
        (ONES, np.ones((4, 2)), r"p and z must have one shape.*\(3, 2\) and \(4, 2\)"),
        (ONES * 0, ONES, "p must have no zero row"),
        (ONES, ONES * 0, "z must have no zero row"),
        (ONES * np.nan, ONES, "p must be finite, got nan"),
        (ONES, np.ones(3), "z must have 2 axes"),
        (np.ones((0, 2)), np.ones((0, 2)), "p must not be empty"),
        (ONES, ONES > 0, "z must hold real numbers"),
        (TINY, ONES, "gradient in p overflows float64 at row 2"),
    ],
)
def test_one_side_refused_by_name(loss, p, z, message):
    with pytest.raises(ValueError, match=message):
        loss(p, z)


@pytest.mark.parametrize("loss", [losses.byol, losses.simsiam])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({1: np.ones((4, 2))}, "p_a and p_b must have one shape"),
        ({3: np.ones((3, 3))}, "p_a and z_b must have one shape"),
        ({2: ONES * np.inf}, "z_a must be finite, got inf"),
        ({3: ONES * 0}, "z_b must have no zero row"),
        ({1: TINY}, "gradient in p_b overflows float64 at row 2"),
    ],
)
def test_both_sides_refused_by_name(loss, changed, message):
    with pytest.raises(ValueError, match=message):
        loss(*[changed.get(place, ONES) for place in range(4)])
