"""What every encoder is, and the first weights of all but the ResNets."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Encoder", "he_normal"]


class Encoder(nn.Module):
    """Images (n, C, H, W) to h (n, features), h >= 0.

    Attributes:
        channels: C of the images.
        features: length of h.
    """

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.channels = channels
        self.features = features

    def check(self, images: Tensor) -> None:
        """Raise `ValueError` where the images are not (n, channels, H, W)."""
        if images.ndim != 4 or images.shape[1] != self.channels:
            raise ValueError(f"images must be (n, {self.channels}, H, W), got {tuple(images.shape)}")


def he_normal(module: nn.Module) -> None:
    """Draw the weights of all linear maps and convolutions from N(0, 2 / n_in), as sim_engine.encoders does.

    n_in is how many numbers each output sums. Biases stay as torch draws them, from ±1 / √n_in: with a
    bias of 0, an input that turns off every ReLU before would come out as a zero row, which has no
    direction.

    Source:
        He et al. (2015), arXiv:1502.01852, equation 10.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
