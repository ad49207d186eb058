"""The encoder (image to h) and the projection head (h to z)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SimCLR"]


class SimCLR(nn.Module):
    """Three convolutions to h, two layers to z. Batch statistics in every layer but the last.

    Args:
        dimension: length of z; 2 lies on a circle, 3 on a sphere.
        width: channels of the first convolution; the other two have twice as many.
        features: length of h.
        hidden: width of the head.
        seed: of the first weights; the global generator is left as it was.
    """

    def __init__(self, dimension: int, *, width: int, features: int, hidden: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = nn.Sequential(
                *_convolution(1, width, stride=1),  # (n, width, 8, 8)
                *_convolution(width, 2 * width, stride=2),  # (n, 2 width, 4, 4)
                *_convolution(2 * width, 2 * width, stride=1),
                nn.Flatten(),
                nn.Linear(2 * width * 16, features),
                nn.BatchNorm1d(features),
                nn.ReLU(),
            )
            self.head = nn.Sequential(
                nn.Linear(features, hidden),
                nn.BatchNorm1d(hidden),
                nn.ReLU(),
                nn.Linear(hidden, dimension),
            )

    def forward(self, images: Tensor) -> Tensor:
        """Return unit z, (n, dimension), of images (n, 1, 8, 8)."""
        return self.project(self.encoder(images))

    def project(self, h: Tensor) -> Tensor:
        """Return unit z, (n, dimension), of h (n, features)."""
        return functional.normalize(self.head(h), dim=1)


def _convolution(channels: int, out: int, *, stride: int) -> list[nn.Module]:
    # Batch statistics remove the bias anyway.
    return [nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
