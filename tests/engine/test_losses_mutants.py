"""Wrong engines that `make mutants` found and no other test of the losses told from the right one."""

import math

import numpy as np
import pytest

from sim_engine import losses


def test_weights_with_a_positive_that_is_not_the_hardest():
    """Its term is exp((p - m)/tau), m the hardest negative's similarity: not 1, and not of another tau."""
    s, positive, tau = np.array([0.75, 0.4, 0.1]), 0.5, 0.2
    wanted = np.exp(s / tau) / (np.exp(s / tau).sum() + math.exp(positive / tau))
    np.testing.assert_allclose(losses.negative_weights(s, tau, positive), wanted, rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.clip_log_scale(math.nan), "^log_scale must be finite"),
        (lambda: losses.logistic_weights([math.nan], 0.1), "^similarities must be finite"),
        (lambda: losses.barlow_twins([[1.0], [1.0]], [[1.0], [2.0]], eps=0.0), "^z_a must have no constant"),
        (lambda: losses.barlow_twins([[1.0], [2.0]], [[1.0], [1.0]], eps=0.0), "^z_b must have no constant"),
        (lambda: losses.byol([[0.0]], [[1.0]], [[1.0]], [[1.0]]), "^p_a must have no zero row"),
        (lambda: losses.byol([[1.0]], [[0.0]], [[1.0]], [[1.0]]), "^p_b must have no zero row"),
        (lambda: losses.byol([[1.0]], [[1.0]], [[0.0]], [[1.0]]), "^z_a must have no zero row"),
        (lambda: losses.byol([[1.0]], [[1.0]], [[1.0]], [[0.0]]), "^z_b must have no zero row"),
        (lambda: losses.align_uniform(np.eye(2), np.zeros((2, 2))), "^z_b must have no zero row"),
        (lambda: losses.triplet_views(np.eye(2), np.zeros((2, 2))), "^z_b must have no zero row"),
        *[
            (
                lambda at=at: losses.triplet(*(np.eye(2) * (i != at) for i in range(3))),
                f"^{name} must have no zero row",
            )
            for at, name in enumerate(("anchor", "positive", "negative"))
        ],
        (lambda: losses.moco([[1.0]], [[0.0]], losses.Queue([[1.0]]), 0.5), "^k must have no zero row"),
        (
            lambda: losses.barlow_twins([[1.0, 3.0], [2.0, 3.0]], np.eye(2), eps=0.0),
            "^z_a must have no constant column when eps = 0, got one at column 1$",
        ),
        (lambda: losses.momentum_update([], {}), "^params_k must map"),
        (lambda: losses.momentum_update({}, []), "^params_q must map"),
        (lambda: losses.momentum_update({"w": [1.0]}, {"w": [math.nan]}), r"^params_q\['w'\] must be finite"),
        (lambda: losses.momentum_update({"w": [math.nan]}, {"w": [1.0]}), r"^params_k\['w'\] must be finite"),
        *[
            (
                lambda loss=loss, rest=rest: loss([[1.0]], [[1.0]], **rest),
                "^z_a and z_b must hold at least 2 rows, got 1: ",
            )
            for loss, rest in [
                (losses.align_uniform, {}),
                (losses.barlow_twins, {}),
                (losses.n_pair, {}),
                (losses.nt_xent, {"tau": 0.5}),
                (losses.spectral, {}),
                (losses.triplet_views, {"margin": 0.2}),
                (losses.vicreg, {}),
            ]
        ],
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_inner_products_are_refused_from_half_of_the_largest_number_on():
    """The difference of two that lie below it is finite; n_pair's softmax needs it to be."""
    eye, most = np.eye(2), np.finfo(np.float64).max
    below = losses.n_pair(eye, 0.49 * most * eye)
    assert below.value == 0.0
    assert np.isfinite(below.grad_a).all()
    with pytest.raises(ValueError, match="the inner products of z_a and z_b overflow float64"):
        losses.n_pair(eye, 0.51 * most * eye)


def test_nt_logistic_adds_the_terms_of_a_float32_row_in_float64():
    """Six terms of 1/tau each exceed the largest float32, and not the largest float64."""
    z, tau = np.ones((4, 1), np.float32), 1.2e-38
    assert losses.nt_logistic(z, z, tau).value == pytest.approx(6 / tau, rel=1e-6)


def test_spectral_adds_the_diagonal_of_float32_in_float64():
    """Four products of 1e38 exceed the largest float32, and not the largest float64."""
    z = 1e19 * np.eye(4, dtype=np.float32)
    assert losses.spectral(z, z).value == pytest.approx(-2e38, rel=1e-6)


ONE = np.ones((1, 2), np.float32)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda tau: losses.moco(ONE, ONE, losses.Queue([[1.0, 0.0]]), tau), "tau"),
        (lambda tau: losses.sup_con(np.eye(2, dtype=np.float32), [0, 0], tau), "tau"),
        (lambda tau: losses.info_nce(ONE, ONE, ONE, tau), "tau"),
        (lambda tau: losses.dino(ONE, ONE, ONE, ONE, [0.0, 0.0], tau_student=tau), "tau_student"),
        (lambda tau: losses.dino(ONE, ONE, ONE, ONE, [0.0, 0.0], tau_teacher=tau), "tau_teacher"),
        (lambda tau: losses.dino_cross_entropy(ONE, ONE, [0.0, 0.0], tau_student=tau), "tau_student"),
        (lambda tau: losses.dino_cross_entropy(ONE, ONE, [0.0, 0.0], tau_teacher=tau), "tau_teacher"),
    ],
)
def test_a_temperature_whose_inverse_float32_cannot_hold_is_refused_by_name(call, name):
    with pytest.raises(ValueError, match=f"^{name} must be at least"):
        call(1e-39)
    for tau in (0.0, math.nan):
        with pytest.raises(ValueError, match=f"^{name} must be finite and > 0"):
            call(tau)


TILTED = np.array([[1.0, 0.2], [0.1, 1.0], [-0.7, 0.4]])
TINY = 1e-310


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (losses.align_uniform, ("z_a", "z_b")),
        (lambda a, b: losses.barlow_twins(a, b, eps=0.0), ("z_a", "z_b")),
        (lambda x, y: losses.clip(x, y, 1.0), ("image", "text")),
        (lambda q, k, m: losses.info_nce(q, k, m, 0.5), ("query", "positive", "negatives")),
        (lambda a, p, n: losses.triplet(a, p, n, 3.0), ("anchor", "positive", "negative")),
        (lambda a, b: losses.triplet_views(a, b, 3.0, select="violating"), ("z_a", "z_b")),
        (lambda a, b: losses.byol(a, b, TILTED[::-1], TILTED[::-1]), ("p_a", "p_b")),
    ],
)
def test_a_gradient_that_overflows_is_named_whichever_it_is(loss, names):
    rows = [TILTED, TILTED[:, ::-1].copy(), TILTED[::-1] * [1.0, -1.0]][: len(names)]
    for at, name in enumerate(names):
        given = [TINY * z if i == at else z for i, z in enumerate(rows)]
        with pytest.raises(ValueError, match=f"^the gradient in {name} overflows float64 at row"):
            loss(*given)


def test_hard_negative_refuses_a_beta_that_overflows_with_tau_or_alone():
    most = np.finfo(np.float64).max / 4
    for beta, tau in ((1.5 * most, 2.0), (0.75 * most, 0.5)):
        with pytest.raises(ValueError, match=r"^beta / tau must be at most"):
            losses.hard_negative(TILTED, TILTED, tau, 0.1, beta)


def test_a_triplet_just_at_the_margin_pulls_nobody():
    """Squared distances 0 and 2 differ by the margin to the digit: the loss is 0 there, and flat beyond."""
    result = losses.triplet([[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]], margin=2.0)
    assert result.value == 0.0
    assert not result.grad_positive.any()
    assert not result.grad_negative.any()
    eye = np.eye(2)
    assert losses.triplet_views(eye, eye, margin=2.0, select="violating").triplets == 0
    assert losses.triplet_views(eye, eye, margin=2.01, select="violating").triplets == 8


def test_vicreg_finds_the_mean_of_a_float32_column_in_float64():
    """Four numbers near the largest float32 have a mean, although it cannot hold their sum."""
    z = np.array([[3e38], [2e38], [3e38], [2e38]], np.float32)
    result = losses.vicreg(z, z)
    assert result.value == 0.0
    assert not result.grad_a.any()


def test_spectral_adds_the_squares_of_float32_in_float64():
    """Squares of 1e20 exceed the largest float32."""
    z = np.array([[1e10, 0.0], [1e10, 0.0]], np.float32)
    s = float(z[0, 0]) ** 2
    assert losses.spectral(z, z).value == pytest.approx(s**2 - 2 * s, rel=1e-6)


def test_nt_logistic_adds_the_logarithms_of_a_float32_row_in_float64():
    """126 negatives of cosine 0 give log 2 each, rounded once and not as their sum grows."""
    eye, tau = np.eye(64, dtype=np.float32), 0.5
    wanted = 126 * float(np.log(np.float32(2))) + math.log1p(math.exp(-1 / tau))
    assert losses.nt_logistic(eye, eye, tau).value == pytest.approx(wanted, abs=2e-7)


def test_vicreg_leaves_a_constant_column_alone_beside_one_that_is_not():
    """Three times 0.1 has a mean that is not 0.1 to the last digit, and no direction all the same."""
    z = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]])
    assert z[:, 0].mean() != 0.1
    result = losses.vicreg(z, z, gamma=9.0)
    assert not result.grad_a[:, 0].any()
    assert result.grad_a[:, 1].all()


def test_dino_moves_the_centre_by_the_momentum_given():
    ones = np.ones((2, 2))
    result = losses.dino(ones, ones, ones, 3 * ones, [0.0, 0.0], center_momentum=0.25)
    np.testing.assert_allclose(result.center, [1.5, 1.5], rtol=1e-15)


def test_what_a_queue_and_margin_weights_take_when_nothing_is_said():
    queue = losses.Queue([[1.0, 0.0]], start=np.int64(0))
    assert type(queue.start) is int
    s = [0.45, 0.2, -0.5]
    default, given = losses.margin_weights(s, 0.5), losses.margin_weights(s, 0.5, 0.2)
    np.testing.assert_array_equal(default, given)
    assert (losses.margin_weights(s, 0.5, 1.2) != given).any()


def test_rows_whose_cosine_is_rounded_above_one_are_no_nearer_than_equal():
    """Three rows of one direction have uniformity 0 or, by rounding, a little less; never more."""
    rows = [np.repeat(np.random.default_rng(seed).normal(size=(1, 7)), 3, axis=0) for seed in range(20)]
    units = [z / np.linalg.norm(z, axis=1)[:, None] for z in rows]
    assert max(float((u @ u.T).max()) for u in units) > 1.0
    assert max(losses.align_uniform(z, z, align_weight=0.0).value for z in rows) == 0.0
