"""What the softmax losses are to each other: identities in value and gradient."""

import math

import numpy as np
import pytest

from sim_engine import losses, similarity

TAUS = [0.02, 0.1, 0.5, 2.0]
taus = pytest.mark.parametrize("tau", TAUS)


def _stack(result):
    return np.concatenate([result.grad_a, result.grad_b])


def _softmax(z_a, z_b, tau):
    """P (2N, 2N) of NT-Xent, in loops."""
    u = similarity.normalize(np.concatenate([z_a, z_b])).u
    m = len(u)
    p = np.zeros((m, m))
    for i in range(m):
        for k in range(m):
            p[i, k] = math.exp((u[i] @ u[k] - 1) / tau) if k != i else 0.0
        p[i] /= p[i].sum()
    return p, u


@taus
def test_dcl_minus_nt_xent_is_minus_mean_log_of_one_minus_p(views, tau):
    z_a, z_b = views(7, 4, noise=1.0)
    p, _ = _softmax(z_a, z_b, tau)
    wrong = [math.log(sum(p[i, k] for k in range(14) if k % 7 != i % 7)) for i in range(14)]  # log(1 - P)
    difference = losses.nt_xent_value(z_a, z_b, tau) - losses.dcl(z_a, z_b, tau).value
    assert difference == pytest.approx(-np.mean(wrong), rel=1e-9, abs=1e-12)
    assert difference > 0


@taus
def test_a_rows_nt_xent_is_the_softplus_of_its_dcl(tau):
    """Of two images placed so that all four rows have the same loss, the mean is that loss."""
    angle = 0.7
    z_a = np.array([[1.0, 0.0], [-1.0, 0.0]])
    z_b = np.array([[math.cos(angle), math.sin(angle)], [-math.cos(angle), -math.sin(angle)]])
    decoupled = losses.dcl(z_a, z_b, tau)
    coupled = losses.nt_xent(z_a, z_b, tau)
    assert coupled.value == pytest.approx(math.log1p(math.exp(decoupled.value)), rel=1e-10)
    # Its gradient is DCL's times 1 - P(positive) = σ(ℓ_DCL), the multiplier that the paper removes.
    multiplier = 1 / (1 + math.exp(-decoupled.value))
    np.testing.assert_allclose(_stack(coupled), multiplier * _stack(decoupled), rtol=1e-10, atol=1e-15)


@taus
def test_nt_xents_gradient_is_dcls_with_each_anchor_times_one_minus_p(views, tau):
    z_a, z_b = views(6, 5)
    p, u = _softmax(z_a, z_b, tau)
    m = len(u)
    place = np.arange(m), (np.arange(m) + m // 2) % m
    q = p.copy()
    q[place] = 0.0
    stay = q.sum(axis=1, keepdims=True)  # 1 - P(positive)
    q /= stay
    q[place] = -1.0

    def back(a):
        return similarity.normalize_backward((a + a.T) @ u / (m * tau), similarity.normalize(z))

    z = np.concatenate([z_a, z_b])
    scale = 1 / tau
    np.testing.assert_allclose(_stack(losses.dcl(z_a, z_b, tau)), back(q), atol=1e-12 * scale)
    np.testing.assert_allclose(_stack(losses.nt_xent(z_a, z_b, tau)), back(stay * q), atol=1e-12 * scale)


@taus
@pytest.mark.parametrize("beta", [None, 0.0])
def test_with_no_false_negatives_debiased_is_nt_xent(views, tau, beta):
    z_a, z_b = views(8, 5)
    wanted = losses.nt_xent(z_a, z_b, tau)
    if beta is None:
        result = losses.debiased(z_a, z_b, tau, 0.0)
    else:
        result = losses.hard_negative(z_a, z_b, tau, 0.0, beta)
    assert result.value == pytest.approx(wanted.value, rel=1e-12)
    np.testing.assert_allclose(_stack(result), _stack(wanted), rtol=1e-11, atol=1e-14 / tau)


@taus
@pytest.mark.parametrize("tau_plus", [0.0, 0.05, 0.3, 0.9])
def test_without_concentration_hard_is_debiased(views, tau, tau_plus):
    z_a, z_b = views(8, 5)
    wanted = losses.debiased(z_a, z_b, tau, tau_plus)
    result = losses.hard_negative(z_a, z_b, tau, tau_plus, 0.0)
    assert result.value == pytest.approx(wanted.value, rel=1e-12)
    np.testing.assert_allclose(_stack(result), _stack(wanted), rtol=1e-11, atol=1e-13 / tau)


@taus
def test_with_all_concentration_only_the_hardest_negative_counts(views, tau):
    z_a, z_b = views(5, 4)
    s = similarity.cosine(*[np.concatenate([z_a, z_b])] * 2)
    ell = []
    for i in range(10):
        hardest = max(s[i, k] for k in range(10) if k % 5 != i % 5)
        ell.append(math.log1p(8 * math.exp((hardest - s[i, (i + 5) % 10]) / tau)))
    result = losses.hard_negative(z_a, z_b, tau, 0.0, 1e9)
    assert result.value == pytest.approx(np.mean(ell), rel=1e-10)


@taus
@pytest.mark.parametrize("noise", [0.1, 2.0])
def test_more_concentration_raises_the_loss(views, tau, noise):
    z_a, z_b = views(8, 5, noise=noise)
    by_beta = [losses.hard_negative(z_a, z_b, tau, 0.0, b).value for b in (0.0, 0.5, 2.0, 10.0)]
    assert all(np.diff(by_beta) > 0)


@pytest.mark.parametrize("tau", [0.5, 2.0])
def test_more_false_negatives_lower_the_loss_where_positives_are_nearer_than_negatives(views, tau):
    z_a, z_b = views(8, 5, noise=0.1)
    by_prior = [losses.debiased(z_a, z_b, tau, t).value for t in (0.0, 0.001, 0.01, 0.05)]
    assert all(np.diff(by_prior) < 0)
    # And raise it where negatives are nearer: the other way round, what is taken out is below average.
    far = [losses.debiased(z_a, -z_b, tau, t).value for t in (0.0, 0.001, 0.01, 0.05)]
    assert all(np.diff(far) > 0)


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0])
def test_n_pair_of_unit_rows_is_info_nce_with_the_others_partners_as_negatives(views, tau):
    """At temperature τ the anchors are as long as 1/τ."""
    z_a, z_b = (similarity.normalize(z) for z in views(6, 4))
    u, v = z_a.u, z_b.u
    others = np.array([[j for j in range(6) if j != i] for i in range(6)])
    wanted = losses.info_nce(u, v, v[others], tau)
    pairs = losses.n_pair(u / tau, v)
    assert pairs.value == pytest.approx(wanted.value, rel=1e-12)
    # InfoNCE takes the tangent part, since it normalises; the gradient in u is 1/τ times that in u/τ.
    unit_a, unit_b = (similarity.Normalized(x, np.ones(6)) for x in (u, v))
    grad_a = similarity.normalize_backward(pairs.grad_a / tau, unit_a)
    np.testing.assert_allclose(grad_a, wanted.grad_query, atol=1e-13)
    as_key = wanted.grad_positive.copy()
    np.add.at(as_key, others, wanted.grad_negatives)
    np.testing.assert_allclose(similarity.normalize_backward(pairs.grad_b, unit_b), as_key, atol=1e-13)


@taus
def test_nt_xent_is_info_nce_whose_negatives_are_all_other_rows(views, tau):
    z_a, z_b = views(5, 4)
    z = np.concatenate([z_a, z_b])
    partner = (np.arange(10) + 5) % 10
    others = np.array([[k for k in range(10) if k % 5 != i % 5] for i in range(10)])
    value, grad_query, grad_positive, grad_negatives = losses.info_nce(z, z[partner], z[others], tau)
    total = grad_query.copy()
    np.add.at(total, partner, grad_positive)
    np.add.at(total, others, grad_negatives)
    wanted = losses.nt_xent(z_a, z_b, tau)
    assert value == pytest.approx(wanted.value, rel=1e-12)
    np.testing.assert_allclose(total, _stack(wanted), rtol=1e-9, atol=1e-13 / tau)


def test_nt_logistic_pushes_each_negative_by_logistic_weights(views):
    """The gradient column of table 2, of one anchor that no other row has as a negative."""
    z_a, z_b = views(4, 6)
    u = similarity.normalize(np.concatenate([z_a, z_b])).u
    tau = 0.5
    s = u @ u.T
    a = losses.logistic_weights(s, tau)
    np.fill_diagonal(a, 0.0)
    place = np.arange(8), (np.arange(8) + 4) % 8
    a[place] = -losses.logistic_weights(-s[place], tau)
    unit = similarity.Normalized(u, np.ones(8))
    wanted = similarity.normalize_backward((a + a.T) @ u / (8 * tau), unit)
    result = losses.nt_logistic(u[:4], u[4:], tau)
    np.testing.assert_allclose(_stack(result), wanted, atol=1e-14)


@pytest.mark.parametrize("n", [2, 3, 64])
def test_at_equal_cosines(n):
    z = np.tile([0.3, -1.2, 0.5], (n, 1))
    tau = 0.25
    assert losses.dcl(z, z, tau).value == pytest.approx(math.log(2 * n - 2), rel=1e-12)
    assert losses.n_pair(z, z).value == pytest.approx(math.log(n), rel=1e-12)
    assert losses.sup_con(z, np.arange(n) // 2, tau).value == pytest.approx(math.log(n - 1), abs=1e-12)
    for tau_plus in (0.0, 0.3):  # all terms alike, so that nothing is to be corrected
        assert losses.debiased(z, z, tau, tau_plus).value == pytest.approx(math.log(2 * n - 1), rel=1e-12)
        hard = losses.hard_negative(z, z, tau, tau_plus, 1.5)
        assert hard.value == pytest.approx(math.log(2 * n - 1), rel=1e-12)
    logistic = losses.nt_logistic(z, z, tau).value
    assert logistic == pytest.approx(
        math.log1p(math.exp(-4)) + (2 * n - 2) * math.log1p(math.exp(4)), rel=1e-12
    )
