"""Alignment plus uniformity as a loss: the paper's loop, slope, torch, and the measures it is made of."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import losses, metrics, similarity
from sim_engine._matmul import forced

SHAPES = [(2, 1), (2, 5), (5, 2), (8, 3), (16, 33)]
SETTINGS = [
    {},
    {"align_weight": 3.0, "uniform_weight": 0.5, "alpha": 1.0, "t": 0.5},
    {"align_weight": 0.0, "alpha": 3.5, "t": 7.0},
    {"uniform_weight": 0.0, "alpha": 0.5},
]


def paper(z_a, z_b, align_weight=1.0, uniform_weight=1.0, alpha=2.0, t=2.0):
    """Wang & Isola (2020), section 4.1, by loops."""

    def unit(rows):
        return [[v / math.sqrt(sum(w * w for w in row)) for v in row] for row in rows]

    def square(x, y):
        return sum((v - w) ** 2 for v, w in zip(x, y, strict=True))

    def uniform(u):
        terms = [math.exp(-t * square(u[i], u[j])) for i in range(len(u)) for j in range(i)]
        return math.log(sum(terms) / len(terms))

    a, b = unit(z_a), unit(z_b)
    align = sum(math.sqrt(square(x, y)) ** alpha for x, y in zip(a, b, strict=True)) / len(a)
    return align_weight * align + uniform_weight * (uniform(a) + uniform(b)) / 2


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_is_the_papers_and_that_of_the_measures(views, n, d, setting):
    z = views(n, d)
    value = losses.align_uniform(*z, **setting).value
    assert value == pytest.approx(paper(*z, **setting), rel=1e-11, abs=1e-13)
    u_a, u_b = (similarity.normalize(x).u for x in z)
    s = {"align_weight": 1.0, "uniform_weight": 1.0, "alpha": 2.0, "t": 2.0} | setting
    uneven = metrics.uniformity(u_a, t=s["t"]) + metrics.uniformity(u_b, t=s["t"])
    measured = s["align_weight"] * metrics.alignment(u_a, u_b, alpha=s["alpha"])
    assert value == pytest.approx(measured + s["uniform_weight"] * uneven / 2, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("n", "d"), [(2, 5), (8, 3), (16, 33)])
def test_gradient_is_the_slope(views, rng, slope, n, d, setting):
    z = views(n, d)
    direction = rng.normal(size=(2, n, d))
    _, grad_a, grad_b = losses.align_uniform(*z, **setting)
    wanted = slope(lambda a, b: paper(a, b, **setting), z, direction, step=1e-3)
    assert np.sum(grad_a * direction[0] + grad_b * direction[1]) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("n", "d"), [s for s in SHAPES if s[1] > 1])
def test_value_and_gradients_are_those_of_torch(views, n, d, setting):
    s = {"align_weight": 1.0, "uniform_weight": 1.0, "alpha": 2.0, "t": 2.0} | setting
    z = views(n, d)
    tensors = [torch.tensor(x, requires_grad=True) for x in z]
    a, b = (F.normalize(x) for x in tensors)
    align = (a - b).norm(p=2, dim=1).pow(s["alpha"]).mean()
    uniform = sum(torch.pdist(u).pow(2).mul(-s["t"]).exp().mean().log() for u in (a, b)) / 2
    loss = s["align_weight"] * align + s["uniform_weight"] * uniform
    result = losses.align_uniform(*z, **setting)
    assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    for ours, theirs in zip(result[1:], torch.autograd.grad(loss, tensors), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_collapse_is_aligned_and_as_uneven_as_can_be(alpha):
    z = np.tile([0.3, -1.2, 0.5], (6, 1))
    result = losses.align_uniform(z, z * 2, alpha=alpha)
    assert result.value == pytest.approx(0.0, abs=1e-7)
    assert np.isfinite(result.grad_a).all()
    same = losses.align_uniform(z, z, alpha=alpha)
    assert same.value == pytest.approx(0.0, abs=1e-14)
    assert np.abs(same.grad_a).max() < 1e-14


@given(st.integers(0, 10**6), st.floats(0.5, 5), st.floats(0.1, 10))
def test_symmetries(seed, alpha, t):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, 7), rng.integers(2, 6)
    z_a, z_b = rng.normal(size=(2, n, d))
    value, grad_a, grad_b = losses.align_uniform(z_a, z_b, alpha=alpha, t=t)
    order, turn = rng.permutation(n), np.linalg.qr(rng.normal(size=(d, d)))[0]
    length = rng.uniform(0.1, 10, size=(n, 1))
    moved = losses.align_uniform((z_b @ turn)[order], (length * z_a @ turn)[order], alpha=alpha, t=t)
    assert moved.value == pytest.approx(value, rel=1e-10, abs=1e-12)
    scale = 1e-9 * (1 + np.abs(grad_a).max() + np.abs(grad_b).max())
    np.testing.assert_allclose(moved.grad_b * length[order], (grad_a @ turn)[order], atol=scale)
    np.testing.assert_allclose(moved.grad_a, (grad_b @ turn)[order], atol=scale)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "setting", [{}, {"t": 1e-300}, {"t": 1e3}, {"t": 1e30}, {"alpha": 1e-300}, {"alpha": 100}]
)
def test_narrow_numbers_duplicates_and_extremes(dtype, setting):
    z_a = np.array([[1, 0], [1, 0], [-1, 0.5], [0, 1]], dtype)
    z_b = z_a[[0, 2, 1, 3]]
    result = losses.align_uniform(z_a, z_b, **setting)
    wide = losses.align_uniform(z_a.astype(np.float64), z_b.astype(np.float64), **setting)
    assert result.value == pytest.approx(wide.value, rel=1e-5, abs=1e-6)
    for grad in result[1:]:
        assert np.isfinite(grad).all()
        assert grad.dtype == np.result_type(dtype, np.float32)


def test_far_beyond_the_width_uniformity_is_the_nearest_pair():
    z = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])  # squared distances 2, 2, 4
    value = losses.align_uniform(z, z, t=1e6).value
    assert value == pytest.approx(-2e6 + math.log(2 / 3), rel=1e-12)


def test_the_page_and_the_desk_compute_the_same(views):
    z = views(12, 40)
    with forced("blas"):
        desk = losses.align_uniform(*z)
    with forced("einsum"):
        page = losses.align_uniform(*z)
    for ours, theirs in zip(page, desk, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


ONES = np.ones((3, 2))
TINY = np.array([[1.0, 0.0], [0.0, 1.0], [1e-320, 0.0]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"z_b": np.ones((4, 2))}, "z_a and z_b must have one shape"),
        ({"z_a": np.ones((1, 2)), "z_b": np.ones((1, 2))}, "at least 2 rows, got 1: uniformity is of pairs"),
        ({"z_a": ONES * 0}, "z_a must have no zero row"),
        ({"z_b": ONES * np.inf}, "z_b must be finite, got inf"),
        ({"align_weight": -1}, "align_weight must be >= 0, got -1"),
        ({"uniform_weight": math.nan}, "uniform_weight must be finite, got nan"),
        ({"uniform_weight": 1e31}, r"uniform_weight must be at most 1e\+30, got 1e\+31"),
        ({"alpha": 0}, "alpha must be finite and > 0, got 0"),
        ({"alpha": 101}, "alpha must be at most 100, got 101"),
        ({"t": "2"}, "t must be a number > 0, got '2'"),
        ({"t": 1e300}, r"t must be at most 1e\+30"),
        ({"z_a": TINY}, "gradient in z_a overflows float64 at row 2"),
    ],
)
def test_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        losses.align_uniform(**({"z_a": ONES, "z_b": ONES + np.eye(3, 2)} | changed))
