"""VICReg: the paper's loop, slope, torch, pytorch-metric-learning, and the price of collapse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_metric_learning.losses import VICRegLoss

from sim_engine import losses
from sim_engine._matmul import forced

SHAPES = [(2, 1), (3, 5), (5, 2), (8, 3), (16, 33)]
SETTINGS = [
    {},
    {"invariance": 2.0, "variance": 0.0, "covariance": 3.0},
    {"invariance": 0.0, "gamma": 3.0, "eps": 0.5},
    {"covariance": 0.0, "gamma": 0.1},
]


def paper(z_a, z_b, invariance=25.0, variance=25.0, covariance=1.0, gamma=1.0, eps=1e-4):
    """Bardes et al. (2022), eq. 1 to 6, by loops."""
    n, d = len(z_a), len(z_a[0])

    def table(z):
        mean = [sum(row[j] for row in z) / n for j in range(d)]
        return [
            [sum((row[i] - mean[i]) * (row[j] - mean[j]) for row in z) / (n - 1) for j in range(d)]
            for i in range(d)
        ]

    s = sum((x - y) ** 2 for a, b in zip(z_a, z_b, strict=True) for x, y in zip(a, b, strict=True)) / n
    tables = [table(z_a), table(z_b)]
    v = sum(max(0.0, gamma - math.sqrt(c[j][j] + eps)) / d for c in tables for j in range(d))
    cov = sum(c[i][j] ** 2 / d for c in tables for i in range(d) for j in range(d) if i != j)
    return invariance * s + variance * v + covariance * cov


@pytest.fixture
def short(views):
    """Views with columns on both sides of the hinge."""

    def make(n, d):
        a, b = views(n, d)
        return a * np.linspace(0.05, 1, d), b * np.linspace(0.05, 1, d)

    return make


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_is_the_papers(short, n, d, setting):
    z = short(n, d)
    assert losses.vicreg(*z, **setting).value == pytest.approx(paper(*z, **setting), rel=1e-11)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("n", "d"), [(3, 5), (8, 3), (16, 9)])
def test_gradient_is_the_slope(short, rng, slope, n, d, setting):
    z = short(n, d)
    direction = rng.normal(size=(2, n, d)) * 0.01
    _, grad_a, grad_b = losses.vicreg(*z, **setting)
    wanted = slope(lambda a, b: paper(a, b, **setting), z, direction, step=1e-2)
    assert np.sum(grad_a * direction[0] + grad_b * direction[1]) == pytest.approx(wanted, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_and_gradients_are_those_of_torch(short, n, d, setting):
    w = {"invariance": 25.0, "variance": 25.0, "covariance": 1.0, "gamma": 1.0, "eps": 1e-4} | setting
    z = short(n, d)
    tensors = [torch.tensor(x, requires_grad=True) for x in z]
    loss = w["invariance"] * (tensors[0] - tensors[1]).pow(2).sum(1).mean()
    for x in tensors:
        loss = loss + w["variance"] * torch.relu(w["gamma"] - torch.sqrt(x.var(0) + w["eps"])).mean()
        off = torch.cov(x.T).reshape(d, d) * (1 - torch.eye(d, dtype=torch.float64))
        loss = loss + w["covariance"] * off.pow(2).sum() / d
    result = losses.vicreg(*z, **setting)
    assert result.value == pytest.approx(loss.item(), rel=1e-10)
    for ours, theirs in zip(result[1:], torch.autograd.grad(loss, tensors), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_the_released_codes_weights_make_it_pmls(short, n, d):
    z = short(n, d)
    tensors = [torch.tensor(x, requires_grad=True) for x in z]
    loss = VICRegLoss()(tensors[0], ref_emb=tensors[1])
    result = losses.vicreg(*z, invariance=25 / d, variance=12.5)
    assert result.value == pytest.approx(loss.item(), rel=1e-10)
    for ours, theirs in zip(result[1:], torch.autograd.grad(loss, tensors), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, 1e30])
def test_collapse_costs_the_whole_hinge_and_is_at_rest(dtype, value):
    z = np.full((7, 3), value, dtype)
    result = losses.vicreg(z, z)
    assert result.value == pytest.approx(2 * 25 * (1 - 0.01), rel=1e-12)
    assert not result.grad_a.any()
    assert losses.vicreg(z, z, variance=0.0).value == 0.0


def test_spread_uncorrelated_columns_cost_nothing():
    z = 2 * np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    result = losses.vicreg(z, z)
    assert result.value == 0.0
    assert not result.grad_a.any()


def test_a_column_at_the_hinge_gets_no_push():
    """Its deviation is gamma exactly, sqrt(3 + 1); as in torch, the kink counts to the flat side."""
    z = np.array([[-1.5], [-1.5], [1.5], [1.5]])
    result = losses.vicreg(z, z, gamma=2.0, eps=1.0)
    assert result.value == 0.0
    assert not result.grad_a.any()


@given(st.integers(0, 10**6))
def test_symmetries(seed):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, 7), rng.integers(1, 6)
    z_a, z_b = rng.normal(size=(2, n, d))
    value, grad_a, grad_b = losses.vicreg(z_a, z_b)
    rows, columns = rng.permutation(n), rng.permutation(d)
    shift, sign = rng.normal(size=d), rng.choice([-1.0, 1.0], size=d)
    # Rows and columns in another order, views exchanged, all moved, axes turned round.
    x, y = ((z * sign + shift)[rows][:, columns] for z in (z_b, z_a))
    moved = losses.vicreg(x, y)
    assert moved.value == pytest.approx(value, rel=1e-10)
    np.testing.assert_allclose(moved.grad_b, (grad_a * sign)[rows][:, columns], atol=1e-9)
    np.testing.assert_allclose(moved.grad_a, (grad_b * sign)[rows][:, columns], atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("eps", [5e-324, 1e-30, 1e-4, 1e300])
def test_narrow_numbers_duplicates_and_extremes(short, dtype, eps):
    z_a, z_b = (x.astype(dtype) for x in short(6, 4))
    z_a[0], z_b[:, 2] = z_a[1], 0
    double = losses.vicreg(z_a.astype(np.float64), z_b.astype(np.float64), eps=eps)
    result = losses.vicreg(z_a, z_b, eps=eps)
    assert result.value == pytest.approx(double.value, rel=1e-5)
    for ours, wide in zip(result[1:], double[1:], strict=True):
        assert ours.dtype == np.result_type(dtype, np.float32)
        np.testing.assert_allclose(ours, wide, rtol=1e-4, atol=1e-4)


def test_the_page_and_the_desk_compute_the_same(short):
    z = short(20, 12)
    with forced("blas"):
        desk = losses.vicreg(*z)
    with forced("einsum"):
        page = losses.vicreg(*z)
    for ours, theirs in zip(page, desk, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


Z = np.eye(3, 2)
SINGLE = Z.astype(np.float32)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"z_b": np.ones((4, 2))}, "z_a and z_b must have one shape"),
        ({"z_a": Z[:1], "z_b": Z[:1]}, "at least 2 rows, got 1: one row has no variance"),
        ({"z_a": Z * np.nan}, "z_a must be finite, got nan"),
        ({"z_b": np.ones(3)}, "z_b must have 2 axes"),
        ({"invariance": -1}, "invariance must be >= 0, got -1"),
        ({"variance": math.nan}, "variance must be finite, got nan"),
        ({"covariance": "1"}, "covariance must hold real numbers"),
        ({"gamma": 0}, "gamma must be finite and > 0"),
        ({"eps": 0.0}, "eps must be finite and > 0"),
        ({"z_a": Z * 1e200}, "the loss overflows: values of z_a or z_b are too large"),
        ({"z_a": SINGLE, "z_b": SINGLE, "variance": 1e40}, "gradient in z_a overflows float32 at row 0"),
    ],
)
def test_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        losses.vicreg(**({"z_a": Z, "z_b": Z} | changed))
