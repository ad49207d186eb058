"""The spectral contrastive loss: loop, slope, torch, and what it is worth in a collapsed encoder."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import losses
from sim_engine._matmul import forced

SHAPES = [(2, 1), (2, 5), (5, 2), (8, 3), (16, 33)]


def paper(z_a, z_b):
    """HaoChen et al. (2021), eq. 6, its expectations taken over a batch by loops."""
    n = len(z_a)

    def dot(i, j):
        return sum(x * y for x, y in zip(z_a[i], z_b[j], strict=True))

    pull = sum(dot(i, i) for i in range(n)) / n
    push = sum(dot(i, j) ** 2 for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return -2 * pull + push


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_is_the_papers(views, n, d):
    z = views(n, d)
    assert losses.spectral(*z).value == pytest.approx(paper(*z), rel=1e-12)


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_gradient_is_the_slope(views, rng, slope, n, d):
    z = views(n, d)
    direction = rng.normal(size=(2, n, d))
    _, grad_a, grad_b = losses.spectral(*z)
    wanted = slope(paper, z, direction, step=1e-3)
    assert np.sum(grad_a * direction[0] + grad_b * direction[1]) == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_and_gradients_are_those_of_torch(views, n, d):
    """The authors' code, without the projection to a ball that comes before."""
    z = views(n, d)
    a, b = tensors = [torch.tensor(x, requires_grad=True) for x in z]
    square = (a @ b.T) ** 2
    off = torch.triu(square, diagonal=1) + torch.tril(square, diagonal=-1)
    loss = -2 * torch.mean(a * b) * d + torch.mean(off) * n / (n - 1)
    result = losses.spectral(*z)
    assert result.value == pytest.approx(loss.item(), rel=1e-10)
    for ours, theirs in zip(result[1:], torch.autograd.grad(loss, tensors), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("r", [0.25, 1.0, 4.0])
def test_collapse_is_worth_r_squared_less_2r(r):
    z = np.tile(np.array([0.6, 0.0, -0.8]) * np.sqrt(r), (7, 1))
    result = losses.spectral(z, z)
    assert result.value == pytest.approx(r * r - 2 * r, rel=1e-12)
    assert result.value >= -1
    # It is a rest only at r = 1: otherwise the length changes, never the direction.
    np.testing.assert_allclose(result.grad_a, 2 * (r - 1) * z / 7, atol=1e-14)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_d_directions_are_worth_minus_d_in_expectation(d):
    """Rows sqrt(d) e_c, c uniform: a batch of every pair (c, c') weighed as independent draws."""
    z = np.sqrt(d) * np.eye(d)
    positives, negatives = np.mean([row @ row for row in z]), np.mean([(x @ y) ** 2 for x in z for y in z])
    assert -2 * positives + negatives == pytest.approx(-d)
    # A batch of m from each direction pairs no row with itself, and so exceeds its limit by little.
    batch = np.tile(z, (500, 1))
    assert losses.spectral(batch, batch).value == pytest.approx(-d, rel=1e-2)


def test_a_batch_of_right_angles_has_no_floor():
    for r in (1.0, 10.0, 1e6):
        z = np.sqrt(r) * np.eye(4, 5)
        assert losses.spectral(z, z).value == pytest.approx(-2 * r)


@given(st.integers(0, 10**6))
def test_symmetries(seed):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, 7), rng.integers(1, 6)
    z_a, z_b = rng.normal(size=(2, n, d))
    value, grad_a, grad_b = losses.spectral(z_a, z_b)
    order, turn = rng.permutation(n), np.linalg.qr(rng.normal(size=(d, d)))[0]
    moved = losses.spectral((z_b @ turn)[order], (z_a @ turn)[order])
    assert moved.value == pytest.approx(value, rel=1e-11, abs=1e-12)
    np.testing.assert_allclose(moved.grad_b, (grad_a @ turn)[order], atol=1e-11)
    np.testing.assert_allclose(moved.grad_a, (grad_b @ turn)[order], atol=1e-11)
    # An opposite row is as wrong as an equal one: one image's views may change sign together.
    sign = np.where(np.arange(n) == 0, -1.0, 1.0)[:, None]
    assert losses.spectral(z_a * sign, z_b * sign).value == pytest.approx(value, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_narrow_numbers_zero_and_duplicate_rows(views, dtype):
    z_a, z_b = (x.astype(dtype) for x in views(6, 4))
    z_a[0], z_a[1] = 0, z_a[2]
    wanted = losses.spectral(z_a.astype(np.float64), z_b.astype(np.float64))
    result = losses.spectral(z_a, z_b)
    assert result.value == pytest.approx(wanted.value, rel=1e-5)
    assert result.grad_a.dtype == np.result_type(dtype, np.float32)
    np.testing.assert_allclose(result.grad_b, wanted.grad_b, rtol=1e-4, atol=1e-4)


def test_the_page_and_the_desk_compute_the_same(views):
    z = views(12, 40)
    with forced("blas"):
        desk = losses.spectral(*z)
    with forced("einsum"):
        page = losses.spectral(*z)
    for ours, theirs in zip(page, desk, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


ONES = np.ones((3, 2))


@pytest.mark.parametrize(
    ("z_a", "z_b", "message"),
    [
        (ONES, np.ones((4, 2)), "z_a and z_b must have one shape"),
        (np.ones((1, 2)), np.ones((1, 2)), "at least 2 rows, got 1: .* no negative"),
        (ONES * np.nan, ONES, "z_a must be finite, got nan"),
        (ONES, np.ones(3), "z_b must have 2 axes"),
        (ONES, ONES > 0, "z_b must hold real numbers"),
        (ONES * 1e200, ONES, "the loss overflows: values of z_a or z_b are too large"),
        (ONES.astype(np.float32) * 1e38, ONES.astype(np.float32), "the loss overflows|gradient in"),
        (ONES * 1e170, ONES * 1e-20, "the gradient in z_b overflows float64 at row 0"),
    ],
)
def test_refused_by_name(z_a, z_b, message):
    with pytest.raises(ValueError, match=message):
        losses.spectral(z_a, z_b)
