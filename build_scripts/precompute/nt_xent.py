"""NT-Xent in torch, for training; `sim_engine.losses.nt_xent` is the same formula in NumPy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["nt_xent"]


def nt_xent(z_a: Tensor, z_b: Tensor, tau: float) -> Tensor:
    r"""Mean over all 2N views of $-\log\frac{\exp(s_{i,p(i)}/\tau)}{\sum_{k\ne i}\exp(s_{ik}/\tau)}$.

    The positive stays in the denominator; a view is never compared with itself.

    Args:
        z_a, z_b: the views, (N, d), N >= 2, any length of row; row i of both comes from image i.
        tau: temperature, > 0.

    Returns:
        A scalar in nats.

    Source:
        Chen, Kornblith, Norouzi, Hinton (2020), arXiv:2002.05709, eq. 1.
    """
    n = len(z_a)
    z = functional.normalize(torch.cat([z_a, z_b]), dim=1)  # (2N, d)
    logits = z @ z.T / tau
    logits = logits.masked_fill(torch.eye(2 * n, dtype=torch.bool, device=z.device), -torch.inf)
    positive = torch.arange(2 * n, device=z.device).roll(n)
    return functional.cross_entropy(logits, positive)
