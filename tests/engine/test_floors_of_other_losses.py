"""Floors of losses that are no plain softmax: met at the place they name, undercut by no descent."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import floors, losses, metrics, similarity


def simplex(n):
    return np.eye(n) - 1 / n


def descend(loss, z_a, z_b, rate, steps):
    """The least value met on the way down, both views free."""
    least = math.inf
    for _ in range(steps):
        result = loss(z_a, z_b)
        least = min(least, result.value)
        z_a, z_b = z_a - rate * result.grad_a, z_b - rate * result.grad_b
    return least


# Both branches of the maximum: with little debiasing the estimate, with more the loss's floor.
KNOWN = [(2, 0.5, 0.0), (3, 0.5, 0.02), (3, 0.5, 0.2), (4, 1.0, 0.1), (4, 0.3, 0.1), (256, 0.1, 0.1)]


@pytest.mark.parametrize(("n", "tau", "tau_plus"), KNOWN)
def test_debiased_best_is_the_loss_of_a_simplex(n, tau, tau_plus):
    z, wanted = simplex(n), floors.debiased.best(n, tau, tau_plus, d=n - 1)
    assert losses.debiased(z, z, tau, tau_plus).value == pytest.approx(wanted, rel=1e-11)
    for beta in (0.0, 1.0, 10.0):
        value = losses.hard_negative(z, z, tau, tau_plus, beta).value
        assert value == pytest.approx(wanted, rel=1e-11)


def test_debiased_best_is_nt_xents_without_debiasing_and_falls_with_it():
    for n, tau in ((2, 0.1), (5, 0.5), (256, 1.0)):
        assert floors.debiased.best(n, tau, 0.0) == pytest.approx(floors.best(n, tau), rel=1e-12)
        assert floors.debiased.best(n, tau, 0.5) < floors.best(n, tau) or n == 2


@pytest.mark.parametrize(("n", "tau", "tau_plus"), [(3, 0.5, 0.02), (3, 0.5, 0.3), (4, 1.0, 0.1)])
def test_descent_on_the_debiased_loss_ends_at_its_best(rng, n, tau, tau_plus):
    wanted = floors.debiased.best(n, tau, tau_plus)
    z_a, z_b = rng.normal(size=(2, n, 3))
    reached = descend(lambda a, b: losses.debiased(a, b, tau, tau_plus), z_a, z_b, 1.0, 2500)
    assert reached == pytest.approx(wanted, rel=1e-5)
    assert reached >= wanted * (1 - 1e-12)


@given(st.integers(2, 6), st.integers(1, 6), st.floats(0.05, 5), st.floats(0, 0.99), st.integers(0, 10**6))
def test_no_debiased_or_hard_negative_loss_lies_below(n, d, tau, tau_plus, seed):
    try:
        least = floors.debiased.best(n, tau, tau_plus)
    except ValueError as error:
        assert 1 / (2 * n - 1) < tau_plus
        # What the error says is a bound holds as well.
        least = float(str(error).split("lie from ")[1].split()[0]) * (1 - 1e-3)
    rng = np.random.default_rng(seed)
    z_a = rng.normal(size=(n, d))
    if d == n:
        z_a = simplex(n) + 0.05 * z_a
    z_b = z_a + rng.choice([0, 0.1, 2]) * rng.normal(size=(n, d))
    for value in (
        losses.debiased(z_a, z_b, tau, tau_plus).value,
        losses.hard_negative(z_a, z_b, tau, tau_plus, 2.0).value,
    ):
        assert value >= least - 1e-11 * (1 + least)


def test_debiased_best_refuses_what_it_cannot_prove_and_says_the_bounds():
    z = simplex(32)
    value = losses.debiased(z, z, 0.5, 0.09).value
    with pytest.raises(ValueError, match=rf"tau_plus must be at most .* at least .* to {value:.4g}$"):
        floors.debiased.best(32, 0.5, 0.09)


def test_n_pair_of_rows_of_one_length_has_the_values_of_clip(rng):
    for n, r in ((3, 1.0), (4, 2.0)):
        z = r * similarity.normalize(simplex(n)).u
        assert losses.n_pair(z, z).value == pytest.approx(floors.clip.best(n, 1 / r**2), rel=1e-11)
        same = np.tile(z[:1], (n, 1))
        assert losses.n_pair(same, same).value == pytest.approx(floors.clip.equal(n), rel=1e-12)
    values = [losses.n_pair(r * simplex(3), r * simplex(3)).value for r in (1, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 1e-20


@pytest.mark.parametrize("margin", [0.2, 2.5, 5.0])
def test_triplet_at_a_collapse_and_at_its_best(margin):
    row = np.array([[0.6, 0.8]])
    assert losses.triplet(row, row, row, margin).value == pytest.approx(floors.triplet.equal(margin))
    opposite = losses.triplet(row, row, -row, margin).value
    assert opposite == pytest.approx(floors.triplet.best(margin), abs=1e-12)
    same = np.tile(row, (4, 1))
    every = losses.triplet_views(same, same, margin, select="violating")
    assert every.value == pytest.approx(floors.triplet.equal(margin))
    for select in ("nearest", "semi-hard"):
        assert losses.triplet_views(same, same, margin, select=select).value == 0
        two_places = np.array([[1.0], [1.0], [-1.0]])
        found = losses.triplet_views(two_places, two_places, margin, select=select).value
        assert found == pytest.approx(floors.triplet.best(margin), abs=1e-12)
    for n in (2, 3, 7):
        z = simplex(n)
        value = losses.triplet_views(z, z, margin, select="violating").value
        assert value == pytest.approx(floors.triplet.best(margin, n), abs=1e-12)


@given(st.integers(2, 6), st.integers(1, 6), st.floats(0.1, 6), st.integers(0, 10**6))
def test_no_triplet_loss_lies_below(n, d, margin, seed):
    rng = np.random.default_rng(seed)
    z_a = simplex(n) + 0.05 * rng.normal(size=(n, n)) if d == n else rng.normal(size=(n, d))
    z_b = z_a + rng.choice([0, 0.1, 2]) * rng.normal(size=z_a.shape)
    every = losses.triplet_views(z_a, z_b, margin, select="violating")
    if every.triplets:
        assert every.value >= floors.triplet.best(margin, n) - 1e-12
    for select in ("nearest", "semi-hard"):
        chosen = losses.triplet_views(z_a, z_b, margin, select=select)
        assert not chosen.triplets or chosen.value >= floors.triplet.best(margin) - 1e-12


def test_descent_on_violating_triplets_ends_at_its_best(rng):
    z_a, z_b = rng.normal(size=(2, 4, 3))

    def loss(a, b):
        return losses.triplet_views(a, b, 3.5, select="violating")

    reached = descend(loss, z_a, z_b, 0.05, 2000)
    assert reached == pytest.approx(floors.triplet.best(3.5, 4), abs=1e-9)


@pytest.mark.parametrize("r", [0.5, 1.0, 3.0])
def test_spectral_at_equal_products(r):
    z = np.tile([[math.sqrt(r), 0.0]], (5, 1))
    assert losses.spectral(z, z).value == pytest.approx(floors.spectral.equal(r), rel=1e-12)


def test_spectral_best_is_the_mean_loss_of_equal_shares(rng):
    d, n = 4, 12
    directions = math.sqrt(d) * np.eye(d)
    values = []
    for _ in range(3000):
        z = directions[rng.integers(d, size=n)]
        values.append(losses.spectral(z, z).value)
    error = np.std(values) / math.sqrt(len(values))
    assert np.mean(values) == pytest.approx(floors.spectral.best(d), abs=4 * error)
    assert min(values) < floors.spectral.best(d)  # as the docstring warns of one batch


def test_descent_on_the_expected_spectral_loss_ends_at_its_best(rng):
    """Seven images, equally likely, views free: E(z·z')² with an image's own pair among the pairs."""
    k, d, rate = 7, 3, 0.02
    a, b = rng.normal(size=(2, k, d))
    values = []
    for _ in range(6000):
        both = np.concatenate([a, b])  # a view of an image is either, with even odds
        moment = both.T @ both / (2 * k)
        values.append(float(np.sum(moment**2) - 2 * np.sum(a * b) / k))
        a, b = (
            a - rate * k * (2 * a @ moment - 2 * b) / k,
            b - rate * k * (2 * b @ moment - 2 * a) / k,
        )
    assert values[-1] == pytest.approx(floors.spectral.best(d), rel=1e-9)
    assert min(values) >= floors.spectral.best(d) - 1e-9


def frame(n, d):
    """(n, d): centred columns, d a multiple of n - 1, spread evenly over the n - 1 dimensions there are."""
    centred = np.linalg.svd(simplex(n))[0][:, : n - 1]  # orthonormal, orthogonal to ones
    return np.tile(centred, (1, d // (n - 1)))


@pytest.mark.parametrize(("n", "d"), [(4, 3), (4, 6), (6, 25)])
@pytest.mark.parametrize("lam", [0.0051, 0.3, 1.0])
def test_barlow_twins_best_is_the_loss_of_a_tight_frame(n, d, lam):
    rank, eps = n - 1, 1e-5
    t = rank / (rank + lam * (d - rank))
    scale = 1e6 if t == 1 else math.sqrt(n * eps * t / (1 - t))  # variance v with v / (v + eps) = t
    z = scale * frame(n, d)
    value = losses.barlow_twins(z, z, lam=lam, eps=eps).value
    assert value == pytest.approx(floors.barlow_twins.best(n, d, lam), rel=1e-9, abs=1e-12)


def test_descent_on_barlow_twins_stops_at_its_best(rng):
    n, d, lam = 4, 5, 0.5
    wanted = floors.barlow_twins.best(n, d, lam)
    z_a, z_b = rng.normal(size=(2, n, d))
    reached = descend(lambda a, b: losses.barlow_twins(a, b, lam=lam, eps=1.0), z_a, z_b, 0.1, 6000)
    assert reached == pytest.approx(wanted, rel=1e-4)
    assert reached >= wanted * (1 - 1e-12)


@given(
    st.integers(2, 6),
    st.integers(1, 9),
    st.floats(0, 1),
    st.sampled_from([0, 1e-5, 1]),
    st.integers(0, 10**6),
)
def test_no_barlow_twins_loss_lies_below(n, d, lam, eps, seed):
    rng = np.random.default_rng(seed)
    z_a = rng.normal(size=(n, d)) * rng.choice([0.1, 1, 100])
    z_b = z_a + rng.choice([0, 0.1, 2]) * rng.normal(size=(n, d))
    least = floors.barlow_twins.best(n, d, lam)
    assert losses.barlow_twins(z_a, z_b, lam=lam, eps=eps).value >= least - 1e-11 * (1 + least)


def test_barlow_twins_of_a_collapse_and_of_chance(rng):
    z = np.tile([[0.3, -1.2, 0.5]], (5, 1))
    assert losses.barlow_twins(z, z).value == pytest.approx(floors.barlow_twins.equal(3), rel=1e-12)
    with pytest.raises(ValueError, match="constant column when eps = 0"):
        losses.barlow_twins(z, z, eps=0.0)
    for draw in (rng.normal, rng.exponential):
        values = [
            losses.barlow_twins(draw(size=(6, 4)), draw(size=(6, 4)), lam=0.7, eps=0.0).value
            for _ in range(3000)
        ]
        error = np.std(values) / math.sqrt(len(values))
        assert floors.barlow_twins.uniform(6, 4, 0.7) == pytest.approx(np.mean(values), abs=4 * error)


def test_vicreg_of_a_collapse_and_its_least():
    z = np.tile([[0.3, -1.2, 0.5]], (5, 1))
    for gamma, eps in ((1.0, 1e-4), (2.0, 0.3), (0.5, 1.0)):
        value = losses.vicreg(z, z, variance=7.0, gamma=gamma, eps=eps).value
        assert value == pytest.approx(floors.vicreg.equal(7.0, gamma, eps), rel=1e-12, abs=1e-12)
    wide = 10 * frame(5, 4)
    assert losses.vicreg(wide, wide).value == pytest.approx(0, abs=1e-12)


def test_what_the_package_says_of_losses_without_a_module():
    z, same = simplex(5), np.tile([[0.6, 0.8]], (5, 1))
    settings = {"align_weight": 3.0, "uniform_weight": 0.7, "t": 1.5}
    assert losses.align_uniform(same, same, **settings).value == 0
    wanted = 0.7 * floors.best_uniformity_of_points(5, 1.5)
    assert losses.align_uniform(z, z, **settings).value == pytest.approx(wanted, rel=1e-11)
    circle = np.stack([np.cos(np.arange(2000) * math.pi / 1000), np.sin(np.arange(2000) * math.pi / 1000)], 1)
    assert metrics.uniformity(circle) == pytest.approx(floors.best_uniformity(2), abs=2e-3)
    assert losses.byol(same, same, same, same).value == 0
    assert losses.simsiam(same, same, same, same).value == -1


def test_dino_is_the_teachers_entropy_and_a_divergence_that_may_vanish(rng):
    teacher, center = rng.normal(size=(6, 5)), rng.normal(size=5)
    logits = (teacher - center) / 0.4
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    entropy = -np.mean(np.sum(p * np.log(p), axis=1))

    def loss(student):
        return losses.dino_cross_entropy(student, teacher, center, tau_student=0.7, tau_teacher=0.4)

    student = rng.normal(size=(6, 5))
    q = np.exp(student / 0.7) / np.exp(student / 0.7).sum(axis=1, keepdims=True)
    divergence = np.mean(np.sum(p * np.log(p / q), axis=1))
    assert divergence > 0
    assert loss(student).value == pytest.approx(entropy + divergence, rel=1e-12)
    agreed = loss(0.7 * logits + rng.normal(size=(6, 1)))  # a constant in each row changes no softmax
    assert agreed.value == pytest.approx(entropy, rel=1e-12)
    assert np.abs(agreed.grad_student).max() < 1e-15
    ends = {0.0: np.eye(5)[[2] * 6] * 1e3, math.log(5): np.ones((6, 5))}
    for least, both in ends.items():  # one output wins, all are alike
        assert losses.dino_cross_entropy(both, both, np.zeros(5)).value == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: floors.debiased.best(1, 0.5, 0.1), "n must be at least 2, got 1"),
        (lambda: floors.debiased.best(4, 0.0, 0.1), "tau must be finite and > 0"),
        (lambda: floors.debiased.best(4, 0.5, 1.0), "tau_plus must be below 1"),
        (lambda: floors.debiased.best(4, 0.5, 0.1, d=2), r"d must be at least n - 1 = 3"),
        (lambda: floors.triplet.equal(0.0), "margin must be finite and > 0"),
        (lambda: floors.triplet.best(-1.0), "margin must be finite and > 0"),
        (lambda: floors.triplet.best(0.2, n=1), "n must be at least 2, got 1"),
        (lambda: floors.spectral.equal(1e200), "similarity must lie in"),
        (lambda: floors.spectral.equal(math.nan), "similarity must be finite"),
        (lambda: floors.spectral.best(0), "d must be at least 1, got 0"),
        (lambda: floors.barlow_twins.equal(0), "d must be at least 1, got 0"),
        (lambda: floors.barlow_twins.uniform(1, 4), "n must be at least 2, got 1"),
        (lambda: floors.barlow_twins.uniform(4, 4, -0.1), "lam must be >= 0"),
        (lambda: floors.barlow_twins.best(4, 0), "d must be at least 1, got 0"),
        (lambda: floors.barlow_twins.best(4, 4, 1.5), "lam must be at most 1, got 1.5"),
        (lambda: floors.vicreg.equal(-1.0), "variance must be >= 0"),
        (lambda: floors.vicreg.equal(gamma=0.0), "gamma must be finite and > 0"),
        (lambda: floors.vicreg.equal(eps=0.0), "eps must be finite and > 0"),
        (lambda: floors.vicreg.equal(1e200), r"variance must be at most 1e\+100"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
