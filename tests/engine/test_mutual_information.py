"""Bounds on mutual information: below a truth that is known, and no higher than log N."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from sim_engine import metrics
from sim_engine._matmul import forced


def gaussian_pair(rng, n, d, rho):
    x, noise = rng.normal(size=(2, n, d))
    return x, rho * x + math.sqrt(1 - rho * rho) * noise


def mean_bound(bound, rng, n, d, rho, batches, shift=0.0):
    """Mean over batches of the bound with the best critic, and its standard error."""
    values = []
    for _ in range(batches):
        values.append(bound(metrics.gaussian_log_ratio(*gaussian_pair(rng, n, d, rho), rho) + shift))
    return np.mean(values), np.std(values, ddof=1) / math.sqrt(batches)


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.5, 0.999])
def test_the_truth_is_a_difference_of_entropies(rho):
    joint = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).entropy()
    truth = 2 * norm.entropy() - joint
    assert metrics.gaussian_mutual_information(rho, 1) == pytest.approx(truth, abs=1e-12)
    assert metrics.gaussian_mutual_information(rho, 7) == pytest.approx(7 * truth, abs=1e-11)


def test_the_truth_keeps_its_digits_at_both_ends():
    assert metrics.gaussian_mutual_information(1e-12, 2) == pytest.approx(1e-24, rel=1e-12)
    # 1 - rho is 2⁻⁵⁰, so 1 - rho² = 2⁻⁴⁹ (1 - 2⁻⁵¹).
    assert metrics.gaussian_mutual_information(1 - 2.0**-50, 2) == pytest.approx(49 * math.log(2), rel=1e-14)


@pytest.mark.parametrize("path", ["blas", "einsum"])
@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.9])
def test_the_best_critic_is_a_ratio_of_densities(rng, rho, path):
    x, y = rng.normal(size=(2, 5, 3))
    with forced(path):
        scores = metrics.gaussian_log_ratio(x, y, rho)
    for i in range(5):
        for j in range(5):
            conditional = norm.logpdf(y[j], rho * x[i], math.sqrt(1 - rho * rho)).sum()
            assert scores[i, j] == pytest.approx(conditional - norm.logpdf(y[j]).sum(), abs=1e-11)


def test_the_critics_mean_over_true_pairs_is_the_truth(rng):
    x, y = gaussian_pair(rng, 20_000, 2, 0.8)
    own = [metrics.gaussian_log_ratio(x[i : i + 1], y[i : i + 1], 0.8)[0, 0] for i in range(0, 20_000, 4)]
    error = np.std(own) / math.sqrt(len(own))
    assert metrics.gaussian_mutual_information(0.8, 2) == pytest.approx(np.mean(own), abs=4 * error)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_info_nce_is_log_n_less_the_cross_entropy(rng, n):
    scores = 3 * rng.normal(size=(n, n))
    loss = torch.nn.functional.cross_entropy(torch.tensor(scores), torch.arange(n)).item()
    assert metrics.info_nce_bound(scores) == pytest.approx(math.log(n) - loss, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("n", [2, 9])
def test_nwj_is_its_formula(rng, n):
    f = rng.normal(size=(n, n))
    rest = [math.exp(f[i, j] - 1) for i in range(n) for j in range(n) if i != j]
    wanted = sum(f[i, i] for i in range(n)) / n - sum(rest) / len(rest)
    assert metrics.nwj_bound(f) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(("rho", "d"), [(0.6, 2), (0.7, 3), (0.9, 5)])
def test_info_nce_lies_below_the_truth_and_rises_with_the_batch(rng, rho, d):
    truth = metrics.gaussian_mutual_information(rho, d)
    found = [mean_bound(metrics.info_nce_bound, rng, n, d, rho, 4000 // n) for n in (4, 16, 64, 256)]
    for (low, low_error), (high, high_error) in itertools.pairwise(found):
        assert low < high + 4 * (low_error + high_error)
    for value, error in found:
        assert value < truth + 4 * error
    assert found[0][0] < found[-1][0] - 4 * (found[0][1] + found[-1][1])


def test_info_nce_comes_near_a_small_truth(rng):
    truth = metrics.gaussian_mutual_information(0.5, 2)  # 0.288, far below log 256 = 5.5
    value, error = mean_bound(metrics.info_nce_bound, rng, 256, 2, 0.5, 40)
    assert value == pytest.approx(truth, abs=0.01 + 4 * error)


def test_info_nce_saturates_at_log_n(rng):
    d, rho = 40, 0.9
    assert metrics.gaussian_mutual_information(rho, d) > 33
    for n in (4, 32, 128):
        value, _ = mean_bound(metrics.info_nce_bound, rng, n, d, rho, 10)
        assert 0.99 * math.log(n) < value <= math.log(n)


def test_a_worse_critic_gives_a_lower_bound(rng):
    pairs = [gaussian_pair(rng, 64, 3, 0.8) for _ in range(60)]

    def mean(rho):
        return np.mean([metrics.info_nce_bound(metrics.gaussian_log_ratio(x, y, rho)) for x, y in pairs])

    assert mean(0.8) > mean(0.4) + 0.05
    assert mean(0.8) > mean(0.95) + 0.05
    assert mean(-0.8) < 0  # worse than chance


def test_nwj_with_its_best_critic_is_the_truth_on_average(rng):
    truth = metrics.gaussian_mutual_information(0.6, 2)
    value, error = mean_bound(metrics.nwj_bound, rng, 64, 2, 0.6, 200, shift=1.0)
    assert value == pytest.approx(truth, abs=4 * error)
    assert error < 0.02
    # Any other critic lies below: here the log ratio without its 1.
    worse, worse_error = mean_bound(metrics.nwj_bound, rng, 64, 2, 0.6, 200)
    assert worse == pytest.approx(truth - math.exp(-1), abs=4 * worse_error)


def test_nwj_is_not_limited_by_log_n(rng):
    value, _ = mean_bound(metrics.nwj_bound, rng, 8, 10, 0.9, 50, shift=1.0)
    assert value > math.log(8) + 1


@given(st.integers(1, 8), st.floats(-3, 300), st.integers(0, 10**6))
def test_no_scores_give_more_than_log_n_and_rows_may_be_shifted(n, magnitude, seed):
    rng = np.random.default_rng(seed)
    scores = 10.0**magnitude * rng.uniform(-1, 1, size=(n, n))
    value = metrics.info_nce_bound(scores)
    assert math.isfinite(value)
    assert value <= math.log(n) + 1e-12
    order = rng.permutation(n)
    assert metrics.info_nce_bound(scores[np.ix_(order, order)]) == pytest.approx(value, rel=1e-12, abs=1e-12)
    if magnitude < 3:
        shifted = metrics.info_nce_bound(scores + rng.normal(size=(n, 1)))
        assert shifted == pytest.approx(value, rel=1e-9, abs=1e-9)
    if n > 1:
        assert metrics.nwj_bound(scores) < math.inf


def test_extreme_scores_have_their_limits():
    assert metrics.info_nce_bound(np.eye(5) * 1e300) == pytest.approx(math.log(5), rel=1e-14)
    assert metrics.info_nce_bound(1e300 - 2e300 * np.eye(2)) == -2e300
    assert metrics.info_nce_bound(np.full((6, 6), -7.0)) == pytest.approx(0, abs=1e-14)
    assert metrics.nwj_bound(np.full((2, 2), 1e5)) == -math.inf
    assert metrics.nwj_bound(np.full((2, 2), -1e5)) == -1e5


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_low_precision_is_computed_in_double(rng, dtype):
    scores = rng.normal(size=(6, 6)).astype(dtype)
    assert metrics.info_nce_bound(scores) == metrics.info_nce_bound(scores.astype(np.float64))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.gaussian_mutual_information(1.0, 2), "rho must lie between -1 and 1"),
        (lambda: metrics.gaussian_mutual_information(math.nan, 2), "rho must lie between -1 and 1"),
        (lambda: metrics.gaussian_mutual_information("0", 2), "rho must be a number between -1 and 1"),
        (lambda: metrics.gaussian_mutual_information(0.5, 0), "d must be at least 1, got 0"),
        (lambda: metrics.gaussian_log_ratio([[1.0]], [[1.0, 2.0]], 0.5), "x and y must have one shape"),
        (lambda: metrics.gaussian_log_ratio([[1e101]], [[1.0]], 0.5), "x must have entries up to 1e100"),
        (lambda: metrics.gaussian_log_ratio([[1.0]], [[1.0]], -1), "rho must lie between -1 and 1"),
        (lambda: metrics.info_nce_bound([[1.0, 2.0]]), r"scores must be square, .* got shape \(1, 2\)"),
        (lambda: metrics.info_nce_bound([[np.inf]]), "scores must be finite"),
        (lambda: metrics.info_nce_bound([[1e301]]), "scores must be up to 1e300"),
        (lambda: metrics.nwj_bound([[1.0]]), "scores must be of at least 2 pairs, got 1"),
        (lambda: metrics.nwj_bound([1.0, 2.0]), "scores must have 2 axes"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
