"""Supervised: cross-entropy of the class, the yardstick of what labels give."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from build_scripts.precompute.methods.base import Method

__all__ = ["Supervised"]


class Supervised(Method):
    """A linear classifier on the head's output; both views are classified.

    With the head "none" the classifier sits on h, as is usual; with another, the network has the
    depth of the methods that it is compared with. Where several processes share a batch, the logits
    are gathered, so that the loss is that of the whole batch.

    Args:
        encoder, head: as `Method`.
        d: length of z.
        classes: how many classes there are, >= 2.
    """

    needs_labels = True

    def __init__(self, encoder: nn.Module, head: nn.Module, *, d: int, classes: int) -> None:
        super().__init__(encoder, head)
        if classes < 2:
            raise ValueError(f"classes must be a whole number >= 2, got {classes!r}")
        self.classifier = nn.Linear(d, classes)

    @torch.no_grad()
    def classify(self, images: Tensor) -> Tensor:
        """Return the logits (n, classes) of images (n, C, H, W), in evaluation mode."""
        training = self.training
        self.eval()
        try:
            logits: Tensor = self.classifier(self.head(self.encoder(images)))
            return logits
        finally:
            self.train(training)

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the cross-entropy in nats, mean over both views."""
        if labels is None:
            raise ValueError("supervised needs labels, one an image")
        logits = torch.cat([self.gather(self.classifier(z)) for z in self.project(view_a, view_b)])
        whole = self.gather(labels)
        # In float32 at least, as the other losses.
        return functional.cross_entropy(
            logits.to(torch.promote_types(logits.dtype, torch.float32)), torch.cat([whole, whole])
        )
