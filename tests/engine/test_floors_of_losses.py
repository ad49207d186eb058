"""Values of losses to compare with: reached by their optimum, met by chance, never undercut."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import floors, losses, metrics, similarity
from sim_engine.floors._shared import mean_log_sum_exp


def simplex(n):
    return np.eye(n) - 1 / n


def sup_con(z, rows_each, tau, variant="out"):
    return losses.sup_con(z, np.repeat(np.arange(len(z) // rows_each), rows_each), tau, variant=variant).value


TAUS = [0.05, 0.5, 3.0]


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("n", [2, 3, 9])
def test_best_is_the_loss_of_a_simplex(n, tau):
    z = simplex(n)
    assert losses.dcl(z, z, tau).value == pytest.approx(floors.dcl.best(n, tau), rel=1e-11)
    assert losses.clip(z, z, -math.log(tau)).value == pytest.approx(floors.clip.best(n, tau), rel=1e-11)
    assert losses.nt_logistic(z, z, tau).value == pytest.approx(floors.nt_logistic.best(n, tau), rel=1e-11)
    for m in (2, 5):
        for variant in ("out", "in"):
            value = sup_con(np.repeat(z, m, axis=0), m, tau, variant)
            assert value == pytest.approx(floors.sup_con.best(n, m, tau), rel=1e-11)
    assert metrics.uniformity(similarity.normalize(z).u) == pytest.approx(floors.best_uniformity_of_points(n))


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("k", [1, 7])
def test_best_info_nce_is_opposite_negatives(k, tau):
    query = np.ones((3, 1))
    value = losses.info_nce(query, query, -np.ones((k, 1)), tau).value
    assert value == pytest.approx(floors.info_nce.best(k, tau), rel=1e-11)


@pytest.mark.parametrize("tau", TAUS)
def test_equal_is_the_loss_of_a_collapsed_encoder(tau):
    z = np.tile([[0.3, -1.2, 0.5]], (5, 1))
    assert losses.dcl(z, z, tau).value == pytest.approx(floors.dcl.equal(5), rel=1e-12)
    assert losses.clip(z, z, -math.log(tau)).value == pytest.approx(floors.clip.equal(5), rel=1e-12)
    assert losses.info_nce(z, z, z[:4], tau).value == pytest.approx(floors.info_nce.equal(4), rel=1e-12)
    assert losses.nt_logistic(z, z, tau).value == pytest.approx(floors.nt_logistic.equal(5, tau), rel=1e-12)
    for variant in ("out", "in"):
        value = losses.sup_con(z, [0, 0, 0, 1, 1], tau, variant=variant).value
        assert value == pytest.approx(floors.sup_con.equal(5), rel=1e-12)
    # As the package says of the two that have no module.
    assert losses.debiased(z, z, tau, 0.1).value == pytest.approx(floors.equal(5), rel=1e-9)
    assert losses.hard_negative(z, z, tau, 0.1, 1.0).value == pytest.approx(floors.equal(5), rel=1e-9)
    assert losses.moco(z, z, losses.Queue(similarity.normalize(z[:4]).u), tau).value == pytest.approx(
        floors.info_nce.equal(4), rel=1e-12
    )


def test_nt_logistic_at_another_similarity_by_its_formula():
    for s in (-1.0, -0.2, 0.0, 0.7):
        wanted = math.log(1 + math.exp(-s / 0.5)) + 6 * math.log(1 + math.exp(s / 0.5))
        assert floors.nt_logistic.equal(4, 0.5, s) == pytest.approx(wanted, rel=1e-14)
    # Collapse is far above chance, where NT-Xent has nearly the same value for both.
    assert floors.nt_logistic.equal(64, 0.1) > 5 * floors.nt_logistic.uniform(64, 32, 0.1)


def mean_and_error(values):
    return np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))


@pytest.mark.parametrize(("d", "tau"), [(2, 0.2), (8, 0.5)])
def test_uniform_is_the_mean_loss_of_random_rows(rng, d, tau):
    n, labels = 6, np.repeat([0, 1, 2], 4)
    draws = {name: [] for name in ("dcl", "clip", "info_nce", "nt_logistic", "out", "in")}
    for _ in range(600):
        z_a, z_b = rng.normal(size=(2, n, d))
        both = np.concatenate([z_a, z_b])
        draws["dcl"].append(losses.dcl(z_a, z_b, tau).value)
        draws["clip"].append(losses.clip(z_a, z_b, -math.log(tau)).value)
        draws["info_nce"].append(losses.info_nce(z_a[:3], z_b[:3], both[3:6], tau).value)
        draws["nt_logistic"].append(losses.nt_logistic(z_a, z_b, tau).value)
        for variant in ("out", "in"):
            draws[variant].append(losses.sup_con(both, labels, tau, variant=variant).value)
    wanted = {
        "dcl": floors.dcl.uniform(n, d, tau),
        "clip": floors.clip.uniform(n, d, tau),
        "info_nce": floors.info_nce.uniform(3, d, tau),
        "nt_logistic": floors.nt_logistic.uniform(n, d, tau),
        "out": floors.sup_con.uniform(2 * n, d, tau, positives=3),
        "in": floors.sup_con.uniform(2 * n, d, tau, positives=3, variant="in"),
    }
    for name, values in draws.items():
        mean, error = mean_and_error(values)
        assert wanted[name] == pytest.approx(mean, abs=4 * error), name
        assert error < 0.04 * abs(mean)


def test_sums_of_one_and_two_terms_have_closed_forms():
    assert mean_log_sum_exp(1, 5, 0.3) == pytest.approx(0, abs=1e-8)
    # On the 0-sphere two cosines are ±1: log(2e), log 2 + 0 with even odds, log(e + 1/e).
    two = math.log(2) + 0.5 * math.log(math.cosh(1 / 0.7))
    assert mean_log_sum_exp(2, 1, 0.7) == pytest.approx(two, abs=1e-8)


@st.composite
def any_views(draw):
    """Two views with pairs near each other or not, close to the optimum or not."""
    n, d = draw(st.integers(2, 6)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    image = rng.normal(size=(n, d))
    if d == n and draw(st.booleans()):
        image = simplex(n) + 0.05 * image
    return image, image * rng.uniform(0.5, 2, size=(n, 1)) + draw(st.sampled_from([0, 0.1, 3])) * rng.normal(
        size=(n, d)
    )


@given(any_views(), st.floats(0.02, 20))
def test_no_loss_lies_below_its_best(views, tau):
    z_a, z_b = views
    n = len(z_a)

    def above(value, least):
        assert value >= least - 1e-11 * (1 + abs(least))

    above(losses.dcl(z_a, z_b, tau).value, floors.dcl.best(n, tau))
    above(losses.clip(z_a, z_b, -math.log(tau)).value, floors.clip.best(n, tau))
    above(losses.nt_logistic(z_a, z_b, tau).value, floors.nt_logistic.best(n, tau))
    above(losses.info_nce(z_a, z_b, z_b[:2], tau).value, floors.info_nce.best(2, tau))
    above(metrics.uniformity(similarity.normalize(z_a).u), floors.best_uniformity_of_points(n))
    both = np.stack([z_a, z_b, z_a + z_b + 1e-3], axis=1).reshape(3 * n, -1)
    for variant in ("out", "in"):
        above(sup_con(both, 3, tau, variant), floors.sup_con.best(n, 3, tau))


def test_two_sides_cannot_undercut_one(rng):
    """The sides of CLIP may differ; descent from anywhere ends at the simplex on both."""
    x, y = rng.normal(size=(2, 4, 3))
    for _ in range(3000):
        result = losses.clip(x, y, math.log(2.0))
        x, y = x - 2 * result.grad_image, y - 2 * result.grad_text
    assert losses.clip(x, y, math.log(2.0)).value == pytest.approx(floors.clip.best(4, 0.5), rel=1e-10)


def test_what_one_floor_says_of_another():
    for n, tau in ((2, 0.1), (5, 0.5), (256, 1.0)):
        # DCL is log(e^NT-Xent - 1) of a row, and all rows of a simplex are alike.
        assert floors.dcl.best(n, tau) == pytest.approx(math.log(math.expm1(floors.best(n, tau))), rel=1e-9)
        assert floors.sup_con.best(n, 2, tau) == pytest.approx(floors.best(n, tau), rel=1e-12)
        assert floors.sup_con.uniform(2 * n, 3, tau) == floors.uniform(n, 3, tau)
        assert floors.info_nce.uniform(n - 1, 3, tau) == floors.clip.uniform(n, 3, tau)
        assert floors.info_nce.best(n - 1, tau) <= floors.clip.best(n, tau) <= floors.best(n, tau)
    assert floors.sup_con.uniform(8, 3, 0.5, variant="in") == pytest.approx(
        floors.uniform(4, 3, 0.5), abs=1e-8
    )
    assert floors.sup_con.best(1, 6, 0.1) == pytest.approx(math.log(5))
    # Many points: the simplex's uniformity is that of so many dimensions that all are orthogonal.
    assert floors.best_uniformity_of_points(100_000) == pytest.approx(floors.best_uniformity(10**6), abs=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: floors.dcl.equal(1), "n must be at least 2, got 1"),
        (lambda: floors.dcl.uniform(1, 2, 0.5), "n must be at least 2, got 1"),
        (lambda: floors.dcl.uniform(2, 0, 0.5), "d must be at least 1, got 0"),
        (lambda: floors.dcl.best(4, 0.5, d=2), r"d must be at least n - 1 = 3 .* got 2"),
        (lambda: floors.clip.equal(1), "n must be at least 2, got 1"),
        (lambda: floors.clip.uniform(2, 2, 0.001), "tau must be at least 0.01"),
        (lambda: floors.clip.best(2, 0), "tau must be finite and > 0"),
        (lambda: floors.clip.best(4, 0.5, d=2), r"d must be at least n - 1 = 3 .* got 2"),
        (lambda: floors.info_nce.equal(0), "k must be at least 1, got 0"),
        (lambda: floors.info_nce.uniform(0, 2, 0.5), "k must be at least 1, got 0"),
        (lambda: floors.info_nce.best(0, 0.5), "k must be at least 1, got 0"),
        (lambda: floors.sup_con.equal(1), "rows must be at least 2, got 1"),
        (lambda: floors.sup_con.uniform(4, 2, 0.5, positives=4), "positives must be from 1 to 3, got 4"),
        (lambda: floors.sup_con.uniform(4, 2, 0.5, variant="on"), "variant must be 'out' or 'in', got 'on'"),
        (lambda: floors.sup_con.best(2, 1, 0.5), "rows_each must be at least 2, got 1"),
        (lambda: floors.sup_con.best(0, 2, 0.5), "classes must be at least 1, got 0"),
        (lambda: floors.sup_con.best(5, 2, 0.5, d=3), r"d must be at least n - 1 = 4"),
        (lambda: floors.nt_logistic.equal(2, 0.5, 1.1), r"similarity must lie in \[-1, 1\], got 1.1"),
        (lambda: floors.nt_logistic.uniform(2, 2, 0.001), "tau must be at least 0.01"),
        (lambda: floors.nt_logistic.best(4, 0.5, d=2), r"d must be at least n - 1 = 3"),
        (lambda: floors.best_uniformity_of_points(1), "n must be at least 2, got 1"),
        (lambda: floors.best_uniformity_of_points(2, 0.0), "t must be finite and > 0"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
