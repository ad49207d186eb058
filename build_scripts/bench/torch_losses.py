"""The engine's losses in plain torch, as one writes them for autograd, and in pytorch-metric-learning."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pytorch_metric_learning import losses as pml  # type: ignore[import-untyped]
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid, normalize

__all__ = ["LIBRARY", "PLAIN", "TAU"]

Loss = Callable[[Tensor, Tensor], Tensor]
TAU = 0.5


def _logits(z_a: Tensor, z_b: Tensor) -> tuple[Tensor, Tensor]:
    """Return all cosines over tau, a view's own at -inf, and where each positive stands."""
    u = normalize(torch.cat([z_a, z_b]), dim=1)
    s = u @ u.T / TAU
    s = s.masked_fill(torch.eye(len(s), dtype=torch.bool), -torch.inf)
    return s, torch.arange(len(s)).roll(len(z_a))


def nt_xent(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Cross-entropy over the other 2N - 1 views."""
    return cross_entropy(*_logits(z_a, z_b))


def dcl(z_a: Tensor, z_b: Tensor) -> Tensor:
    """NT-Xent without the positive in the denominator."""
    s, positive = _logits(z_a, z_b)
    anchor = torch.arange(len(s))
    negatives = s.clone()
    negatives[anchor, positive] = -torch.inf
    return (negatives.logsumexp(dim=1) - s[anchor, positive]).mean()


def clip(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Cross-entropy both ways between two kinds of rows."""
    s = normalize(z_a, dim=1) @ normalize(z_b, dim=1).T / TAU
    target = torch.arange(len(s))
    return (cross_entropy(s, target) + cross_entropy(s.T, target)) / 2


def n_pair(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Cross-entropy of dot products, one way, without temperature."""
    return cross_entropy(z_a @ z_b.T, torch.arange(len(z_a)))


def nt_logistic(z_a: Tensor, z_b: Tensor) -> Tensor:
    """A logistic loss for each positive, and for the negatives of each anchor."""
    s, positive = _logits(z_a, z_b)
    anchor = torch.arange(len(s))
    mask = torch.ones_like(s, dtype=torch.bool)
    mask[anchor, anchor] = mask[anchor, positive] = False
    negatives = torch.where(mask, logsigmoid(-torch.where(mask, s, 0.0)), 0.0).sum(dim=1)
    return -(logsigmoid(s[anchor, positive]) + negatives).mean()


def spectral(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Dot products: large for positives, squared for all others."""
    n = len(z_a)
    cross = (z_a @ z_b.T).square()
    off = cross.sum() - cross.diagonal().sum()
    return -2.0 * (z_a * z_b).sum(dim=1).mean() + off / (n * (n - 1))


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


def align_uniform(z_a: Tensor, z_b: Tensor) -> Tensor:
    """The distance of positives, and the log of the mean Gaussian kernel of each view."""
    a, b = normalize(z_a, dim=1), normalize(z_b, dim=1)
    loss = (a - b).square().sum(dim=1).mean()
    for u in (a, b):
        loss = loss + torch.pdist(u).square().mul(-2.0).exp().mean().log() / 2
    return loss


def _labels(z_a: Tensor) -> Tensor:
    return torch.arange(len(z_a)).repeat(2)


def _library(loss: Callable[..., Tensor]) -> Loss:
    return lambda z_a, z_b: loss(torch.cat([z_a, z_b]), _labels(z_a))


PLAIN: dict[str, Loss] = {
    "nt_xent": nt_xent,
    "dcl": dcl,
    "sup_con": nt_xent,  # with one positive each they are one
    "clip": clip,
    "n_pair": n_pair,
    "nt_logistic": nt_logistic,
    "spectral": spectral,
    "align_uniform": align_uniform,
    "barlow_twins": barlow_twins,
    "vicreg": vicreg,
}
LIBRARY: dict[str, Loss] = {
    "nt_xent": _library(pml.NTXentLoss(temperature=TAU)),
    "sup_con": _library(pml.SupConLoss(temperature=TAU)),
    "vicreg": lambda z_a, z_b: pml.VICRegLoss()(z_a, ref_emb=z_b),
}
