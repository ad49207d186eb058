"""The slow copy of an encoder and its head that MoCo and BYOL compare with."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

__all__ = ["SlowCopy", "check_share", "rising"]


class SlowCopy(nn.Module):
    r"""A copy whose weights follow by $\xi \leftarrow m\,\xi + (1 - m)\,\theta$ and get no gradient.

    Batch statistics are its own: it sees batches in the mode of the network around it.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder)
        self.head = copy.deepcopy(head)
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, views: Tensor) -> Tensor:
        """Return z (n, d) of views (n, C, H, W), without gradient."""
        z: Tensor = self.head(self.encoder(views))
        return z

    @torch.no_grad()
    def follow(self, encoder: nn.Module, head: nn.Module, momentum: float) -> None:
        """Move towards the weights of `encoder` and `head`; momentum 1 stays, 0 copies them."""
        for slow, fast in ((self.encoder, encoder), (self.head, head)):
            for xi, theta in zip(slow.parameters(), fast.parameters(), strict=True):
                xi.copy_(momentum * xi + (1 - momentum) * theta)


def rising(base: float, step: int, steps: int) -> float:
    r"""Return $m_t = 1 - (1 - m_0)\,(\cos(\pi t/T) + 1)/2$; from 0 it does not rise.

    Source:
        Grill et al. (2020), arXiv:2006.07733, section 3.2.
    """
    return 1 - (1 - base) * (math.cos(math.pi * step / steps) + 1) / 2 if base else 0.0


def check_share(name: str, value: float) -> float:
    """Return a share from 0 to 1, or raise `ValueError`."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie from 0 to 1, got {value!r}")
    return value
