"""Barlow Twins: the paper's loop, slope, torch's batch normalisation, and the price of a dead column."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import losses
from sim_engine._matmul import forced

SHAPES = [(2, 1), (3, 5), (5, 2), (8, 3), (16, 33)]


def paper(z_a, z_b, lam=0.0051, eps=0.0):
    """Zbontar et al. (2021), eq. 1 and 2, by loops; eps as batch normalisation adds it."""
    n, d = len(z_a), len(z_a[0])

    def columns(z):
        centred = [[row[j] - sum(r[j] for r in z) / n for row in z] for j in range(d)]
        return [[v / math.sqrt(sum(w * w for w in column) + n * eps) for v in column] for column in centred]

    a, b = columns(z_a), columns(z_b)
    c = [[sum(v * w for v, w in zip(x, y, strict=True)) for y in b] for x in a]
    invariance = sum((1 - c[i][i]) ** 2 for i in range(d))
    return invariance + lam * sum(c[i][j] ** 2 for i in range(d) for j in range(d) if i != j)


@pytest.mark.parametrize("setting", [{"eps": 0.0}, {"eps": 1e-5}, {"eps": 0.3, "lam": 2.0}, {"lam": 0.0}])
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_is_the_papers(views, n, d, setting):
    z = views(n, d)
    wanted = paper(*z, **({"eps": 1e-5} | setting))
    assert losses.barlow_twins(*z, **setting).value == pytest.approx(wanted, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("setting", [{"eps": 0.0}, {"eps": 0.3, "lam": 2.0}])
@pytest.mark.parametrize(("n", "d"), [(5, 2), (8, 3), (16, 9)])
def test_gradient_is_the_slope(views, rng, slope, n, d, setting):
    z = views(n, d)
    direction = rng.normal(size=(2, n, d))
    _, grad_a, grad_b = losses.barlow_twins(*z, **setting)
    wanted = slope(lambda a, b: paper(a, b, **setting), z, direction, step=1e-3)
    assert np.sum(grad_a * direction[0] + grad_b * direction[1]) == pytest.approx(wanted, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_and_gradients_are_those_of_torch(views, n, d):
    """The authors' code: batch normalisation without affine, then the product over the batch."""
    z = views(n, d)
    tensors = [torch.tensor(x, requires_grad=True) for x in z]
    norm = torch.nn.BatchNorm1d(d, affine=False, dtype=torch.float64)
    c = norm(tensors[0]).T @ norm(tensors[1]) / n
    own = torch.diagonal(c)
    loss = (own - 1).pow(2).sum() + 0.0051 * (c.pow(2).sum() - own.pow(2).sum())
    result = losses.barlow_twins(*z)
    assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    for ours, theirs in zip(result[1:], torch.autograd.grad(loss, tensors), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, 1e30])
def test_collapse_costs_one_a_column_and_is_at_rest(dtype, value):
    z = np.full((7, 5), value, dtype)
    result = losses.barlow_twins(z, 3 * z)
    assert result.value == 5.0
    assert not result.grad_a.any()


def test_one_dead_column_costs_one_and_is_pulled_from_rest(views):
    z_a, _ = views(8, 3)
    dead = z_a.copy()
    dead[:, 1] = 1e300  # a length that eps would vanish beside
    whole = losses.barlow_twins(z_a, z_a, lam=0.0, eps=1e-12).value
    result = losses.barlow_twins(dead, z_a, lam=0.0, eps=1e-12)
    assert result.value == pytest.approx(whole + 1, abs=1e-9)
    column = z_a[:, 1] - z_a[:, 1].mean()
    # Towards the other view: -2 / (N sqrt(eps)) times its standardised column.
    np.testing.assert_allclose(result.grad_a[:, 1], -2 / 8 * column / column.std() * 1e6, rtol=1e-9)


def test_a_column_far_below_eps_counts_as_dead_and_is_pulled_as_one(views):
    z_a, z_b = views(8, 3)
    whole = losses.barlow_twins(z_a * 1e-300, z_b, eps=1e-4)
    assert whole.value == pytest.approx(3.0, rel=1e-14)
    column = z_b - z_b.mean(axis=0)
    pull = -2 / 8 * column / np.sqrt(column.var(axis=0) + 1e-4) / 1e-2
    np.testing.assert_allclose(whole.grad_a, pull, rtol=1e-9)


def test_two_equal_columns_are_punished_by_lambda(views):
    z = views(8, 1)[0]
    twice = np.tile(z, (1, 2))
    assert losses.barlow_twins(twice, twice, lam=0.5, eps=0.0).value == pytest.approx(2 * 0.5)


@given(st.integers(0, 10**6))
def test_symmetries(seed):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(3, 7), rng.integers(1, 6)
    z_a, z_b = rng.normal(size=(2, n, d))
    value, grad_a, grad_b = losses.barlow_twins(z_a, z_b, eps=0.0)
    rows, columns = rng.permutation(n), rng.permutation(d)
    # Each column of a view has a scale and a place of its own; a power of ten is no rounding matter.
    scale, shift = 10.0 ** rng.uniform(-3, 3, size=d), rng.normal(size=d)
    moved = losses.barlow_twins(z_b[rows][:, columns], (z_a * scale + shift)[rows][:, columns], eps=0.0)
    assert moved.value == pytest.approx(value, rel=1e-8, abs=1e-8)
    bound = 1e-7 * (1 + np.abs(grad_a).max() + np.abs(grad_b).max())
    np.testing.assert_allclose((moved.grad_b * scale[columns]), grad_a[rows][:, columns], atol=bound)
    np.testing.assert_allclose(moved.grad_a, grad_b[rows][:, columns], atol=bound)


@pytest.mark.parametrize("power", [-300, -150, 150, 300])
def test_without_eps_no_length_of_column_overflows_or_vanishes(views, power):
    z_a, z_b = views(6, 3)
    plain = losses.barlow_twins(z_a, z_b, eps=0.0)
    scaled = losses.barlow_twins(z_a * 10.0**power, z_b, eps=0.0)
    assert scaled.value == pytest.approx(plain.value, rel=1e-11)
    np.testing.assert_allclose(scaled.grad_a * 10.0**power, plain.grad_a, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("eps", [5e-324, 1e-30, 1e-5, 1e300])
def test_narrow_numbers_duplicates_and_extremes(views, dtype, eps):
    z_a, z_b = (x.astype(dtype) for x in views(6, 4))
    z_a[0] = z_a[1]
    z_b[:, 2] = 0
    z_a[:, 2] = 0
    double = losses.barlow_twins(z_a.astype(np.float64), z_b.astype(np.float64), eps=eps)
    result = losses.barlow_twins(z_a, z_b, eps=eps)
    assert result.value == pytest.approx(double.value, rel=1e-5)
    assert result.grad_a.dtype == np.result_type(dtype, np.float32)
    np.testing.assert_allclose(result.grad_a, double.grad_a, rtol=1e-4, atol=1e-5)


def test_the_page_and_the_desk_compute_the_same(views):
    z = views(20, 12)
    with forced("blas"):
        desk = losses.barlow_twins(*z)
    with forced("einsum"):
        page = losses.barlow_twins(*z)
    for ours, theirs in zip(page, desk, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


Z = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"z_b": np.ones((4, 2))}, "z_a and z_b must have one shape"),
        ({"z_a": Z[:1], "z_b": Z[:1]}, "at least 2 rows, got 1: one row has no variance"),
        ({"z_a": Z * np.nan}, "z_a must be finite, got nan"),
        ({"z_b": np.ones(3)}, "z_b must have 2 axes"),
        ({"lam": -0.1}, "lam must be >= 0, got -0.1"),
        ({"lam": "1"}, "lam must hold real numbers"),
        ({"eps": -1e-9}, "eps must be >= 0"),
        ({"eps": math.inf}, "eps must be finite, got inf"),
        ({"z_b": np.ones((3, 2)), "eps": 0.0}, "z_b must have no constant column when eps = 0, .* column 0"),
        ({"z_a": Z * 1e-320, "z_b": Z[::-1], "eps": 0.0}, "gradient in z_a overflows float64"),
        ({"lam": 1e308, "z_b": Z[:, :1] - Z}, "the loss overflows|gradient in z_. overflows"),
    ],
)
def test_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        losses.barlow_twins(**({"z_a": Z, "z_b": Z} | changed))
