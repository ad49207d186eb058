"""t-SNE: the paper's formulas in loops, its gradient by difference and by torch, scikit-learn's picture."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE, trustworthiness

from sim_engine import projection, tsne
from sim_engine._matmul import forced


def paper_p(x, perplexity):
    """Equation 1 and section 3.1 in loops, σ by SciPy's root finder on its own scale."""
    n = len(x)
    conditional = np.zeros((n, n))
    for i in range(n):
        square = [float(np.sum((x[i] - x[j]) ** 2)) for j in range(n) if j != i]

        def shares(log_beta, square=square):
            weight = [math.exp(-math.exp(log_beta) * (s - min(square))) for s in square]
            return [w / sum(weight) for w in weight]

        def excess(log_beta, shares=shares):
            return -sum(p * math.log(p) for p in shares(log_beta) if p > 0) - math.log(perplexity)

        found = shares(brentq(excess, -25, 25, xtol=1e-14))
        conditional[i, [j for j in range(n) if j != i]] = found
    return (conditional + conditional.T) / (2 * n)


def paper_kl(p, y):
    """Equation 4 and KL in loops."""
    n = len(y)
    weight = [
        [1 / (1 + float(np.sum((y[i] - y[j]) ** 2))) if i != j else 0 for j in range(n)] for i in range(n)
    ]
    total = sum(map(sum, weight))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j and p[i, j] > 0]
    return sum(p[i, j] * math.log(p[i, j] * total / weight[i][j]) for i, j in pairs)


def torch_kl(p, y):
    q = 1 / (1 + torch.cdist(y, y, compute_mode="donot_use_mm_for_euclid_dist").square())
    q = q * (1 - torch.eye(len(y), dtype=torch.float64))
    q = q / q.sum()
    off = ~torch.eye(len(y), dtype=torch.bool)
    return (p[off] * (p[off] / q[off]).log()).sum()


@pytest.mark.parametrize("path", ["blas", "einsum"])
@pytest.mark.parametrize(("n", "d", "perplexity"), [(3, 1, 1.5), (12, 3, 4.0), (15, 40, 10.0), (9, 2, 7.9)])
def test_p_is_the_papers(rng, n, d, perplexity, path):
    x = rng.normal(size=(n, d)) * 5 + 3
    with forced(path):
        p = tsne.joint_probabilities(x, perplexity)
    np.testing.assert_allclose(p, paper_p(x, perplexity), atol=1e-9)
    np.testing.assert_array_equal(p, p.T)
    assert p.sum() == pytest.approx(1, rel=1e-14)
    assert not p.diagonal().any()


def test_kl_is_the_papers(rng):
    p = tsne.joint_probabilities(rng.normal(size=(10, 4)), 3.0)
    for y in (rng.normal(size=(10, 2)), 1e-4 * rng.normal(size=(10, 3)), 50 * rng.normal(size=(10, 1))):
        assert tsne.kl_divergence(p, y).value == pytest.approx(paper_kl(p, y), rel=1e-10)


@pytest.mark.parametrize("path", ["blas", "einsum"])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_gradient_is_the_difference_and_torchs(rng, slope, d, path):
    p = tsne.joint_probabilities(rng.normal(size=(10, 4)), 3.0)
    y, direction = rng.normal(size=(2, 10, d))
    with forced(path):
        value, grad = tsne.kl_divergence(p, y)
    by_difference = slope(lambda at: tsne.kl_divergence(p, at).value, [y], [direction])
    assert np.sum(grad * direction) == pytest.approx(by_difference, rel=1e-8)
    tensor = torch.tensor(y, requires_grad=True)
    loss = torch_kl(torch.tensor(p), tensor)
    assert value == pytest.approx(loss.item(), rel=1e-10)
    loss.backward()
    np.testing.assert_allclose(grad, tensor.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_steps_are_algorithm_1_in_loops(rng):
    x, init = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    settings_ = {"perplexity": 3.0, "steps": 12, "early": 5, "exaggeration": 4.0, "learning_rate": 3.0}
    found = list(tsne.tsne_steps(x, init=init, **settings_))
    p = tsne.joint_probabilities(x, 3.0)
    y = init - init.mean(axis=0)
    change, gain = np.zeros_like(y), np.ones_like(y)
    for step in range(13):
        np.testing.assert_allclose(found[step].y, y, atol=1e-11)
        assert found[step].step == step
        assert found[step].exaggerated == (step < 5)
        assert found[step].kl == pytest.approx(tsne.kl_divergence(p, y).value, rel=1e-9)
        c, momentum = (4.0, 0.5) if step < 5 else (1.0, 0.8)
        square = ((y[:, None] - y) ** 2).sum(axis=2)
        weight = (1 - np.eye(8)) / (1 + square)
        q = weight / weight.sum()
        for i in range(8):
            for k in range(2):
                grad = 4 * sum((c * p[i, j] - q[i, j]) * weight[i, j] * (y[i, k] - y[j, k]) for j in range(8))
                gain[i, k] = gain[i, k] + 0.2 if grad * change[i, k] < 0 else max(gain[i, k] * 0.8, 0.01)
                change[i, k] = momentum * change[i, k] - 3.0 * gain[i, k] * grad
        y = y + change
        y = y - y.mean(axis=0)
    assert len(found) == 13


def test_on_digits_it_is_as_trustworthy_as_scikit_learns():
    x = load_digits().data[:200] / 16
    start = projection.pca(x, 2).scores
    start = start / start[:, 0].std() * 1e-4
    frames = list(tsne.tsne_steps(x, init=start, perplexity=20.0, steps=500))
    model = TSNE(perplexity=20, init=start.astype(np.float32), method="exact", max_iter=500)
    theirs = model.fit_transform(x)
    # Two descents into one of many minima: pictures differ, what they keep of the data does not.
    assert trustworthiness(x, frames[-1].y) > trustworthiness(x, theirs) - 0.005
    assert trustworthiness(x, frames[-1].y) > trustworthiness(x, start) + 0.1
    assert frames[-1].kl < 1.1 * model.kl_divergence_
    # P and the divergence are theirs; they stop bisecting at 1e-5 and compute in float32.
    ours_of_theirs = tsne.kl_divergence(tsne.joint_probabilities(x, 20.0), theirs).value
    assert ours_of_theirs == pytest.approx(model.kl_divergence_, abs=1e-4)


def test_a_seed_decides_the_picture(rng):
    x = rng.normal(size=(15, 4))
    pictures = [
        tsne.tsne(x, rng=np.random.default_rng(seed), perplexity=4.0, steps=60, learning_rate=5.0)
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert np.abs(pictures[0] - pictures[2]).max() > 0.1
    assert np.abs(pictures[0].mean(axis=0)).max() < 1e-12


def test_the_start_is_small_or_what_was_given(rng):
    x = rng.normal(size=(400, 3))
    first = next(tsne.tsne_steps(x, rng=rng))
    assert first.y.std() == pytest.approx(1e-4, rel=0.1)
    init = rng.normal(size=(400, 2))
    kept = init.copy()
    first = next(tsne.tsne_steps(x, init=init))
    np.testing.assert_allclose(first.y, init - init.mean(axis=0), atol=1e-15)
    np.testing.assert_array_equal(init, kept)
    np.testing.assert_array_equal(tsne.tsne(x, init=init, steps=0), first.y)


def test_frames_are_arrays_of_their_own(rng):
    steps = tsne.tsne_steps(rng.normal(size=(6, 2)), rng=rng, perplexity=2.0, steps=5, learning_rate=1.0)
    first = next(steps)
    kept = first.y.copy()
    list(steps)
    np.testing.assert_array_equal(first.y, kept)


def test_two_clusters_come_apart(rng):
    x = np.concatenate([rng.normal(size=(12, 5)), rng.normal(size=(12, 5)) + 20])
    y = tsne.tsne(x, rng=rng, perplexity=5.0, steps=500, learning_rate=5.0)
    square = ((y[:, None] - y) ** 2).sum(axis=2) + np.diag(np.full(24, np.inf))
    # The five nearest of every point are of its own cluster.
    assert (np.argsort(square, axis=1)[:, :5] // 12 == np.arange(24)[:, None] // 12).all()


@settings(max_examples=30)
@given(st.integers(4, 10), st.integers(1, 4), st.floats(-140, 140), st.integers(0, 10**6))
def test_scale_rotation_shift_and_order_do_not_matter(n, d, exponent, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    p = tsne.joint_probabilities(x, 2.5)
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    moved = (x @ turn + 2) * 10.0**exponent
    np.testing.assert_allclose(tsne.joint_probabilities(moved, 2.5), p, atol=1e-7)
    order = rng.permutation(n)
    np.testing.assert_allclose(tsne.joint_probabilities(x[order], 2.5), p[np.ix_(order, order)], atol=1e-8)
    y = rng.normal(size=(n, 2))
    value, grad = tsne.kl_divergence(p, y)
    spin, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    again = tsne.kl_divergence(p, y @ spin + 3)
    assert value >= -1e-12
    assert again.value == pytest.approx(value, abs=1e-11)
    np.testing.assert_allclose(again.grad, grad @ spin, atol=1e-11)
    # No force from outside: the gradient sums to nought.
    np.testing.assert_allclose(grad.sum(axis=0), 0, atol=1e-12)


def test_points_in_one_place_are_all_neighbours():
    p = tsne.joint_probabilities(np.full((6, 3), 0.1), 2.0)
    np.testing.assert_allclose(p[~np.eye(6, dtype=bool)], 1 / 30, rtol=1e-12)
    start = np.random.default_rng(0)
    y = tsne.tsne(np.zeros((5, 2)), rng=start, perplexity=2.0, steps=50, learning_rate=1.0)
    assert np.isfinite(y).all()


def test_more_duplicates_than_neighbours_share_the_row():
    x = np.array([[0.0], [0.0], [0.0], [0.0], [7.0], [9.0]]) + 0.3
    p = tsne.joint_probabilities(x, 2.0)
    # Each of the four has three equals, and perplexity 2 < 3: a third each, none for the far ones.
    np.testing.assert_allclose(p[0, 1:4], (1 / 3 + 1 / 3) / 12, rtol=1e-12)


def test_a_collapsed_or_far_flung_picture_is_finite(rng):
    p = tsne.joint_probabilities(rng.normal(size=(6, 2)), 2.0)
    value, grad = tsne.kl_divergence(p, np.ones((6, 2)))
    assert value == pytest.approx(paper_kl(p, np.ones((6, 2))), rel=1e-12)
    assert not grad.any()
    value, grad = tsne.kl_divergence(p, 1e100 * rng.uniform(-1, 1, size=(6, 2)))
    assert math.isfinite(value)
    assert np.isfinite(grad).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_low_precision_is_computed_in_double(rng, dtype):
    x = rng.normal(size=(8, 3)).astype(dtype)
    wanted = tsne.joint_probabilities(x.astype(np.float64), 3.0)
    np.testing.assert_array_equal(tsne.joint_probabilities(x, 3.0), wanted)


X, Y = np.random.default_rng(0).normal(size=(2, 6, 2))
P = (1 - np.eye(6)) / 30


def steps(**changes):
    return tsne.tsne_steps(X, **({"init": Y, "perplexity": 2.0} | changes))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tsne.joint_probabilities(X), r"perplexity must lie between 1 and N - 1 = 5, .* got 30"),
        (lambda: tsne.joint_probabilities(X, 1.0), "perplexity must lie between 1 and N - 1"),
        (lambda: tsne.joint_probabilities(X, 5), "perplexity must lie between 1 and N - 1"),
        (lambda: tsne.joint_probabilities(X, math.nan), "perplexity must be finite"),
        (lambda: tsne.joint_probabilities(X[:2], 1.1), "x must hold at least 3 rows, got 2"),
        (lambda: tsne.joint_probabilities(X * np.inf, 2.0), "x must be finite"),
        (lambda: tsne.joint_probabilities(X[0], 2.0), "x must have 2 axes"),
        (lambda: steps(init=None), "give either rng, which draws the start, or init"),
        (lambda: steps(rng=np.random.default_rng(0)), "give either rng, which draws the start, or init"),
        (lambda: steps(rng=5, init=None), "rng must be a numpy.random.Generator, got 5; np.random"),
        (lambda: steps(init=Y[:, :1]), r"init must have shape \(6, 2\), got \(6, 1\)"),
        (lambda: steps(init=Y * 1e101), "init must have entries up to 1e100"),
        (lambda: steps(d=0), "d must be at least 1, got 0"),
        (lambda: steps(steps=-1), "steps must be at least 0"),
        (lambda: steps(early=-1), "early must be at least 0"),
        (lambda: steps(exaggeration=0.5), "exaggeration must be at least 1"),
        (lambda: steps(learning_rate=0.0), "learning_rate must be finite and > 0"),
        (lambda: list(steps(learning_rate=1e300)), "learning_rate must be smaller: at 1e.300 step 1"),
        (lambda: tsne.kl_divergence(P[:5], Y), r"p must have shape \(N, N\).* got \(5, 6\)"),
        (lambda: tsne.kl_divergence(2 * P, Y), "p must be symmetric, >= 0 and sum to 1"),
        (lambda: tsne.kl_divergence(P + np.triu(P) - np.tril(P), Y), "p must be symmetric"),
        (lambda: tsne.kl_divergence(P, Y * np.nan), "y must be finite"),
    ],
)
def test_refused_by_name_and_at_the_call(call, message):
    with pytest.raises(ValueError, match=message):
        call()
