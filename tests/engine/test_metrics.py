"""Measures of an embedding against slow loops, torch, scikit-learn and what they must be at the extremes."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from sim_engine import floors, metrics, similarity
from sim_engine._matmul import forced


def unit(z):
    return similarity.normalize(z).u


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.5])
def test_alignment_is_the_papers_code(views, alpha):
    z_a, z_b = map(unit, views(9, 4))
    x, y = torch.tensor(z_a), torch.tensor(z_b)
    wanted = (x - y).norm(p=2, dim=1).pow(alpha).mean().item()
    assert metrics.alignment(z_a, z_b, alpha=alpha) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("t", [0.5, 2.0, 7.0])
@pytest.mark.parametrize("path", ["blas", "einsum"])
def test_uniformity_is_the_papers_code(views, t, path):
    z, _ = map(unit, views(9, 4))
    wanted = torch.pdist(torch.tensor(z), p=2).pow(2).mul(-t).exp().mean().log().item()
    with forced(path):
        assert metrics.uniformity(z, t=t) == pytest.approx(wanted, rel=1e-12)


def test_extremes_of_alignment_and_uniformity():
    z = unit([[1.0, 2], [3, -1], [0.5, 0.1]])
    assert metrics.alignment(z, z) == 0
    assert metrics.alignment(z, -z) == pytest.approx(4, rel=1e-15)
    assert metrics.uniformity(np.tile([[0.6, 0.8]], (5, 1))) == pytest.approx(0, abs=1e-15)
    assert metrics.uniformity([[1.0, 0], [-1, 0]]) == pytest.approx(-8, rel=1e-14)
    # exp(-4t) is 0 in float64; the answer is not.
    assert metrics.uniformity([[1.0, 0], [-1, 0]], t=1e6) == pytest.approx(-4e6, rel=1e-14)


def test_even_points_on_the_circle_reach_the_best_uniformity():
    angle = np.arange(400) * 2 * np.pi / 400
    z = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    # Over pairs i < j the point itself, at distance 0, is left out: exactly this correction.
    best = math.exp(floors.best_uniformity(2))
    assert metrics.uniformity(z) == pytest.approx(math.log((400 * best - 1) / 399), rel=1e-10)


def slow_retrieval(z_a, z_b, k):
    n = len(z_a)
    z = [v / np.linalg.norm(v) for v in [*z_a, *z_b]]
    hits = 0
    for i in range(2 * n):
        others = sorted((j for j in range(2 * n) if j != i), key=lambda j: -float(z[i] @ z[j]))
        hits += (i + n) % (2 * n) in others[:k]
    return hits / (2 * n)


@pytest.mark.parametrize("path", ["blas", "einsum"])
@pytest.mark.parametrize("k", [1, 3, 5, 23])
@pytest.mark.parametrize("noise", [0.1, 1.5])
def test_positive_retrieval_is_the_slow_loop(views, k, noise, path):
    z_a, z_b = views(12, 3, noise=noise)
    with forced(path):
        share = metrics.positive_retrieval(z_a, z_b, k)
    assert share == pytest.approx(slow_retrieval(z_a, z_b, k), rel=1e-14)


def test_a_collapsed_encoder_retrieves_by_chance():
    z = np.tile([[0.1, 0.7, -0.3]], (8, 1))
    for k in (1, 5, 15):
        assert metrics.positive_retrieval(z, 3 * z, k) == pytest.approx(k / 15)


def test_a_tie_is_a_draw():
    # Anchor 0 and its positive coincide; so does row 1 of the other view.
    z_a, z_b = np.array([[1.0, 0], [0, 1]]), np.array([[1.0, 0], [1, 0]])
    # Rows: a0 meets b0 and b1 (1/2), a1 meets three equals at cosine 0 (1/3), b0 as a0, b1 never.
    assert metrics.positive_retrieval(z_a, z_b) == pytest.approx((1 / 2 + 1 / 3 + 1 / 2 + 0) / 4)


@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 10**6))
def test_measures_keep_to_their_ranges(n, d, seed):
    z_a, z_b = np.random.default_rng(seed).normal(size=(2, n, d))
    shares = [metrics.positive_retrieval(z_a, z_b, k) for k in range(1, 2 * n)]
    assert all(a <= b for a, b in itertools.pairwise(shares))
    assert shares[-1] == 1
    assert -8 - 1e-12 <= metrics.uniformity(unit(z_a)) <= 0
    assert 0 <= metrics.alignment(unit(z_a), unit(z_b)) <= 4 + 1e-12
    assert 0 <= metrics.mean_vector_length(z_a) <= 1 + 1e-12
    assert 1 - 1e-12 <= metrics.effective_rank(z_a) <= min(n, d) + 1e-9


@pytest.mark.parametrize("k", [1, 5, 15])
def test_knn_is_scikit_learns(rng, k):
    labels = rng.integers(0, 4, size=160)
    z = rng.normal(size=(4, 6))[labels] + 1.2 * rng.normal(size=(160, 6))
    ours = metrics.knn_accuracy(z[:100], labels[:100], z[100:], labels[100:], k=k)
    model = KNeighborsClassifier(k, metric="cosine", algorithm="brute").fit(z[:100], labels[:100])
    votes = [np.bincount(labels[i], minlength=4) for i in model.kneighbors(z[100:], return_distance=False)]
    tied = np.array([np.sum(v == v.max()) > 1 for v in votes])
    theirs = model.predict(z[100:]) == labels[100:]
    # Where votes are tied the two break the tie by different rules.
    assert abs(ours * 60 - theirs.sum()) <= tied.sum()
    assert 0.4 < ours < 1


def test_a_tied_vote_goes_to_the_nearest():
    z = [[1.0, 0], [0.9, 0.1], [0.5, 0.5], [0.4, 0.6]]
    for labels, winner in (([7, 2, 2, 7], 7), ([2, 7, 7, 2], 2)):
        assert metrics.knn_accuracy(z, labels, [[1.0, 0]], [winner], k=4) == 1


def test_mean_vector_and_rank():
    assert metrics.mean_vector_length([[2.0, 0], [0, 5]]) == pytest.approx(math.sqrt(0.5))
    assert metrics.mean_vector_length([[2.0, 0], [-1, 0]]) == 0
    assert metrics.effective_rank(np.eye(7)) == pytest.approx(7)
    assert metrics.effective_rank(np.outer([1, 2, 3], [1, 1])) == pytest.approx(1)
    share = np.array([3, 1]) / 4
    wanted = math.exp(-np.sum(share * np.log(share)))
    assert metrics.effective_rank(np.diag([3e300, 1e300])) == pytest.approx(wanted)


def test_float16_rows_that_were_unit_still_count_as_unit(views):
    z_a, z_b = (unit(z).astype(np.float16) for z in views(20, 64))
    assert metrics.alignment(z_a, z_b) == pytest.approx(metrics.alignment(*map(unit, (z_a, z_b))), abs=2e-3)


ONES = np.ones((3, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.alignment(ONES, ONES), "z_a must have unit rows, got length 1.41421 in row 0"),
        (lambda: metrics.alignment([[1.0]], [[1.0]], alpha=0), "alpha must be finite and > 0"),
        (lambda: metrics.alignment([[1.0]], [[1.0], [1.0]]), "must have one shape"),
        (lambda: metrics.uniformity(ONES * 1e300), "z must have unit rows, got length inf"),
        (lambda: metrics.uniformity([[1.0, 0]]), "z must hold at least 2 rows, got 1"),
        (lambda: metrics.uniformity([[1.0], [1.0]], t=-1), "t must be finite and > 0"),
        (lambda: metrics.positive_retrieval(ONES, ONES, 0), "k must be from 1 to 5, got 0"),
        (lambda: metrics.positive_retrieval(ONES, ONES, 6), "k must be from 1 to 5, got 6"),
        (lambda: metrics.positive_retrieval(ONES, ONES, 1.5), "k must be a whole number"),
        (lambda: metrics.positive_retrieval([[1.0]], [[1.0]]), "at least 2 rows"),
        (lambda: metrics.positive_retrieval(ONES * 0, ONES), "z_a must have no zero row"),
        (lambda: metrics.knn_accuracy(ONES, [0, 1], ONES, [0, 1, 1]), "one label per row: 3, got 2"),
        (lambda: metrics.knn_accuracy(ONES, [0, 1, 0.5], ONES, [0, 1, 1]), "labels must be whole .* 0.5"),
        (lambda: metrics.knn_accuracy(ONES, [0, 1, 1], ONES, [0, 1, 1]), "k must be from 1 to 3, got 15"),
        (lambda: metrics.knn_accuracy(ONES, [0, 1, 1], [[1.0]], [0]), "rows of one length, got 2 and 1"),
        (lambda: metrics.effective_rank(ONES * 0), "z must not be zero throughout"),
        (lambda: metrics.mean_vector_length(ONES * 0), "z must have no zero row"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
