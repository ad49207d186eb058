"""SupCon, outside and inside the logarithm, by the three laws."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning.losses import SupConLoss

from sim_engine import losses
from sim_engine._matmul import forced

TAUS = [0.05, 0.5, 2.0]
LABELS = [
    [0, 0],
    [3, 3, -1, 7],  # two rows without a positive
    [0, 0, 0, 0],  # no negative
    [0, 1, 1, 0, 2, 2, 2],
    [5, 5, 5, 5, 5, 1, 9, 9],
    list(range(6)) * 2,  # two views of six images
]
sets = pytest.mark.parametrize("labels", LABELS, ids=[str(len(x)) + "-" + str(len(set(x))) for x in LABELS])
both = pytest.mark.parametrize("variant", ["out", "in"])


def paper(z, labels, tau, variant):
    """Eqs. 2 and 3 of Khosla et al. (2020), averaged over the rows whose P(i) is not empty."""
    u = [[x / math.hypot(*row) for x in row] for row in z.tolist()]

    def term(i, j):
        return math.exp(sum(a * b for a, b in zip(u[i], u[j], strict=True)) / tau)

    ell = []
    for i in range(len(u)):
        positives = [p for p in range(len(u)) if p != i and labels[p] == labels[i]]
        if not positives:
            continue
        below = sum(term(i, a) for a in range(len(u)) if a != i)
        if variant == "out":
            ell.append(-sum(math.log(term(i, p) / below) for p in positives) / len(positives))
        else:
            ell.append(-math.log(sum(term(i, p) / below for p in positives) / len(positives)))
    return sum(ell) / len(ell)


@pytest.fixture
def rows(rng):
    """`rows(m, d)`: (m, d), of many lengths."""
    return lambda m, d: rng.normal(size=(m, d)) * rng.uniform(0.2, 5, size=(m, 1))


@both
@sets
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("d", [1, 2, 5, 33])
def test_value_is_the_papers_and_gradient_the_slope(rows, rng, slope, variant, labels, tau, d):
    z = rows(len(labels), d)
    value, grad = losses.sup_con(z, labels, tau, variant=variant)
    assert value == pytest.approx(paper(z, labels, tau, variant), rel=1e-10, abs=1e-12)
    move = rng.normal(size=z.shape) * np.linalg.norm(z, axis=1)[:, None] * min(tau, 1.0) / math.sqrt(d)
    wanted = slope(lambda a: paper(a, labels, tau, variant), (z,), (move,), step=1e-3 if d > 1 else 1e-4)
    assert np.sum(grad * move) == pytest.approx(wanted, rel=1e-6, abs=1e-8)


def _plain(z, labels, tau, variant):
    u = F.normalize(z)
    s = (u @ u.T / tau).fill_diagonal_(-math.inf)
    same = (labels[:, None] == labels[None]).fill_diagonal_(False)
    some = same.any(1)
    log_p = (s - s.logsumexp(1, keepdim=True))[some]
    same = same[some]
    count = same.sum(1)
    if variant == "out":
        return -(torch.where(same, log_p, 0.0).sum(1) / count).mean()
    return (count.double().log() - log_p.masked_fill(~same, -math.inf).logsumexp(1)).mean()


@both
@sets
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("d", [1, 2, 33])
def test_value_and_gradient_are_those_of_torch(rows, variant, labels, tau, d):
    z = rows(len(labels), d)
    tensor = torch.tensor(z, requires_grad=True)
    loss = _plain(tensor, torch.tensor(labels), tau, variant)
    (wanted,) = torch.autograd.grad(loss, tensor)
    value, grad = losses.sup_con(z, labels, tau, variant=variant)
    assert value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(grad, wanted.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("labels", [x for x in LABELS if len(set(x)) > 1])
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("d", [2, 33])
def test_out_is_that_of_pytorch_metric_learning(rows, labels, tau, d):
    z = rows(len(labels), d)
    tensor = torch.tensor(z, requires_grad=True)
    loss = SupConLoss(temperature=tau)(tensor, torch.tensor(labels))
    (wanted,) = torch.autograd.grad(loss, tensor)
    value, grad = losses.sup_con(z, labels, tau)
    assert value == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(grad, wanted.numpy(), rtol=1e-10, atol=1e-10)


@sets
@pytest.mark.parametrize("tau", TAUS)
def test_inside_is_at_most_outside(rows, labels, tau):
    """Jensen: the logarithm of a mean is at least the mean of logarithms."""
    z = rows(len(labels), 3)
    inside, outside = (losses.sup_con(z, labels, tau, variant=v).value for v in ("in", "out"))
    if max(labels.count(x) for x in labels) > 2:
        assert inside < outside
    else:  # one positive each: nothing to average
        assert inside == pytest.approx(outside, rel=1e-12)


@both
@pytest.mark.parametrize("tau", [1e-3, 0.07, 5.0])
def test_two_views_labelled_by_image_are_nt_xent(views, variant, tau):
    z_a, z_b = views(9, 4)
    wanted = losses.nt_xent(z_a, z_b, tau)
    value, grad = losses.sup_con(np.concatenate([z_a, z_b]), [*range(9)] * 2, tau, variant=variant)
    assert value == pytest.approx(wanted.value, rel=1e-12)
    both_views = np.concatenate([wanted.grad_a, wanted.grad_b])
    np.testing.assert_allclose(grad, both_views, rtol=1e-9, atol=1e-13 / tau)


def test_without_negatives_inside_has_nothing_to_learn(rows):
    value, grad = losses.sup_con(rows(5, 3), [1] * 5, 0.1, variant="in")
    assert value == pytest.approx(math.log(4), rel=1e-15)
    assert not grad.any()


@both
def test_what_the_labels_are_does_not_matter_only_which_are_equal(rows, variant):
    z = rows(6, 3)
    wanted = losses.sup_con(z, [0, 1, 0, 2, 1, 0], 0.5, variant=variant)
    for labels in ([2**60 + x for x in (0, 1, 0, 2, 1, 0)], np.array([5, -1, 5, 0, -1, 5], np.float32)):
        result = losses.sup_con(z, labels, 0.5, variant=variant)
        assert result.value == wanted.value
        np.testing.assert_array_equal(result.grad_z, wanted.grad_z)


@both
@pytest.mark.parametrize("d", [2, 40])
def test_the_page_and_the_desk_compute_the_same(rows, variant, d):
    z, labels = rows(14, d), [0, 1] * 7
    with forced("blas"):
        desk = losses.sup_con(z, labels, 0.3, variant=variant)
    with forced("einsum"):
        page = losses.sup_con(z, labels, 0.3, variant=variant)
    for one, other in zip(page, desk, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
