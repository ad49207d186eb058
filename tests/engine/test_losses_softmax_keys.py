"""InfoNCE with explicit negatives and the N-pair loss, by the three laws."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning.distances import DotProductSimilarity
from pytorch_metric_learning.losses import NPairsLoss, NTXentLoss

from sim_engine import losses
from sim_engine._matmul import forced

TAUS = [0.05, 0.5, 2.0]
SHAPES = [(1, 1, 4), (1, 7, 3), (5, 1, 2), (6, 9, 33), (4, 3, 1)]  # N, K, d


@pytest.fixture
def keys(rng):
    """`keys(n, k, d, own)`: query, positive and negatives, rows of many lengths."""

    def make(n, k, d, own):
        query = rng.normal(size=(n, d))
        positive = query * 2 + 0.5 * rng.normal(size=(n, d))
        return query, positive, 3 * rng.normal(size=(n, k, d) if own else (k, d))

    return make


def paper_info_nce(query, positive, negatives, tau):
    """Eq. 1 of He et al. (2020), averaged over queries."""

    def f(x, y):
        return math.exp(sum(a * b for a, b in zip(x, y, strict=True)) / math.hypot(*x) / math.hypot(*y) / tau)

    ell = []
    for i, q in enumerate(query):
        mine = negatives[i] if np.ndim(negatives) == 3 else negatives
        top = f(q, positive[i])
        ell.append(-math.log(top / (top + sum(f(q, key) for key in mine))))
    return sum(ell) / len(ell)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("shape", SHAPES)
def test_info_nce_is_the_papers_and_its_gradient_the_slope(keys, rng, slope, own, tau, shape):
    arrays = keys(*shape, own)
    value, *grads = losses.info_nce(*arrays, tau)
    assert value == pytest.approx(paper_info_nce(*arrays, tau), rel=1e-10, abs=1e-12)
    moves = [rng.normal(size=a.shape) * np.abs(a) * 0.3 * min(tau, 1.0) for a in arrays]
    wanted = slope(lambda *a: paper_info_nce(*a, tau), arrays, moves, step=1e-3)
    got = sum(np.sum(g * m) for g, m in zip(grads, moves, strict=True))
    assert got == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def _plain(query, positive, negatives, tau):
    q, k, others = (F.normalize(x, dim=-1) for x in (query, positive, negatives))
    against = torch.einsum("nd,nkd->nk" if others.ndim == 3 else "nd,kd->nk", q, others)
    logits = torch.cat([(q * k).sum(1, keepdim=True), against], dim=1) / tau
    return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))


def _metric_learning(query, positive, negatives, tau):
    """One call a query, since it would take the positives of other queries for negatives."""
    terms = []
    for i, q in enumerate(query):
        mine = negatives[i] if negatives.ndim == 3 else negatives
        reference = torch.cat([positive[i : i + 1], mine])
        labels = torch.arange(len(reference))
        terms.append(
            NTXentLoss(temperature=tau)(q[None], labels[:1], ref_emb=reference, ref_labels=labels),
        )
    return torch.stack(terms).mean()


# Given one query and one negative, pytorch-metric-learning returns 0.
@pytest.mark.parametrize(
    ("reference", "shape"),
    [(_plain, s) for s in SHAPES] + [(_metric_learning, s) for s in SHAPES if s[1] > 1],
)
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("tau", TAUS)
def test_info_nce_and_its_gradients_are_those_of_torch(keys, reference, own, tau, shape):
    arrays = keys(*shape, own)
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    loss = reference(*tensors, tau)
    wanted = torch.autograd.grad(loss, tensors)
    value, *grads = losses.info_nce(*arrays, tau)
    assert value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    for grad, exact in zip(grads, wanted, strict=True):
        np.testing.assert_allclose(grad, exact.numpy(), rtol=1e-10, atol=1e-10)


def test_shared_negatives_are_the_same_negatives_for_each_query(keys):
    query, positive, shared = keys(5, 3, 4, False)
    one = losses.info_nce(query, positive, shared, 0.3)
    each = losses.info_nce(query, positive, np.tile(shared, (5, 1, 1)), 0.3)
    assert one.value == pytest.approx(each.value, rel=1e-14)
    np.testing.assert_allclose(one.grad_query, each.grad_query, atol=1e-15)
    np.testing.assert_allclose(one.grad_negatives, each.grad_negatives.sum(axis=0), atol=1e-15)


@pytest.mark.parametrize("tau", [1e-6, 0.07, 1e300])
@pytest.mark.parametrize("k", [1, 65536])
def test_equal_cosines_give_log_k_plus_1(tau, k):
    row = np.ones((1, 2))
    assert losses.info_nce(row, 2 * row, np.ones((k, 2)), tau).value == pytest.approx(
        math.log(k + 1), rel=1e-12
    )


def paper_n_pair(z_a, z_b):
    """L_N-pair-mc of Sohn (2016)."""

    def dot(x, y):
        return sum(a * b for a, b in zip(x, y, strict=True))

    n = len(z_a)
    return (
        sum(
            math.log(
                1 + sum(math.exp(dot(z_a[i], z_b[j]) - dot(z_a[i], z_b[i])) for j in range(n) if j != i),
            )
            for i in range(n)
        )
        / n
    )


@pytest.mark.parametrize(("n", "d"), [(2, 1), (2, 5), (5, 2), (8, 3), (16, 33)])
def test_n_pair_is_the_papers_and_its_gradient_the_slope(views, rng, slope, n, d):
    z_a, z_b = views(n, d)
    value, *grads = losses.n_pair(z_a, z_b)
    assert value == pytest.approx(paper_n_pair(z_a, z_b), rel=1e-10, abs=1e-12)
    moves = rng.normal(size=(2, n, d)) / np.sqrt(d)
    wanted = slope(paper_n_pair, (z_a, z_b), moves, step=1e-3)
    assert sum(np.sum(g * m) for g, m in zip(grads, moves, strict=True)) == pytest.approx(wanted, rel=1e-6)


def _plain_n_pair(z_a, z_b):
    return F.cross_entropy(z_a @ z_b.T, torch.arange(len(z_a)))


def _metric_learning_n_pair(z_a, z_b):
    pairs = torch.stack([z_a, z_b], dim=1).flatten(0, 1)  # anchor, positive, anchor, positive, ...
    similarity = DotProductSimilarity(normalize_embeddings=False)
    return NPairsLoss(distance=similarity)(pairs, torch.arange(len(z_a)).repeat_interleave(2))


@pytest.mark.parametrize("reference", [_plain_n_pair, _metric_learning_n_pair])
@pytest.mark.parametrize(("n", "d"), [(2, 1), (2, 5), (5, 2), (8, 3), (16, 33)])
def test_n_pair_and_its_gradients_are_those_of_torch(views, reference, n, d):
    z = views(n, d)
    tensors = [torch.tensor(a, requires_grad=True) for a in z]
    loss = reference(*tensors)
    wanted = torch.autograd.grad(loss, tensors)
    value, *grads = losses.n_pair(*z)
    assert value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    for grad, exact in zip(grads, wanted, strict=True):
        np.testing.assert_allclose(grad, exact.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("d", [2, 40])
def test_the_page_and_the_desk_compute_the_same(views, keys, d):
    calls = [
        (losses.n_pair, views(12, d)),
        (losses.info_nce, (*keys(12, 5, d, True), 0.3)),
        (losses.info_nce, (*keys(12, 5, d, False), 0.3)),
    ]
    for loss, arguments in calls:
        with forced("blas"):
            desk = loss(*arguments)
        with forced("einsum"):
            page = loss(*arguments)
        for one, other in zip(page, desk, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
