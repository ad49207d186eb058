"""The cosine of two random directions, against SciPy's Beta distribution and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from sim_engine import sphere

DIMENSIONS = [2, 3, 4, 5, 16, 129, 2048, 100_000]


def beta(d):
    return stats.beta((d - 1) / 2, (d - 1) / 2, loc=-1, scale=2)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_density(d):
    s = np.linspace(-1, 1, 203)[1:-1] * min(1.0, 5 / math.sqrt(d))
    np.testing.assert_allclose(sphere.cosine_density(s, d), beta(d).pdf(s), rtol=1e-8)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_cdf(d):
    s = np.linspace(-1, 1, 201)
    np.testing.assert_allclose(sphere.cosine_cdf(s, d), beta(d).cdf(s), atol=1e-13)
    assert sphere.cosine_cdf([-2.0, -1.0, 0.0, 1.0, 7.0], d) == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-13)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_quantiles(d):
    p = np.concatenate([np.linspace(0, 1, 501), [1e-12, 1e-6, 1 - 1e-6]])
    np.testing.assert_allclose(sphere.cosine_quantiles(p, d), beta(d).ppf(p), atol=1e-12)


def test_closed_forms_on_circle_and_sphere():
    p = np.linspace(0, 1, 101)
    np.testing.assert_allclose(sphere.cosine_quantiles(p, 2), np.cos(np.pi * (1 - p)), atol=1e-14)
    np.testing.assert_allclose(sphere.cosine_quantiles(p, 3), 2 * p - 1, atol=1e-14)
    np.testing.assert_allclose(sphere.cosine_density([-1.0, 0.3, 1.0, 1.5], 3), [0.5, 0.5, 0.5, 0])
    assert np.isinf(sphere.cosine_density([1.0], 2)).all()


@given(st.integers(2, 5000), st.floats(1e-12, 1 - 1e-12))
def test_quantile_and_cdf_undo_each_other(d, p):
    s = sphere.cosine_quantiles(p, d)
    assert -1 <= s <= 1
    assert float(sphere.cosine_cdf(s, d)) == pytest.approx(p, abs=1e-9)
    assert sphere.cosine_quantiles(1 - p, d) == pytest.approx(-s, abs=1e-4)


def test_random_directions_have_these_quantiles(rng):
    x, y = rng.normal(size=(2, 200_000, 6))
    s = np.sum(x * y, axis=1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1))
    p = [0.05, 0.25, 0.5, 0.9, 0.99]
    np.testing.assert_allclose(sphere.cosine_quantiles(p, 6), np.quantile(s, p), atol=0.006)


@pytest.mark.parametrize("kappa", [0.0, 1e-9, 0.3, 4.0, 100.0, 5e5])
def test_log_mean_exp_by_bessel_functions(kappa):
    for d in (2, 3, 4, 7, 64):
        order = d / 2 - 1
        if special.ive(order, kappa) == 0 or kappa < 1e-3:
            wanted = kappa**2 / (2 * d)
        else:
            wanted = (
                math.lgamma(d / 2) + order * math.log(2 / kappa) + math.log(special.ive(order, kappa)) + kappa
            )
        assert sphere.log_mean_exp(kappa, d) == pytest.approx(wanted, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("kappa", [1e12, 1e15, 1e30, 1e100, 1e301])
def test_log_mean_exp_of_a_huge_kappa_is_its_asymptote(kappa):
    """exp(kappa (s - 1)) leaves a cap of radius 1 / sqrt(kappa), whose share of the sphere is elementary."""
    for d in (2, 3, 4, 7, 64, 1000):
        order = d / 2 - 1
        wanted = math.lgamma(d / 2) + order * math.log(2 / kappa) - 0.5 * math.log(2 * math.pi * kappa)
        ours = sphere.log_mean_exp(kappa, d, below_most=True)
        assert ours == pytest.approx(wanted, rel=1e-9, abs=(4 * order**2 + 1) / kappa)


@pytest.mark.parametrize("d", [199, 200, 10**4, 10**6, 10**9, 10**12, 10**15])
def test_many_dimensions_keep_their_digits(d):
    """The cosine is nearly normal with variance 1/d: the next terms of its series are known."""
    assert sphere.cosine_density(0.0, d) == pytest.approx(
        math.sqrt(d / (2 * math.pi)) * (1 - 0.75 / d), rel=2 / d**2 + 1e-14
    )
    for kappa in (2.0, 0.1 * math.sqrt(d)):
        wanted = kappa**2 / (2 * d) - kappa**4 / (4 * d**2 * (d + 2))
        assert sphere.log_mean_exp(kappa, d) == pytest.approx(wanted, rel=1e-5 / d, abs=1e-9)
    s, weight = sphere.nodes(d)
    assert weight @ s**2 * d == pytest.approx(1, rel=1e-6)


def test_nodes_integrate_the_moments():
    for d in (1, 2, 3, 10, 2048):
        s, weight = sphere.nodes(d)
        assert weight.sum() == pytest.approx(1, rel=1e-14)
        assert weight @ s == pytest.approx(0, abs=1e-14)
        assert weight @ s**2 == pytest.approx(1 / d, rel=1e-12)
        assert weight @ s**4 == pytest.approx(3 / (d * (d + 2)), rel=1e-11)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sphere.cosine_density(0.0, 1), "d must be at least 2, got 1"),
        (lambda: sphere.cosine_cdf(0.0, 2.0), "d must be a whole number"),
        (lambda: sphere.cosine_quantiles([0.5, 1.1], 3), r"p must lie in \[0, 1\]"),
        (lambda: sphere.cosine_quantiles([-0.1], 3), r"p must lie in \[0, 1\]"),
        (lambda: sphere.cosine_quantiles([math.nan], 3), "p must be finite"),
        (lambda: sphere.log_mean_exp(-1.0, 3), "kappa must be >= 0"),
        (lambda: sphere.log_mean_exp(1.0, 0), "d must be at least 1"),
        (lambda: sphere.nodes(0), "d must be at least 1"),
        (lambda: sphere.nodes(3, panels=0), "panels must be at least 1"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
