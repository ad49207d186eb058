"""DCL, debiased, hard-negative and NT-Logistic by the three laws: paper's loop, difference, torch."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sim_engine import losses
from sim_engine._matmul import forced

SHAPES = [(2, 1), (2, 5), (5, 2), (8, 3), (16, 33)]
TAUS = [0.05, 0.5, 2.0]


def _cosines(z_a, z_b):
    rows = [[x / math.hypot(*row) for x in row] for row in [*z_a.tolist(), *z_b.tolist()]]
    return [[sum(x * y for x, y in zip(a, b, strict=True)) for b in rows] for a in rows]


def _rows(z_a, z_b):
    """Of every row: the cosine to its positive, and those to its negatives."""
    s, n = _cosines(z_a, z_b), len(z_a)
    for i, row in enumerate(s):
        yield row[(i + n) % (2 * n)], [row[k] for k in range(2 * n) if k % n != i % n]


def paper_dcl(z_a, z_b, tau):
    """Eq. 6 of Yeh et al. (2022), averaged."""
    ell = [-p / tau + math.log(sum(math.exp(s / tau) for s in neg)) for p, neg in _rows(z_a, z_b)]
    return sum(ell) / len(ell)


def paper_debiased(z_a, z_b, tau, tau_plus):
    """The debiased loss of Chuang et al. (2020) with M = 1, the positive."""
    return paper_hard(z_a, z_b, tau, tau_plus, None)


def paper_hard(z_a, z_b, tau, tau_plus, beta):
    """The objective of Robinson et al. (2021), expectations by importance sampling; no beta, no sampling."""
    ell = []
    for p, neg in _rows(z_a, z_b):
        count = len(neg)
        if beta is None:
            expected = sum(math.exp(s / tau) for s in neg) / count
        else:
            partition = sum(math.exp(beta * s / tau) for s in neg) / count
            expected = sum(math.exp((1 + beta) * s / tau) for s in neg) / count / partition
        g = (expected - tau_plus * math.exp(p / tau)) / (1 - tau_plus)
        g = max(g, math.exp(-1 / tau))
        ell.append(-math.log(math.exp(p / tau) / (math.exp(p / tau) + count * g)))
    return sum(ell) / len(ell)


def paper_logistic(z_a, z_b, tau):
    """Table 2 of Chen et al. (2020), minimised, one term for each negative."""

    def log_sigma(x):
        return -math.log(1 + math.exp(-x))

    ell = [-log_sigma(p / tau) - sum(log_sigma(-s / tau) for s in neg) for p, neg in _rows(z_a, z_b)]
    return sum(ell) / len(ell)


def _torch_rows(z_a, z_b, tau):
    n = len(z_a)
    u = F.normalize(torch.cat([z_a, z_b]))
    s = u @ u.T / tau
    i = torch.arange(2 * n)
    keep = (i[:, None] - i[None, :]) % n != 0
    return s[i, (i + n) % (2 * n)], s[keep].view(2 * n, 2 * n - 2)


def torch_dcl(z_a, z_b, tau):
    p, neg = _torch_rows(z_a, z_b, tau)
    return (neg.logsumexp(1) - p).mean()


def torch_debiased(z_a, z_b, tau, tau_plus):
    return torch_hard(z_a, z_b, tau, tau_plus, 0.0)


def torch_hard(z_a, z_b, tau, tau_plus, beta):
    """As the authors' public code computes it, by plain exponentials."""
    p, neg = _torch_rows(z_a, z_b, tau)
    count = neg.shape[1]
    importance = (beta * neg).exp()
    expected = (importance * neg.exp()).sum(1) / importance.mean(1)
    g = (expected - tau_plus * count * p.exp()) / (1 - tau_plus)
    g = g.clamp(min=count * math.exp(-1 / tau))
    return -(p.exp() / (p.exp() + g)).log().mean()


def torch_logistic(z_a, z_b, tau):
    p, neg = _torch_rows(z_a, z_b, tau)
    return (F.softplus(-p, threshold=700) + F.softplus(neg, threshold=700).sum(1)).mean()


CASES = [
    ("dcl", losses.dcl, paper_dcl, torch_dcl, ()),
    ("nt_logistic", losses.nt_logistic, paper_logistic, torch_logistic, ()),
    *[("debiased", losses.debiased, paper_debiased, torch_debiased, (t,)) for t in (0.0, 0.02, 0.1, 0.6)],
    *[
        ("hard", losses.hard_negative, paper_hard, torch_hard, (t, b))
        for t, b in [(0.0, 0.5), (0.1, 0.0), (0.1, 1.0), (0.02, 3.0)]
    ],
]
every_loss = pytest.mark.parametrize(
    ("ours", "paper", "reference", "options"),
    [case[1:] for case in CASES],
    ids=["-".join(map(str, (case[0], *case[4]))) for case in CASES],
)


@every_loss
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_value_is_that_of_the_papers_loop(views, ours, paper, reference, options, tau, n, d):
    z_a, z_b = views(n, d)
    wanted = paper(z_a, z_b, tau, *options)
    assert ours(z_a, z_b, tau, *options).value == pytest.approx(wanted, rel=1e-10, abs=1e-12)


def _nearest_kink(z_a, z_b, tau, tau_plus=0.0, beta=0.0):
    """Least ratio of the estimate to its floor, or of the floor to it, over the rows."""
    ratios = []
    for p, neg in _rows(z_a, z_b):
        weights = [math.exp(beta * s / tau) for s in neg]
        expected = sum(w * math.exp(s / tau) for w, s in zip(weights, neg, strict=True)) / sum(weights)
        g = (expected - tau_plus * math.exp(p / tau)) / (1 - tau_plus) * math.exp(1 / tau)
        ratios.append(max(g, 1 / g) if g > 0 else math.inf)
    return min(ratios)


@every_loss
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d"), [(2, 5), (5, 2), (8, 3)])
def test_gradient_is_the_slope_along_a_random_direction(
    views, rng, slope, ours, paper, reference, options, tau, n, d
):
    z_a, z_b = views(n, d)
    assert _nearest_kink(z_a, z_b, tau, *options) > 1.002
    direction = rng.normal(size=(2, n, d)) * np.linalg.norm(z_a, axis=1)[:, None] * min(tau, 1.0)
    wanted = slope(lambda a, b: paper(a, b, tau, *options), (z_a, z_b), direction, step=1e-4)
    _, grad_a, grad_b = ours(z_a, z_b, tau, *options)
    assert np.sum(grad_a * direction[0] + grad_b * direction[1]) == pytest.approx(wanted, rel=1e-6, abs=1e-8)


@every_loss
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("n", "d"), [*SHAPES, (40, 16)])
def test_value_and_gradients_are_those_of_torch(views, ours, paper, reference, options, tau, n, d):
    z_a, z_b = views(n, d)
    tensors = [torch.tensor(z, requires_grad=True) for z in (z_a, z_b)]
    loss = reference(*tensors, tau, *options)
    wanted = torch.autograd.grad(loss, tensors)
    value, *grads = ours(z_a, z_b, tau, *options)
    assert value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    for grad, exact in zip(grads, wanted, strict=True):
        np.testing.assert_allclose(grad, exact.numpy(), rtol=1e-10, atol=1e-10)


@every_loss
@pytest.mark.parametrize("d", [2, 40])
def test_the_page_and_the_desk_compute_the_same(views, ours, paper, reference, options, d):
    z_a, z_b = views(12, d)
    with forced("blas"):
        desk = ours(z_a, z_b, 0.3, *options)
    with forced("einsum"):
        page = ours(z_a, z_b, 0.3, *options)
    for one, other in zip(page, desk, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("beta", [0.0, 2.0])
def test_above_the_floor_negatives_are_pushed_and_at_it_they_are_not(views, slope, rng, beta):
    """Positives coincide, so a prior of 0.5 takes all negatives away, and one of 0.001 hardly any."""
    z_a = views(6, 4)[0]
    z_b = z_a * 2.0
    options = (0.2, 0.001, beta), (0.2, 0.5, beta)
    above, at_floor = (losses.hard_negative(z_a, z_b, *o) for o in options)
    floor_value = math.log(1 + 10 * math.exp(-2 / 0.2))  # K = 10, every g at exp(-1/τ), s = 1
    assert at_floor.value == pytest.approx(floor_value, rel=1e-12)
    assert above.value > 2 * floor_value
    # At the floor only positives pull, and those coincide: nothing tangent is left.
    assert np.abs(at_floor.grad_a).max() < 1e-15
    assert np.abs(above.grad_a).max() > 1e-3
    for o, result in zip(options, (above, at_floor), strict=True):
        assert _nearest_kink(z_a, z_b, *o) > 1.5
        moves = rng.normal(size=(2, *z_a.shape))
        wanted = slope(lambda a, b, o=o: paper_hard(a, b, *o), (z_a, z_b), moves, step=1e-5)
        got = np.sum(result.grad_a * moves[0] + result.grad_b * moves[1])
        assert got == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def test_the_floor_holds_row_by_row():
    """One row of four stays above the floor: its positive is far, its negatives are not opposite."""
    z_a = np.array([[1.0, 0.0], [0.0, 1.0]])
    z_b = np.array([[1.0, 0.0], [-1.0, 0.2]])
    options = (0.5, 0.3)
    estimates = [
        (sum(math.exp(2 * s) for s in neg) / 2 - 0.3 * math.exp(2 * p)) / 0.7 for p, neg in _rows(z_a, z_b)
    ]
    assert [g > math.exp(-2) for g in estimates] == [False, True, False, False]
    tensors = [torch.tensor(z, requires_grad=True) for z in (z_a, z_b)]
    loss = torch_debiased(*tensors, *options)
    wanted = torch.autograd.grad(loss, tensors)
    result = losses.debiased(z_a, z_b, *options)
    assert result.value == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(result[1:], [w.numpy() for w in wanted], atol=1e-14)
