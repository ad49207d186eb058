"""NT-Xent by the three laws: the paper's slow loop, a difference along a random direction, torch."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning.losses import NTXentLoss, SelfSupervisedLoss, SupConLoss

from sim_engine import floors, losses, metrics, similarity
from sim_engine._matmul import forced

TAUS = [0.02, 0.07, 0.5, 1.0, 10.0]
SHAPES = [(2, 1), (2, 5), (5, 2), (8, 3), (16, 33)]


def paper(z_a, z_b, tau):
    """Algorithm 1 of Chen et al. (2020), literally."""
    n = len(z_a)
    z = [row for pair in zip(z_a, z_b, strict=True) for row in pair]  # z_{2k-1}, z_{2k}
    s = [[0.0] * (2 * n) for _ in range(2 * n)]
    for i in range(2 * n):
        for j in range(2 * n):
            dot = sum(x * y for x, y in zip(z[i], z[j], strict=True))
            s[i][j] = dot / (math.sqrt(sum(x * x for x in z[i])) * math.sqrt(sum(y * y for y in z[j])))

    def ell(i, j):
        below = sum(math.exp(s[i][k] / tau) for k in range(2 * n) if k != i)
        return -math.log(math.exp(s[i][j] / tau) / below)

    return sum(ell(2 * k, 2 * k + 1) + ell(2 * k + 1, 2 * k) for k in range(n)) / (2 * n)


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_is_that_of_the_papers_algorithm(views, n, d, tau):
    z_a, z_b = views(n, d)
    assert losses.nt_xent(z_a, z_b, tau).value == pytest.approx(paper(z_a, z_b, tau), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d"), [s for s in SHAPES if s[1] > 1])
def test_gradient_is_the_slope_along_a_random_direction(views, rng, slope, n, d, tau):
    z_a, z_b = views(n, d)
    direction = rng.normal(size=(2, n, d)) * np.linalg.norm(z_a, axis=1)[:, None] * min(tau, 1.0)
    wanted = slope(lambda a, b: paper(a, b, tau), (z_a, z_b), direction, step=1e-3)
    _, grad_a, grad_b = losses.nt_xent(z_a, z_b, tau)
    assert np.sum(grad_a * direction[0] + grad_b * direction[1]) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def _plain_torch(z1, z2, tau):
    n = len(z1)
    z = F.normalize(torch.cat([z1, z2]))
    logits = (z @ z.T / tau).fill_diagonal_(-math.inf)
    return F.cross_entropy(logits, torch.cat([torch.arange(n) + n, torch.arange(n)]))


def _pml(z1, z2, tau):
    return NTXentLoss(temperature=tau)(torch.cat([z1, z2]), torch.arange(len(z1)).repeat(2))


def _self_supervised(z1, z2, tau):
    return SelfSupervisedLoss(NTXentLoss(temperature=tau), symmetric=True)(z1, z2)


def _sup_con(z1, z2, tau):
    return SupConLoss(temperature=tau)(torch.cat([z1, z2]), torch.arange(len(z1)).repeat(2))


@pytest.mark.parametrize("reference", [_plain_torch, _pml, _self_supervised, _sup_con])
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d"), [*SHAPES, (64, 16)])
def test_value_and_gradients_are_those_of_torch(views, reference, n, d, tau):
    z_a, z_b = views(n, d)
    tensors = [torch.tensor(z, requires_grad=True) for z in (z_a, z_b)]
    loss = reference(*tensors, tau)
    wanted_a, wanted_b = torch.autograd.grad(loss, tensors)
    result = losses.nt_xent(z_a, z_b, tau)
    assert result.value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(result.grad_a, wanted_a.numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(result.grad_b, wanted_b.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("tau", TAUS)
def test_value_alone_is_the_same_value(views, tau):
    z_a, z_b = views(9, 4)
    assert losses.nt_xent_value(z_a, z_b, tau) == losses.nt_xent(z_a, z_b, tau).value


@pytest.mark.parametrize("d", [2, 40])
def test_the_page_and_the_desk_compute_the_same(views, d):
    z_a, z_b = views(12, d)
    with forced("blas"):
        desk = losses.nt_xent(z_a, z_b, 0.1)
    with forced("einsum"):
        page = losses.nt_xent(z_a, z_b, 0.1)
    for ours, theirs in zip(page, desk, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n", [2, 3, 256])
@pytest.mark.parametrize("tau", [1e-3, 0.07, 1.0, 100.0])
def test_equal_similarities_give_log_2n_minus_1(n, tau):
    z = np.tile([0.3, -1.2, 0.5], (n, 1))
    result = losses.nt_xent(z, z, tau)
    assert result.value == pytest.approx(math.log(2 * n - 1), rel=1e-12)
    assert floors.equal(n) == pytest.approx(math.log(2 * n - 1), rel=1e-15)
    # Where all directions agree the gradient has nothing tangent left.
    assert np.abs(result.grad_a).max() < 1e-12 / tau


@pytest.mark.parametrize("tau", [0.05, 0.5, 2.0])
def test_identity_of_alignment_and_mean_log_sum_exp(views, tau):
    z_a, z_b = (similarity.normalize(z).u for z in views(20, 6))
    z = np.concatenate([z_a, z_b])
    s = z @ z.T / tau
    lse = [math.log(sum(math.exp(s[i, k]) for k in range(40) if k != i)) for i in range(40)]
    identity = metrics.alignment(z_a, z_b) / (2 * tau) - 1 / tau + np.mean(lse)
    assert losses.nt_xent_value(z_a, z_b, tau) == pytest.approx(identity, rel=1e-12)


def _gradient_by_formula(z_a, z_b, tau, *, both_terms):
    """Proj[(A + Aᵀ)u] / ‖z‖ with A = (P - T) / (2Nτ), in loops."""
    z = np.concatenate([z_a, z_b])
    m, n = len(z), len(z_a)
    u = z / np.linalg.norm(z, axis=1, keepdims=True)
    grad = np.zeros_like(z)
    a = np.zeros((m, m))
    for i in range(m):
        terms = [math.exp(u[i] @ u[k] / tau) if k != i else 0.0 for k in range(m)]
        for k in range(m):
            a[i, k] = (terms[k] / sum(terms) - (k == (i + n) % m)) / (m * tau)
    for i in range(m):
        g = sum((a[i, k] + (a[k, i] if both_terms else 0.0)) * u[k] for k in range(m))
        grad[i] = (g - (g @ u[i]) * u[i]) / np.linalg.norm(z[i])
    return grad


def test_gradient_has_both_terms(views):
    z_a, z_b = views(16, 8)
    result = losses.nt_xent(z_a, z_b, 0.5)
    ours = np.concatenate([result.grad_a, result.grad_b])
    np.testing.assert_allclose(ours, _gradient_by_formula(z_a, z_b, 0.5, both_terms=True), atol=1e-14)
    half = _gradient_by_formula(z_a, z_b, 0.5, both_terms=False)
    assert np.linalg.norm(ours - half) / np.linalg.norm(ours) == pytest.approx(0.5, abs=0.1)


def test_with_many_negatives_the_loss_approaches_theorem_1(rng):
    """Wang & Isola (2020), theorem 1: L - log M tends to -E[s+]/τ + E log E exp(s-/τ)."""
    tau, d = 0.5, 3
    limit = math.log(math.sinh(1 / tau) * tau)  # E exp(s/τ) on the sphere, positives independent of it
    gaps = []
    for n in (8, 64, 512):
        draws = []
        for _ in range(512 // n * 8):
            z_a, z_b = rng.normal(size=(2, n, d))
            own = np.sum(similarity.normalize(z_a).u * similarity.normalize(z_b).u) / n
            draws.append(losses.nt_xent_value(z_a, z_b, tau) + own / tau - floors.equal(n))
        gaps.append(abs(np.mean(draws) - limit))
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.003
