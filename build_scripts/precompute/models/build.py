"""An encoder by name."""

from __future__ import annotations

from build_scripts.precompute.models.encoder import Encoder
from build_scripts.precompute.models.resnet import BasicBlock, Bottleneck, ResNet
from build_scripts.precompute.models.small import MLP, ConvNet

__all__ = ["NAMES", "build"]

NAMES = ("mlp", "conv", "resnet18", "resnet50")
# The encoder's own width, and the least side of an image in pixels: its last map has a pixel at least.
_WIDTH = {"mlp": 256, "conv": 32, "resnet18": 64, "resnet50": 64}
_LEAST = {"mlp": 1, "conv": 4, "resnet18": 8, "resnet50": 8}


def build(
    name: str, *, channels: int, size: int, width: int | None = None, zero_init: bool = True
) -> Encoder:
    """Return an encoder whose first weights come from torch's global generator; seed it before.

    Batch norm takes the statistics of its own process; who trains with several converts it.

    Args:
        name: "mlp", "conv", "resnet18" or "resnet50".
        channels: of the images, 1 or 3.
        size: side of the images in pixels, at least 4 for "conv" (and a multiple of 4) and 8 for the
            ResNets.
        width: of the first layer; None takes 256 for "mlp", 32 for "conv" and 64 for the ResNets.
        zero_init: as `ResNet`; the others have no residual blocks.

    Returns:
        (n, channels, size, size) to (n, features); `features` is width, 4 width, 8 width and 32 width.

    Raises:
        ValueError: an unknown name, or a number out of range.

    Examples:
        >>> build("conv", channels=1, size=8).features
        128
    """
    if name not in NAMES:
        raise ValueError(f"there is no encoder {name!r}; there are: {', '.join(NAMES)}")
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels!r}")
    if type(size) is not int or size < _LEAST[name]:
        raise ValueError(f"size must be a whole number >= {_LEAST[name]} pixels for {name}, got {size!r}")
    if name == "conv" and size % 4:
        raise ValueError(f"size must be a multiple of 4 for conv, which halves the image twice, got {size}")
    width = _WIDTH[name] if width is None else width
    if type(width) is not int or width < 1:
        raise ValueError(f"width must be a whole number >= 1, or None for the usual one, got {width!r}")
    if name == "mlp":
        return MLP(channels, size, width)
    if name == "conv":
        return ConvNet(channels, width)
    if name == "resnet18":
        return ResNet(
            BasicBlock, (2, 2, 2, 2), channels=channels, size=size, width=width, zero_init=zero_init
        )
    return ResNet(Bottleneck, (3, 4, 6, 3), channels=channels, size=size, width=width, zero_init=zero_init)
