"""Reference values of the loss and of uniformity: closed forms, simulation, and the printed digits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from sim_engine import floors, losses, metrics, sphere


def test_equal_prints_6_236():
    assert round(floors.equal(256), 3) == 6.236


@pytest.mark.parametrize(("tau", "printed"), [(0.07, 0.0003), (0.1, 0.022), (0.5, 4.24), (1.0, 5.24)])
def test_best_to_the_printed_digit(tau, printed):
    digits = len(str(printed).split(".")[1])
    assert round(floors.best(256, tau), digits) == printed
    assert floors.best(256, tau, d=255) == floors.best(256, tau)


@pytest.mark.parametrize("n", [2, 3, 9])
@pytest.mark.parametrize("tau", [0.05, 0.5, 3.0])
def test_best_is_the_loss_of_a_simplex(n, tau):
    simplex = np.eye(n) - 1 / n
    assert losses.nt_xent_value(simplex, simplex, tau) == pytest.approx(floors.best(n, tau), rel=1e-12)


def test_descent_reaches_the_best_and_stops_there(rng):
    z_a, z_b = rng.normal(size=(2, 4, 3))
    for _ in range(4000):
        _, grad_a, grad_b = losses.nt_xent(z_a, z_b, 0.5)
        z_a, z_b = z_a - 2 * grad_a, z_b - 2 * grad_b
    reached = losses.nt_xent_value(z_a, z_b, 0.5)
    assert reached == pytest.approx(floors.best(4, 0.5), rel=1e-12)


@pytest.mark.parametrize(("d", "printed"), [(2, -1.575), (3, -2.080), (64, -3.875), (128, -3.938)])
def test_best_uniformity_to_the_printed_digit(d, printed):
    assert round(floors.best_uniformity(d), 3) == printed


def test_best_uniformity_by_closed_forms():
    for t in (0.1, 2.0, 50.0, 1e4):
        assert floors.best_uniformity(2, t) == pytest.approx(math.log(special.i0e(2 * t)), rel=1e-12)
        sphere = math.log(-math.expm1(-4 * t) / (4 * t))
        assert floors.best_uniformity(3, t) == pytest.approx(sphere, rel=1e-12)
        assert floors.best_uniformity(1, t) == pytest.approx(math.log((1 + math.exp(-4 * t)) / 2), rel=1e-12)


def test_points_drawn_uniformly_come_near_the_best_uniformity(rng):
    z = rng.normal(size=(1500, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    assert metrics.uniformity(z) == pytest.approx(floors.best_uniformity(3), abs=0.02)


# N = 256.
UNIFORM = [
    (2, 0.1, 14.17),
    (2, 0.5, 7.06),
    (3, 0.1, 13.23),
    (3, 0.5, 6.83),
    (64, 0.1, 7.01),
    (64, 0.5, 6.268),
    (128, 0.1, 6.62),
    (128, 0.5, 6.252),
    (2048, 0.1, 6.261),
    (2048, 0.5, 6.237),
]


@pytest.mark.parametrize(("d", "tau", "printed"), UNIFORM)
def test_uniform_to_the_digit(d, tau, printed):
    digits = len(str(printed).split(".")[1])
    assert round(floors.uniform(256, d, tau), digits) == printed


# One batch each of N = 256, as quoted beside the exact values above: (tau .1, tau .5).
ONE_BATCH = {2: (14.24, 7.07), 3: (13.28, 6.84), 64: (7.00, 6.267), 128: (6.62, 6.251), 2048: (6.258, 6.237)}


@pytest.mark.parametrize("d", ONE_BATCH)
def test_one_batch_strays_and_the_exact_value_lies_among_several(rng, d):
    batches = [rng.normal(size=(2, 256, d)) for _ in range(8)]
    for tau, quoted in zip((0.1, 0.5), ONE_BATCH[d], strict=True):
        values = [losses.nt_xent_value(*batch, tau) for batch in batches]
        exact, spread = floors.uniform(256, d, tau), np.std(values, ddof=1)
        assert min(values) < exact < max(values)
        assert exact == pytest.approx(np.mean(values), abs=4 * spread / math.sqrt(len(values)))
        assert quoted == pytest.approx(exact, abs=2 * spread + 0.0005)  # the last digit is rounded or cut


@pytest.mark.parametrize(("d", "bound", "quoted"), [(2, 14.179, 14.24), (3, 13.241, 13.28)])
def test_a_batch_may_lie_where_no_expectation_can(d, bound, quoted):
    """log(2N - 1) + log E exp(s/tau), which by Jensen's inequality no expected loss exceeds."""
    assert round(floors.equal(256) + sphere.log_mean_exp(10.0, d), 3) == bound
    assert floors.uniform(256, d, 0.1) < bound < quoted


@pytest.mark.parametrize(("d", "tau"), [(1, 0.2), (2, 0.1), (3, 0.5), (64, 0.1), (128, 0.5)])
@pytest.mark.parametrize("n", [2, 32])
def test_uniform_is_the_mean_of_random_batches(rng, n, d, tau):
    """By independent cosines (a Beta draw each), which is what one anchor sees."""
    count, draws = 2 * n - 1, 20_000
    if d == 1:
        s = rng.choice([-1.0, 1.0], size=(draws, count))
    else:
        s = 2 * rng.beta((d - 1) / 2, (d - 1) / 2, size=(draws, count)) - 1
    lse = np.log(np.exp((s - 1) / tau).sum(axis=1)) + 1 / tau
    error = lse.std() / math.sqrt(draws)
    assert floors.uniform(n, d, tau) == pytest.approx(lse.mean(), abs=4 * error)


def test_uniform_is_the_mean_loss_of_random_views(rng):
    n, d, tau = 32, 8, 0.5
    values = [losses.nt_xent_value(*rng.normal(size=(2, n, d)), tau) for _ in range(3000)]
    error = np.std(values) / math.sqrt(len(values))
    assert floors.uniform(n, d, tau) == pytest.approx(np.mean(values), abs=4 * error)


def test_uniform_in_one_dimension_is_a_binomial_sum():
    for tau in (0.25, 2.0):
        sums = [k * math.exp(1 / tau) + (5 - k) * math.exp(-1 / tau) for k in range(6)]
        mean = sum(math.comb(5, k) / 2**5 * math.log(total) for k, total in enumerate(sums))
        assert floors.uniform(3, 1, tau) == pytest.approx(mean, abs=1e-9)


def test_excess_over_chance_is_about_one_over_2_d_tau_squared():
    for d, tau in ((64, 0.5), (128, 0.5), (2048, 0.5), (2048, 1.0)):
        excess = floors.uniform(256, d, tau) - floors.equal(256)
        assert excess == pytest.approx(1 / (2 * d * tau**2), rel=0.03)


@given(st.integers(2, 3000), st.integers(1, 4000), st.floats(0.01, 50))
def test_uniform_lies_between_its_bounds(n, d, tau):
    value = floors.uniform(n, d, tau)
    # Jensen's inequality, both ways.
    assert floors.equal(n) - 1e-8 <= value <= floors.equal(n) + 1 / tau
    assert value > floors.best(n, tau)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: floors.equal(1), "n must be at least 2, got 1"),
        (lambda: floors.equal(2.5), "n must be a whole number, got 2.5"),
        (lambda: floors.equal(True), "n must be a whole number, got True"),
        (lambda: floors.uniform(256, 0, 0.1), "d must be at least 1, got 0"),
        (lambda: floors.uniform(256, 2, 1e-3), "tau must be at least 0.01"),
        (lambda: floors.best(256, 0.1, d=128), r"d must be at least n - 1 = 255 .* got 128"),
        (lambda: floors.best(1, 0.1), "n must be at least 2"),
        (lambda: floors.best(4, -1.0), "tau must be finite and > 0"),
        (lambda: floors.best_uniformity(3, 0.0), "t must be finite and > 0"),
        (lambda: floors.best_uniformity(0), "d must be at least 1"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
