"""The engine's losses in plain torch, as one writes them for autograd.

Each takes the arrays of the case of its name, in `build_scripts.bench.cases`, as tensors.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax, logsigmoid, normalize, softmax

from build_scripts.bench.cases import BETA, MARGIN, TAU, TAU_PLUS

__all__ = ["PLAIN", "Loss"]

Loss = Callable[..., Tensor]
_TAU_STUDENT, _TAU_TEACHER = 0.1, 0.04


def _cosines(z_a: Tensor, z_b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return all cosines over tau, each anchor, and where its positive stands."""
    u = normalize(torch.cat([z_a, z_b]), dim=1)
    anchor = torch.arange(len(u))
    return u @ u.T / TAU, anchor, anchor.roll(len(z_a))


def _without_self(s: Tensor) -> Tensor:
    return s.masked_fill(torch.eye(len(s), dtype=torch.bool), -torch.inf)


def _negatives(s: Tensor, anchor: Tensor, positive: Tensor) -> Tensor:
    """Return which entries of s are negatives."""
    mask = torch.ones_like(s, dtype=torch.bool)
    mask[anchor, anchor] = mask[anchor, positive] = False
    return mask


def nt_xent(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Cross-entropy over the other 2N - 1 views."""
    s, _, positive = _cosines(z_a, z_b)
    return cross_entropy(_without_self(s), positive)


def dcl(z_a: Tensor, z_b: Tensor) -> Tensor:
    """NT-Xent without the positive in the denominator."""
    s, anchor, positive = _cosines(z_a, z_b)
    negatives = _without_self(s)
    negatives[anchor, positive] = -torch.inf
    return (negatives.logsumexp(dim=1) - s[anchor, positive]).mean()


def debiased(z_a: Tensor, z_b: Tensor) -> Tensor:
    """NT-Xent less what false negatives are expected to add."""
    s, anchor, positive = _cosines(z_a, z_b)
    negatives = _negatives(s, anchor, positive)
    e = s.exp()
    return _debiased((e * negatives).sum(dim=1), e[anchor, positive], len(s) - 2)


def hard_negative(z_a: Tensor, z_b: Tensor) -> Tensor:
    """The same, each negative weighed by a power of its own term."""
    s, anchor, positive = _cosines(z_a, z_b)
    negatives = _negatives(s, anchor, positive)
    e = s.exp()
    weight = (BETA * s).exp() * negatives
    weight = weight / (weight.sum(dim=1, keepdim=True) / (len(s) - 2))
    return _debiased((weight * e).sum(dim=1), e[anchor, positive], len(s) - 2)


def _debiased(rest: Tensor, positive: Tensor, count: int) -> Tensor:
    floor = count * torch.exp(torch.tensor(-1.0 / TAU, dtype=rest.dtype))
    estimate = torch.maximum((rest - TAU_PLUS * count * positive) / (1 - TAU_PLUS), floor)
    return -(positive / (positive + estimate)).log().mean()


def nt_logistic(z_a: Tensor, z_b: Tensor) -> Tensor:
    """A logistic loss for each positive, and for the negatives of each anchor."""
    s, anchor, positive = _cosines(z_a, z_b)
    mask = _negatives(s, anchor, positive)
    negatives = torch.where(mask, logsigmoid(-torch.where(mask, s, 0.0)), 0.0).sum(dim=1)
    return -(logsigmoid(s[anchor, positive]) + negatives).mean()


def sup_con(z: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each row of the anchor's class, averaged."""
    log_p, same = _of_classes(z, labels)
    return -(torch.where(same, log_p, 0.0).sum(dim=1) / same.sum(dim=1)).mean()


def sup_con_in(z: Tensor, labels: Tensor) -> Tensor:
    """The log of the average probability of the anchor's class."""
    log_p, same = _of_classes(z, labels)
    own = log_p.masked_fill(~same, -torch.inf).logsumexp(dim=1)
    return -(own - same.sum(dim=1).to(z.dtype).log()).mean()


def _of_classes(z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    u = normalize(z, dim=1)
    same = labels[:, None] == labels[None, :]
    same.fill_diagonal_(False)
    return log_softmax(_without_self(u @ u.T / TAU), dim=1), same


def _gaps(z_a: Tensor, z_b: Tensor) -> tuple[Tensor, Tensor]:
    """Return how much farther each negative is than the positive, and which triplets fall short."""
    u = normalize(torch.cat([z_a, z_b]), dim=1)
    distance = 2 - 2 * u @ u.T
    anchor = torch.arange(len(u))
    positive = anchor.roll(len(z_a))
    gap = distance - distance[anchor, positive][:, None]
    return gap, (gap < MARGIN) & _negatives(gap, anchor, positive)


def triplet_views(z_a: Tensor, z_b: Tensor) -> Tensor:
    """The nearest of the negatives beyond the positive and within the margin."""
    gap, short = _gaps(z_a, z_b)
    nearest = gap.masked_fill(~(short & (gap > 0)), torch.inf).min(dim=1).values
    return (MARGIN - nearest[nearest.isfinite()]).mean()


def triplet_views_violating(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Every negative within the margin."""
    gap, short = _gaps(z_a, z_b)
    return (MARGIN - gap[short]).mean()


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """What is missing to the margin, of given triplets."""
    a, p, n = (normalize(z, dim=1) for z in (anchor, positive, negative))
    gap = (a - n).square().sum(dim=1) - (a - p).square().sum(dim=1)
    return (MARGIN - gap).relu().mean()


def align_uniform(z_a: Tensor, z_b: Tensor) -> Tensor:
    """The distance of positives, and the log of the mean Gaussian kernel of each view."""
    a, b = normalize(z_a, dim=1), normalize(z_b, dim=1)
    loss = (a - b).square().sum(dim=1).mean()
    for u in (a, b):
        loss = loss + torch.pdist(u).square().mul(-2.0).exp().mean().log() / 2
    return loss


def clip(image: Tensor, text: Tensor, log_scale: Tensor) -> Tensor:
    """Cross-entropy both ways between two kinds of rows."""
    s = log_scale.exp() * (normalize(image, dim=1) @ normalize(text, dim=1).T)
    target = torch.arange(len(s))
    return (cross_entropy(s, target) + cross_entropy(s.T, target)) / 2


def n_pair(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Cross-entropy of dot products, one way, without temperature."""
    return cross_entropy(z_a @ z_b.T, torch.arange(len(z_a)))


def spectral(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Dot products: large for positives, squared for all others."""
    n = len(z_a)
    cross = (z_a @ z_b.T).square()
    off = cross.sum() - cross.diagonal().sum()
    return -2.0 * (z_a * z_b).sum(dim=1).mean() + off / (n * (n - 1))


def info_nce(query: Tensor, positive: Tensor, negatives: Tensor) -> Tensor:
    """Cross-entropy of the first of K + 1 keys, the others shared."""
    q, k, m = (normalize(z, dim=1) for z in (query, positive, negatives))
    return _first(torch.cat([(q * k).sum(dim=1, keepdim=True), q @ m.T], dim=1))


def info_nce_own(query: Tensor, positive: Tensor, negatives: Tensor) -> Tensor:
    """The same, each query with negatives of its own, (N, K, d)."""
    q, k, m = (normalize(z, dim=-1) for z in (query, positive, negatives))
    rest = (m @ q[:, :, None]).squeeze(2)
    return _first(torch.cat([(q * k).sum(dim=1, keepdim=True), rest], dim=1))


def moco(query: Tensor, key: Tensor, queue: Tensor) -> Tensor:
    """InfoNCE whose negatives, unit already, come from a queue."""
    q, k = normalize(query, dim=1), normalize(key, dim=1)
    return _first(torch.cat([(q * k).sum(dim=1, keepdim=True), q @ queue.T], dim=1))


def _first(similarities: Tensor) -> Tensor:
    return cross_entropy(similarities / TAU, torch.zeros(len(similarities), dtype=torch.long))


def barlow_twins(z_a: Tensor, z_b: Tensor) -> Tensor:
    """The cross-correlation of columns, towards the identity."""
    a = (z_a - z_a.mean(dim=0)) / z_a.std(dim=0, unbiased=False)
    b = (z_b - z_b.mean(dim=0)) / z_b.std(dim=0, unbiased=False)
    c = a.T @ b / len(a)
    on = (1 - c.diagonal()).square().sum()
    return on + 0.0051 * (c.square().sum() - c.diagonal().square().sum())


def vicreg(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Invariance, variance of each column, covariance of every two."""
    n, d = z_a.shape
    loss = 25.0 * (z_a - z_b).square().mean()
    for z in (z_a, z_b):
        centred = z - z.mean(dim=0)
        covariance = centred.T @ centred / (n - 1)
        deviation = (covariance.diagonal() + 1e-4).sqrt()
        off = covariance.square().sum() - covariance.diagonal().square().sum()
        loss = loss + 12.5 * (1 - deviation).relu().mean() + off / d
    return loss


def normalized_mse(p: Tensor, z: Tensor) -> Tensor:
    """Squared distance of prediction and target on the sphere."""
    return (normalize(p, dim=1) - normalize(z, dim=1)).square().sum(dim=1).mean()


def negative_cosine(p: Tensor, z: Tensor) -> Tensor:
    """Minus the cosine of prediction and target."""
    return -(normalize(p, dim=1) * normalize(z, dim=1)).sum(dim=1).mean()


def byol(p_a: Tensor, p_b: Tensor, z_a: Tensor, z_b: Tensor) -> Tensor:
    """Each view's prediction against the other's target, added."""
    return normalized_mse(p_a, z_b) + normalized_mse(p_b, z_a)


def simsiam(p_a: Tensor, p_b: Tensor, z_a: Tensor, z_b: Tensor) -> Tensor:
    """Each view's prediction against the other's embedding, half of each."""
    return (negative_cosine(p_a, z_b) + negative_cosine(p_b, z_a)) / 2


def dino_cross_entropy(student: Tensor, teacher: Tensor, center: Tensor) -> Tensor:
    """Cross-entropy of the student's softmax against the teacher's, centred and sharpened."""
    wanted = softmax((teacher - center) / _TAU_TEACHER, dim=1)
    return -(wanted * log_softmax(student / _TAU_STUDENT, dim=1)).sum(dim=1).mean()


def dino(s_a: Tensor, s_b: Tensor, t_a: Tensor, t_b: Tensor, center: Tensor) -> Tensor:
    """Each view's student against the other's teacher, half of each; the next centre is not made."""
    return (dino_cross_entropy(s_a, t_b, center) + dino_cross_entropy(s_b, t_a, center)) / 2


PLAIN: dict[str, Loss] = {
    "nt_xent": nt_xent,
    "dcl": dcl,
    "debiased": debiased,
    "hard_negative": hard_negative,
    "nt_logistic": nt_logistic,
    "sup_con": sup_con,
    "sup_con, in": sup_con_in,
    "triplet_views": triplet_views,
    "triplet_views, violating": triplet_views_violating,
    "align_uniform": align_uniform,
    "clip": clip,
    "n_pair": n_pair,
    "spectral": spectral,
    "info_nce": info_nce,
    "info_nce, own keys": info_nce_own,
    "moco": moco,
    "triplet": triplet,
    "barlow_twins": barlow_twins,
    "vicreg": vicreg,
    "normalized_mse": normalized_mse,
    "negative_cosine": negative_cosine,
    "byol": byol,
    "simsiam": simsiam,
    "dino_cross_entropy": dino_cross_entropy,
    "dino": dino,
}
