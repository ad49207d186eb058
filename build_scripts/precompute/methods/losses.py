"""The losses of the methods in torch, for autograd; `sim_engine.losses` has the same formulas in NumPy.

Each has the value and, by autograd, the gradients of the engine's function of that name: a test
compares both. What each formula says, and where it comes from, stands there and is not repeated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from build_scripts.precompute import nt_xent as two_views

__all__ = [
    "LARGEST_LOG_SCALE",
    "barlow_twins",
    "byol",
    "clip",
    "info_nce",
    "nt_xent",
    "simsiam",
    "sup_con",
    "vicreg",
]

# The paper lets no logit be scaled by more than 100 (Radford et al. 2021, section 2.5).
LARGEST_LOG_SCALE = math.log(100.0)


def _full_precision(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compute a loss in float32 at least, whatever the network was computed in.

    bfloat16 has three digits: a cosine over a small temperature would have none left.
    """

    @wraps(loss)
    def computed(*tensors: Any, **settings: Any) -> Tensor:
        wide = [t.float() if isinstance(t, Tensor) and t.dtype in _HALF else t for t in tensors]
        kind = next(t.device.type for t in wide if isinstance(t, Tensor))
        with torch.autocast(kind, enabled=False):
            return loss(*wide, **settings)

    return computed


_HALF = (torch.bfloat16, torch.float16)


@_full_precision
def nt_xent(
    z_a: Tensor, z_b: Tensor, tau: float, *, normalise: bool = True, mask_self: bool = True
) -> Tensor:
    r"""Cross-entropy of picking the positive among the other 2N - 1 views, by cosine over temperature.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2; row i of both comes from image i.
        tau: temperature, > 0.
        normalise: False takes dot products in place of cosines, which is a mistake to be shown.
        mask_self: False leaves each view among its own negatives, another one.

    Returns:
        A scalar in nats.

    Raises:
        ValueError: shapes differ, N < 2, or tau <= 0.

    Source:
        Chen et al. (2020), arXiv:2002.05709, eq. 1; `sim_engine.losses.nt_xent`.
    """
    _check_pair(z_a, z_b, least=2)
    tau = _check_tau(tau)
    if normalise and mask_self:
        return two_views.nt_xent(z_a, z_b, tau)
    n = len(z_a)
    z = torch.cat([z_a, z_b])
    if normalise:
        z = functional.normalize(z, dim=1)
    logits = z @ z.T / tau
    if mask_self:
        logits = logits.masked_fill(_own(logits), -torch.inf)
    return functional.cross_entropy(logits, torch.arange(2 * n, device=z.device).roll(n))


@_full_precision
def sup_con(z: Tensor, labels: Tensor, tau: float) -> Tensor:
    r"""Cross-entropy of picking a row of the same class, averaged over these rows outside the log.

    Args:
        z: (M, d), M >= 2, any length of row; views of one image are rows like any other.
        labels: int64 (M,), the class of each row.
        tau: temperature, > 0.

    Returns:
        A scalar in nats: the mean over the rows that have a positive.

    Raises:
        ValueError: M < 2, labels do not fit, no two rows have one label, or tau <= 0.

    Source:
        Khosla et al. (2020), arXiv:2004.11362, eq. 2; `sim_engine.losses.sup_con`, variant "out".
    """
    tau = _check_tau(tau)
    if z.ndim != 2 or len(z) < 2 or labels.shape != z.shape[:1]:
        raise ValueError(
            "z must be (M, d), M >= 2, and labels (M,), one a row, got "
            f"{tuple(z.shape)} and {tuple(labels.shape)}"
        )
    u = functional.normalize(z, dim=1)
    logits = u @ u.T / tau
    own = _own(logits)
    same = (labels[:, None] == labels[None, :]) & ~own
    count = same.sum(dim=1)
    if not bool((count > 0).any()):
        raise ValueError("labels must give at least two rows of z one label, got all different: no positive")
    log_share = logits - logits.masked_fill(own, -torch.inf).logsumexp(dim=1, keepdim=True)
    ell = -torch.where(same, log_share, 0.0).sum(dim=1) / count.clamp(min=1)  # 0 without a positive
    return ell.sum() / (count > 0).sum()


@_full_precision
def info_nce(query: Tensor, positive: Tensor, negatives: Tensor, tau: float) -> Tensor:
    r"""Cross-entropy of picking a query's own key among it and keys that all queries share.

    Args:
        query: (N, d), any length of row.
        positive: (N, d), the key of each query.
        negatives: (K, d), such as MoCo's queue.
        tau: temperature, > 0.

    Returns:
        A scalar in nats; log(K + 1) when all cosines are equal.

    Raises:
        ValueError: shapes do not fit, or tau <= 0.

    Source:
        He et al. (2020), arXiv:1911.05722, eq. 1; `sim_engine.losses.info_nce` and `moco`.
    """
    _check_pair(query, positive, names="query and positive")
    tau = _check_tau(tau)
    if negatives.ndim != 2 or negatives.shape[1] != query.shape[1]:
        raise ValueError(
            f"negatives must be (K, {query.shape[1]}) to fit query, got {tuple(negatives.shape)}"
        )
    q, k, others = (functional.normalize(rows, dim=1) for rows in (query, positive, negatives))
    logits = torch.cat([(q * k).sum(dim=1, keepdim=True), q @ others.T], dim=1) / tau  # (N, 1 + K)
    return functional.cross_entropy(logits, torch.zeros(len(q), dtype=torch.int64, device=q.device))


@_full_precision
def byol(p_a: Tensor, p_b: Tensor, z_a: Tensor, z_b: Tensor, *, stop_gradient: bool = True) -> Tensor:
    r"""Squared distance of each view's prediction and the other view's target, on the sphere, added.

    Args:
        p_a, p_b: the views' predictions, each (N, d), any length of row.
        z_a, z_b: the views' targets, each (N, d).
        stop_gradient: whether the targets are held fixed.

    Returns:
        A scalar from 0 to 8.

    Raises:
        ValueError: shapes differ.

    Source:
        Grill et al. (2020), arXiv:2006.07733, eq. 2; `sim_engine.losses.byol`.
    """
    return _distance(p_a, z_b, stop_gradient) + _distance(p_b, z_a, stop_gradient)


@_full_precision
def simsiam(p_a: Tensor, p_b: Tensor, z_a: Tensor, z_b: Tensor, *, stop_gradient: bool = True) -> Tensor:
    r"""Minus the cosine of each view's prediction and the other view's embedding, half of each.

    Args:
        p_a, p_b: the views' predictions, each (N, d), any length of row.
        z_a, z_b: the views' embeddings, each (N, d).
        stop_gradient: whether the embeddings are held fixed; without, the network collapses.

    Returns:
        A scalar from -1 to 1.

    Raises:
        ValueError: shapes differ.

    Source:
        Chen & He (2021), arXiv:2011.10566, eq. 1-4; `sim_engine.losses.simsiam`.
    """
    return (_distance(p_a, z_b, stop_gradient) + _distance(p_b, z_a, stop_gradient)) / 4 - 1


@_full_precision
def barlow_twins(z_a: Tensor, z_b: Tensor, *, lam: float = 0.0051, eps: float = 1e-5) -> Tensor:
    r"""Distance of the table of correlations between two views' columns from the identity.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, not normalised.
        lam: weight of the off-diagonal entries, >= 0.
        eps: added to each variance, >= 0.

    Returns:
        A scalar >= 0, without unit.

    Raises:
        ValueError: shapes differ, or N < 2.

    Source:
        Zbontar et al. (2021), arXiv:2103.03230, eq. 1 and 2; `sim_engine.losses.barlow_twins`.
    """
    _check_pair(z_a, z_b, least=2)
    a, b = ((z - z.mean(dim=0)) / (z.var(dim=0, unbiased=False) + eps).sqrt() for z in (z_a, z_b))
    c = a.T @ b / len(a)  # (d, d)
    on = c.diagonal()
    # Taken out before it is squared: the sum of the rest keeps its digits.
    off = c - torch.diag_embed(on)
    return (1 - on).square().sum() + lam * off.square().sum()


@_full_precision
def vicreg(
    z_a: Tensor,
    z_b: Tensor,
    *,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
    gamma: float = 1.0,
    eps: float = 1e-4,
) -> Tensor:
    r"""Weighted sum of the distance of the views, a hinge on each column's spread, and covariances.

    Args:
        z_a, z_b: the views, each (N, d), N >= 2, not normalised.
        invariance, variance, covariance: weights, each >= 0. The authors' code weighs otherwise: see
            `sim_engine.losses.vicreg`.
        gamma: deviation that each column shall reach, > 0.
        eps: added to each variance, > 0.

    Returns:
        A scalar >= 0, without unit.

    Raises:
        ValueError: shapes differ, or N < 2.

    Source:
        Bardes, Ponce, LeCun (2022), arXiv:2105.04906, eq. 1 to 6; `sim_engine.losses.vicreg`.
    """
    _check_pair(z_a, z_b, least=2)
    n, d = z_a.shape
    loss = invariance * (z_a - z_b).square().sum() / n
    for z in (z_a, z_b):
        centred = z - z.mean(dim=0)
        c = centred.T @ centred / (n - 1)  # (d, d)
        own = c.diagonal()
        off = c - torch.diag_embed(own)
        loss = loss + variance * (gamma - (own + eps).sqrt()).relu().sum() / d
        loss = loss + covariance * off.square().sum() / d
    return loss


@_full_precision
def clip(image: Tensor, text: Tensor, log_scale: Tensor) -> Tensor:
    r"""Mean of two cross-entropies over one table of cosines, along its rows and along its columns.

    Args:
        image, text: embeddings, each (N, d), N >= 2, any length of row; row i of both is a pair.
        log_scale: logarithm of what the cosines are multiplied with, a scalar; at most log 100 counts.

    Returns:
        A scalar in nats.

    Raises:
        ValueError: shapes differ, or N < 2.

    Source:
        Radford et al. (2021), arXiv:2103.00020, figure 3 and section 2.5; `sim_engine.losses.clip`.
    """
    _check_pair(image, text, names="image and text", least=2)
    scale = log_scale.clamp(max=LARGEST_LOG_SCALE).exp()
    s = functional.normalize(image, dim=1) @ functional.normalize(text, dim=1).T * scale
    pair = torch.arange(len(s), device=s.device)
    return (functional.cross_entropy(s, pair) + functional.cross_entropy(s.T, pair)) / 2


def _distance(p: Tensor, z: Tensor, stop_gradient: bool) -> Tensor:
    _check_pair(p, z, names="predictions and targets")
    target = functional.normalize(z.detach() if stop_gradient else z, dim=1)
    # The difference, not 2 - 2 cos, keeps its digits where the two nearly agree.
    return (functional.normalize(p, dim=1) - target).square().sum() / len(p)


def _own(square: Tensor) -> Tensor:
    return torch.eye(len(square), dtype=torch.bool, device=square.device)


def _check_tau(tau: float) -> float:
    if not tau > 0 or not math.isfinite(tau):
        raise ValueError(f"tau must be a finite number > 0, got {tau}")
    return tau


def _check_pair(a: Tensor, b: Tensor, *, names: str = "z_a and z_b", least: int = 1) -> None:
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(
            f"{names} must have one shape (N, d), row i of both belonging together, got "
            f"{tuple(a.shape)} and {tuple(b.shape)}"
        )
    if len(a) < least:
        raise ValueError(
            f"{names} must have at least {least} rows, got {len(a)}: there is nothing to compare"
        )
