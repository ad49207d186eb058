"""CLIP: two encoders, one for each kind of input, and a table of pairs (Radford et al. 2021)."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method

__all__ = ["CLIP"]


class CLIP(Method):
    """The first view goes through one encoder, the second through another; both have the same d.

    Args:
        encoder, head: of the first view, as `Method`.
        second: encoder of the second view, such as of another modality; None takes a copy of the
            first, which starts with its weights and learns its own.
        second_head: head of `second`.
        tau: temperature at first, > 0; its inverse is learned, and at most 100.

    Source:
        Radford et al. (2021), arXiv:2103.00020, figure 3 and section 2.5.
    """

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module,
        *,
        second: nn.Module | None = None,
        second_head: nn.Module | None = None,
        tau: float = 0.07,
    ) -> None:
        super().__init__(encoder, head)
        if (second is None) != (second_head is None):
            raise ValueError("second and second_head must be given together, got one alone")
        self.second = copy.deepcopy(encoder) if second is None else second
        self.second_head = copy.deepcopy(head) if second_head is None else second_head
        if not tau >= 0.01:
            raise ValueError(f"tau must be >= 0.01, since the scale 1 / tau is at most 100, got {tau!r}")
        self.log_scale = nn.Parameter(torch.tensor(-math.log(tau)))

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the mean of both cross-entropies, in nats."""
        x = self.head(self.encoder(view_a))
        y = self.second_head(self.second(view_b))
        return losses.clip(self.gather(x), self.gather(y), self.log_scale)

    @torch.no_grad()
    def after_step(self, step: int, steps: int) -> None:
        """Keep the scale at 100 at most: beyond it, its gradient is 0 and it would never come back."""
        self.log_scale.clamp_(max=losses.LARGEST_LOG_SCALE)

    @torch.no_grad()
    def embed_second(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return h and unit z of inputs of the second kind, as `embed` does of the first."""
        training = self.training
        self.eval()
        try:
            weight = next(self.second.parameters(), images)
            h = self.second(images.to(weight.dtype))
            return h, functional.normalize(self.second_head(h), dim=1)
        finally:
            self.train(training)
