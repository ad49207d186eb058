"""Tolerance against the slow loop over pairs, and tied to alignment where a class is a pair."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import metrics, similarity


def unit(z):
    return similarity.normalize(z).u


def slow_tolerance(z, labels):
    z = [v / np.linalg.norm(v) for v in z]
    pairs = [(i, j) for i, j in itertools.permutations(range(len(z)), 2) if labels[i] == labels[j]]
    return sum(float(z[i] @ z[j]) for i, j in pairs) / len(pairs)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_tolerance_is_the_mean_over_pairs_of_a_class(rng, classes):
    labels = rng.integers(-2, classes - 2, size=23)
    z = rng.normal(size=(23, 4)) + 0.5
    assert metrics.tolerance(z, labels) == pytest.approx(slow_tolerance(z, labels), rel=1e-12)


def test_where_a_class_is_a_pair_tolerance_is_alignment(views):
    """‖a - b‖² = 2 - 2 a·b."""
    z_a, z_b = map(unit, views(9, 4))
    tolerance = metrics.tolerance(np.concatenate([z_a, z_b]), np.tile(np.arange(9), 2))
    assert tolerance == pytest.approx(1 - metrics.alignment(z_a, z_b) / 2, rel=1e-12)


def test_extremes_of_tolerance():
    corner = np.eye(3)[[0, 0, 1, 1, 1]] * [[1], [9], [1], [2], [3]]
    assert metrics.tolerance(corner, [0, 0, 1, 1, 1]) == 1
    assert metrics.tolerance([[1.0, 0], [-5, 0]], [2, 2]) == -1
    # A regular triangle of one class: its sum is nought, and the three rows met themselves.
    angle = 2 * np.pi * np.arange(3) / 3
    triangle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert metrics.tolerance(triangle, [0, 0, 0]) == pytest.approx(-0.5)


def test_the_papers_values_cannot_be_means_with_the_indicator_inside():
    """With ten classes of one size, the mean of product times indicator is at most a tenth."""
    labels = np.repeat(np.arange(10), 20)
    z = np.eye(10)[labels]
    same = labels[:, None] == labels
    assert np.mean((z @ z.T) * same) == pytest.approx(0.1)
    assert metrics.tolerance(z, labels) == 1


@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 10**6))
def test_order_names_rotation_and_length_do_not_matter(n, d, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, size=n)
    labels[0] = labels[1]
    z = rng.normal(size=(n, d))
    value = metrics.tolerance(z, labels)
    assert -1 <= value <= 1
    order = rng.permutation(n)
    assert metrics.tolerance(z[order], labels[order]) == pytest.approx(value, abs=1e-12)
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    length = 10.0 ** rng.uniform(-20, 20, size=(n, 1))
    assert metrics.tolerance(z @ turn * length, 7 - 2 * labels) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float16, 2e-3), (np.float32, 1e-6)])
def test_low_precision_loses_only_the_digits_of_its_input(rng, dtype, tolerance):
    z, labels = rng.normal(size=(40, 8)), rng.integers(0, 4, size=40)
    exact = metrics.tolerance(z, labels)
    assert metrics.tolerance(z.astype(dtype), labels) == pytest.approx(exact, abs=tolerance)


@pytest.mark.parametrize(
    ("z", "labels", "message"),
    [
        (np.eye(3), [0, 1, 2], "labels must hold some label twice"),
        ([[1.0, 2.0]], [0], "labels must hold some label twice"),
        (np.eye(3), [0, 0], "labels must hold one label per row: 3, got 2"),
        (np.eye(3), [0, 0, 0.5], r"labels must be whole numbers, got 0.5"),
        (np.eye(3), [0, 0, 1e300], r"labels must lie within 2\*\*53"),
        (np.eye(3), ["a", "a", "b"], "labels must hold real numbers"),
        (np.zeros((2, 2)), [0, 0], "z must have no zero row"),
        ([[np.nan, 1.0], [1, 1]], [0, 0], "z must be finite, got nan"),
        (np.ones(3), [0, 0, 1], "z must have 2 axes"),
    ],
)
def test_refused_by_name(z, labels, message):
    with pytest.raises(ValueError, match=message):
        metrics.tolerance(z, labels)
