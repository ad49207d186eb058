"""NT-Xent's bound in few dimensions: the proof's steps by number, reached where it can be, never undercut."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import floors, losses, sphere
from sim_engine.floors import _levenshtein

TAUS = [0.05, 0.1, 0.5, 3.0]


def polygon(n):
    angle = 2 * math.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def axes(d):
    return np.concatenate([np.eye(d), -np.eye(d)])


def icosahedron():
    golden = (1 + math.sqrt(5)) / 2
    z = np.array([(0.0, a, b * golden) for a in (1, -1) for b in (1, -1)])
    return np.concatenate([np.roll(z, shift, axis=1) for shift in range(3)])


def roots_of_e8():
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=8))) / 2
    pairs = itertools.combinations(range(8), 2)
    whole = [a * np.eye(8)[i] + b * np.eye(8)[j] for i, j in pairs for a in (1, -1) for b in (1, -1)]
    return np.concatenate([signs[np.prod(signs, axis=1) > 0], whole])


SHARP = {
    **{f"polygon-{n}": polygon(n) for n in (4, 5, 6, 7, 30, 101, 256)},
    **{f"axes-{d}": axes(d) for d in (2, 3, 8, 128)},
    "icosahedron": icosahedron(),
    "e8": roots_of_e8(),
    "both-ends": np.array([[1.0], [-1.0]] * 5),
}


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("name", SHARP)
def test_sharp_configurations_reach_it(name, tau):
    z = SHARP[name]
    assert losses.nt_xent_value(z, z, tau) == pytest.approx(floors.best_bound(*bound_of(z, tau)), rel=1e-11)


def bound_of(z, tau):
    return len(z), tau, z.shape[1]


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("n", [2, 3, 9, 256])
def test_where_the_simplex_fits_it_is_the_best(n, tau):
    for d in (n - 1, n, 5 * n):
        assert floors.best_bound(n, tau, d) == floors.best(n, tau, d)


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("n", [3, 4, 9, 33, 256, 5000])
def test_fewer_dimensions_raise_it(n, tau):
    fewer = [d for d in (1, 2, 3, 4, 7, n // 3 + 1, n // 2 + 1, n - 2) if d < n - 1]
    values = [floors.best_bound(n, tau, d) for d in [*sorted(set(fewer)), n - 1]]
    assert (np.diff(values) <= 1e-12).all()
    assert all(value > floors.best(n, tau) for value in values[:-1])
    assert values[0] < floors.equal(n)


def polynomials(s, d, degree):
    """Gegenbauer's polynomials P_l, of which P_l(1) = 1, and their derivatives, each (degree + 1, len(s))."""
    p, slope = [np.ones_like(s), s], [np.zeros_like(s), np.ones_like(s)]
    for k in range(1, degree):
        a, b = (2 * k + d - 2) / (k + d - 2), k / (k + d - 2)
        p.append(a * s * p[k] - b * p[k - 1])
        slope.append(a * (p[k] + s * slope[k]) - b * slope[k - 1])
    return np.array(p[: degree + 1]), np.array(slope[: degree + 1])


RULES = [
    (5, 3),
    (6, 3),
    (7, 3),
    (9, 3),
    (12, 3),
    (40, 3),
    (8, 2),
    (9, 2),
    (20, 8),
    (60, 8),
    (256, 16),
    (256, 128),
]


def degree_of(n, d):
    nodes, _ = _levenshtein.rule(n, d)
    inside = nodes[nodes > -1]
    return 2 * len(inside) - (len(inside) == len(nodes))


@pytest.mark.parametrize(("n", "d"), RULES)
def test_the_rule_is_exact_to_its_degree(n, d):
    nodes, weights = _levenshtein.rule(n, d)
    assert (weights > 0).all()
    assert -1 - 1e-15 <= nodes.min() < nodes.max() < 1
    values, _ = polynomials(np.append(nodes, 1.0), d, degree_of(n, d))
    mean = values @ np.append(weights, 1 / n)
    np.testing.assert_allclose(mean, np.eye(len(mean))[0], atol=1e-12)  # P_0 has the mean 1, all others 0


@pytest.mark.parametrize("tau", [0.1, 0.5])
@pytest.mark.parametrize(("n", "d"), RULES)
def test_the_polynomial_of_the_proof_lies_below_and_has_no_negative_coefficient(n, d, tau):
    nodes, weights = _levenshtein.rule(n, d)
    inside, degree = nodes[nodes > -1], degree_of(n, d)
    touching, slopes = polynomials(inside, d, degree)[0], polynomials(inside, d, degree)[1]
    rows, right = [*touching.T, *slopes.T], [*np.exp(inside / tau), *(np.exp(inside / tau) / tau)]
    if len(inside) < len(nodes):
        rows.append(polynomials(np.array([-1.0]), d, degree)[0][:, 0])
        right.append(math.exp(-1 / tau))
    h = np.linalg.solve(np.array(rows), np.array(right))
    assert (h > 0).all()
    s = np.linspace(-1, 1, 2001)
    rounding = 1e-14 * math.exp(1 / tau)
    assert (h @ polynomials(s, d, degree)[0] <= np.exp(s / tau) + rounding).all()
    # Its mean is h_0 and its value at 1 the sum: the bound is what the proof says.
    wanted = math.log1p(2 * (n * h[0] - h.sum()) * math.exp(-1 / tau))
    assert math.log1p(2 * n * weights @ np.exp((nodes - 1) / tau)) == pytest.approx(wanted, rel=1e-8)
    assert floors.best_bound(n, tau, d) == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize(
    ("n", "d", "tau", "most"), [(5, 3, 0.5, 1.03), (8, 3, 0.5, 1.01), (20, 3, 0.2, 1.02), (10, 4, 0.3, 1.03)]
)
def test_descent_comes_near_and_never_below(rng, n, d, tau, most):
    bound = floors.best_bound(n, tau, d)
    z_a, z_b = rng.normal(size=(2, n, d))
    for step in range(1500):
        value, grad_a, grad_b = losses.nt_xent(z_a, z_b, tau)
        if step % 10 == 0:
            assert value >= bound
        z_a, z_b = z_a - n * tau * grad_a, z_b - n * tau * grad_b
    assert bound < losses.nt_xent_value(z_a, z_b, tau) < most * bound


@given(st.integers(2, 12), st.integers(1, 5), st.floats(0.02, 20), st.integers(0, 10**6), st.booleans())
def test_no_loss_lies_below(n, d, tau, seed, coincide):
    z_a, z_b = np.random.default_rng(seed).normal(size=(2, n, d))
    z_b = z_a if coincide else z_b
    assert losses.nt_xent_value(z_a, z_b, tau) >= floors.best_bound(n, tau, d) * (1 - 1e-12)


@given(st.integers(2, 10**5), st.integers(1, 10**5), st.floats(1e-3, 1e3))
def test_it_lies_between_the_best_and_chance(n, d, tau):
    value = floors.best_bound(n, tau, d)
    assert floors.best(n, tau) <= value <= floors.equal(n) + 1e-12
    # The mean over random directions, which a batch of any size has no less of but for each row itself.
    every = 2 * n * math.exp(sphere.log_mean_exp(1 / tau, d, below_most=True)) - 1
    assert value >= (math.log(every) if every > 0 else 0) - 1e-9


@pytest.mark.parametrize(("n", "d"), [(401, 2), (40_401, 3)])
def test_beyond_the_longest_rule_nothing_jumps(n, d):
    """The most points that a rule is made for, and one more."""
    assert len(_levenshtein.rule(n, d)[0]) == _levenshtein.MOST_NODES
    assert _levenshtein.rule(n + 1, d) is None
    for tau in (0.02, 0.5):
        step = floors.best_bound(n + 1, tau, d) - floors.best_bound(n, tau, d)
        assert 0 < step < 1.1 * (floors.equal(n + 1) - floors.equal(n)) + 1e-3 / n


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: floors.best_bound(1, 0.1, 3), "n must be at least 2, got 1"),
        (lambda: floors.best_bound(8, 0.0, 3), "tau must be finite and > 0"),
        (lambda: floors.best_bound(8, 0.1, 0), "d must be at least 1, got 0"),
        (lambda: floors.best_bound(8, 0.1, None), "d must be a whole number, got None"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
