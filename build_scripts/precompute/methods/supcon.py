"""SupCon: all views of a class are positives (Khosla et al. 2020). It is trained with labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method

__all__ = ["SupCon"]


class SupCon(Method):
    """Each view is to find the views of its class.

    Args:
        encoder, head: as `Method`.
        tau: temperature, > 0.

    Source:
        Khosla et al. (2020), arXiv:2004.11362, eq. 2.
    """

    needs_labels = True

    def __init__(self, encoder: nn.Module, head: nn.Module, *, tau: float = 0.1) -> None:
        super().__init__(encoder, head)
        self.tau = tau

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return SupCon in nats."""
        if labels is None:
            raise ValueError("supcon needs labels, one an image; without any, use simclr")
        z_a, z_b = self.project(view_a, view_b)
        whole = self.gather(labels)
        return losses.sup_con(
            torch.cat([self.gather(z_a), self.gather(z_b)]), torch.cat([whole, whole]), self.tau
        )
