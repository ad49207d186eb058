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
