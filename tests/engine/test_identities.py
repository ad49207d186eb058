"""The papers' own identities between losses and measures, and what a loss tends to with many negatives."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import floors, losses, metrics, similarity, sphere


def unit(z):
    return similarity.normalize(z).u


def mean_log_sum_exp(z, tau):
    """Mean over rows of log Σ_{k ≠ i} exp(s_ik / τ), in loops."""
    total = 0.0
    for i in range(len(z)):
        terms = [float(z[i] @ z[k]) / tau for k in range(len(z)) if k != i]
        total += max(terms) + math.log(sum(math.exp(t - max(terms)) for t in terms))
    return total / len(z)


@given(st.integers(2, 6), st.integers(1, 5), st.floats(-2, 2), st.integers(0, 10**6))
def test_nt_xent_is_alignment_and_a_mean_log_sum(n, d, exponent, seed):
    """L = align / 2τ - 1/τ + mean LSE."""
    tau = 10.0**exponent
    z_a, z_b = map(unit, np.random.default_rng(seed).normal(size=(2, n, d)))
    identity = metrics.alignment(z_a, z_b) / (2 * tau) - 1 / tau
    identity += mean_log_sum_exp(np.concatenate([z_a, z_b]), tau)
    assert losses.nt_xent_value(z_a, z_b, tau) == pytest.approx(identity, rel=1e-10, abs=1e-12 / tau)


@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
def test_the_identity_term_by_term(views, tau):
    """What rises with the distance of positives alone, at fixed negatives, is align / 2τ."""
    z_a, z_b = map(unit, views(8, 5))
    gap = losses.nt_xent_value(z_a, z_b, tau) - losses.nt_xent_value(z_a, z_b[::-1], tau)
    # The set of rows, so every denominator, is the same; only who is whose positive has changed.
    wanted = (metrics.alignment(z_a, z_b) - metrics.alignment(z_a, z_b[::-1])) / (2 * tau)
    assert gap == pytest.approx(wanted, rel=1e-11)


def test_dcl_is_alignment_and_a_mean_log_sum_of_negatives(views):
    z_a, z_b = map(unit, views(6, 4))
    z, tau, n = np.concatenate([z_a, z_b]), 0.3, 6
    sums = [
        math.log(sum(math.exp(float(z[i] @ z[k]) / tau) for k in range(12) if k % n != i % n))
        for i in range(12)
    ]
    identity = metrics.alignment(z_a, z_b) / (2 * tau) - 1 / tau + np.mean(sums)
    assert losses.dcl(z_a, z_b, tau).value == pytest.approx(identity, rel=1e-12)


def test_clip_bounds_information_as_info_nce_does(views):
    """log N - L of CLIP is the mean of the two directions' bounds."""
    x, y = views(7, 4)
    scores = similarity.cosine(x, y) / 0.1
    both = (metrics.info_nce_bound(scores) + metrics.info_nce_bound(scores.T)) / 2
    assert math.log(7) - losses.clip(x, y, -math.log(0.1)).value == pytest.approx(both, rel=1e-11)


def test_tau_to_infinity_is_alignment_less_the_mean_similarity(views):
    """τ(L - log(2N - 1)) tends to the mean cosine of all pairs less that of positives."""
    z_a, z_b = map(unit, views(8, 5))
    z = np.concatenate([z_a, z_b])
    s = z @ z.T
    mean = s[~np.eye(16, dtype=bool)].mean()
    for tau in (1e3, 1e4, 1e5):
        scaled = tau * (losses.nt_xent_value(z_a, z_b, tau) - floors.equal(8))
        # The next term is the variance of a row's cosines over 2τ, at most 1/2τ.
        assert scaled == pytest.approx(mean - np.mean(np.sum(z_a * z_b, axis=1)), abs=0.6 / tau + 1e-9)


# Theorem 1 of Wang & Isola (2020): L - log M tends to -E[s⁺]/τ + E log E exp(s⁻/τ), and is from its limit
# by O(M^(-1/2)). With uniform z the limit is log_mean_exp(1/τ) less the positive's part.


@pytest.mark.parametrize(("d", "tau"), [(2, 0.5), (3, 0.5), (16, 0.2)])
def test_theorem_1_the_limit_is_reached_within_its_rate(d, tau):
    """Exactly, for uniform negatives: the mean gap is even O(1/M), from below, -Var X / (2 M (E X)²)."""
    limit = sphere.log_mean_exp(1 / tau, d)
    second = sphere.log_mean_exp(2 / tau, d)
    curvature = math.expm1(second - 2 * limit)  # Var X / (E X)², X = exp(s / τ)
    for n in (32, 256, 2048, 16384):
        m = 2 * n - 1
        gap = floors.uniform(n, d, tau) - floors.equal(n) - limit
        assert gap < 0
        assert abs(gap) < math.sqrt(curvature) * m**-0.5
        if m > 500 * curvature:
            assert m * gap == pytest.approx(-curvature / 2, rel=0.05)


@pytest.mark.parametrize(("d", "tau"), [(3, 0.5), (16, 0.5)])
def test_theorem_1_one_anchor_is_off_by_m_to_the_minus_one_half(rng, d, tau):
    """Seeded draws of one anchor's log-mean-exp: their mean distance from the limit falls as M^(-1/2)."""
    limit = sphere.log_mean_exp(1 / tau, d)
    spread = math.sqrt(math.expm1(sphere.log_mean_exp(2 / tau, d) - 2 * limit))
    sizes = [16, 64, 256, 1024]
    off = []
    for m in sizes:
        s = 2 * rng.beta((d - 1) / 2, (d - 1) / 2, size=(400, m)) - 1
        off.append(np.mean(np.abs(np.log(np.mean(np.exp(s / tau), axis=1)) - limit)))
    rate = np.polyfit(np.log(sizes), np.log(off), 1)[0]
    assert rate == pytest.approx(-0.5, abs=0.08)
    # The central limit: E|gap| = spread √(2 / πM).
    assert off[-1] == pytest.approx(spread * math.sqrt(2 / (math.pi * 1024)), rel=0.15)


def test_theorem_1_on_the_losses_own_batches(rng):
    """Random positives near their anchors: NT-Xent less log(2N - 1), plus E[s⁺]/τ, nears the same limit."""
    tau, d = 0.5, 3
    limit = sphere.log_mean_exp(1 / tau, d)
    off = []
    sizes = (8, 32, 128, 512)
    for n in sizes:
        values = []
        for _ in range(2048 // n):
            z_a = unit(rng.normal(size=(n, d)))
            z_b = unit(z_a + 0.5 * rng.normal(size=(n, d)))
            positive = np.mean(np.sum(z_a * z_b, axis=1))
            values.append(losses.nt_xent_value(z_a, z_b, tau) - floors.equal(n) + positive / tau)
        off.append(abs(np.mean(values) - limit))
    # Positives are no draw from the negatives' distribution, so the mean gap starts wide, above.
    assert all(a > b for a, b in itertools.pairwise(off))
    assert all(gap < 2 * (2 * n - 1) ** -0.5 for gap, n in zip(off, sizes, strict=True))


def test_uniformity_is_the_log_mean_the_limit_speaks_of(rng):
    """With t = 1/2τ: log E exp(s/τ) = uniformity + 1/τ, for pairs drawn from the same rows."""
    z, tau = unit(rng.normal(size=(30, 4))), 0.4
    s = (z @ z.T)[~np.eye(30, dtype=bool)]
    wanted = math.log(np.mean(np.exp(s / tau))) - 1 / tau
    assert metrics.uniformity(z, t=1 / (2 * tau)) == pytest.approx(wanted, rel=1e-12)
    limit = sphere.log_mean_exp(1 / tau, 4) - 1 / tau
    assert floors.best_uniformity(4, 1 / (2 * tau)) == pytest.approx(limit, rel=1e-12)
