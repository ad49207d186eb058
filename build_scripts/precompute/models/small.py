"""The two small encoders, which are those of sim_engine.encoders: a perceptron and three convolutions."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn

from build_scripts.precompute.models.encoder import Encoder, he_normal

__all__ = ["MLP", "ConvNet"]


class MLP(Encoder):
    """Two linear maps, a ReLU after each: `sim_engine.encoders.mlp([C H W, width, width], last_relu=True)`.

    No batch norm, so that many can be trained at once under `torch.func`. The pixels' order is the
    tensor's, (C, H, W).

    Args:
        channels, size: of the images, C and H = W in pixels.
        width: length of both layers, and so of h.
    """

    def __init__(self, channels: int, size: int, width: int) -> None:
        super().__init__(channels, width)
        self.size = size
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for i, (n_in, n_out) in enumerate(pairwise([channels * size * size, width, width])):
            layers[f"linear{i}"] = nn.Linear(n_in, n_out)
            layers[f"relu{i}"] = nn.ReLU()
        self.layers = nn.Sequential(layers)
        he_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return h (n, width)."""
        self.check(images)
        if images.shape[2:] != (self.size, self.size):
            raise ValueError(
                f"images must have sides of {self.size} pixels, which the encoder was built for, "
                f"got {images.shape[2]} x {images.shape[3]}"
            )
        h: Tensor = self.layers(images.flatten(1))
        return h


class ConvNet(Encoder):
    """Three 3 × 3 convolutions, halved between them: `sim_engine.encoders.conv_net([C, w, 2w, 4w])`.

    Each with batch norm and a ReLU; at the end the mean over pixels.

    Args:
        channels: of the images.
        width: channels of the first convolution; the others have 2 and 4 times as many.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, 4 * width)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for i, (n_in, n_out) in enumerate(pairwise([channels, width, 2 * width, 4 * width])):
            if i:
                layers[f"pool{i - 1}"] = nn.MaxPool2d(2)
            layers[f"conv{i}"] = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
            layers[f"norm{i}"] = nn.BatchNorm2d(n_out)
            layers[f"relu{i}"] = nn.ReLU()
        self.layers = nn.Sequential(layers)
        he_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return h (n, 4 width)."""
        self.check(images)
        h: Tensor = self.layers(images).mean(dim=(2, 3))
        return h
