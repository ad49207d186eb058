"""Colour on the device: each image its own factors, its own shift of hue and its own order."""

from __future__ import annotations

import torch
from kornia.color import rgb_to_grayscale
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_saturation_with_gray_subtraction,
)
from torch import Tensor

from build_scripts.precompute.device_views.drawn import Share
from sim_engine.augment.jitter import ORDER

__all__ = ["color", "grey", "turn_hue"]


def color(images: Tensor, share: Share) -> Tensor:
    """Brightness, contrast, saturation and hue in each image's own order, clipped after each.

    Images at the same operation in the same place go through it together: 4 places of 4 operations.
    """
    x = images
    parameters = {name: share.values["shift" if name == "hue" else name].to(x.dtype) for name in ORDER}
    order = share.values["order"]
    for place in range(len(ORDER)):
        after = torch.empty_like(x)
        for i, name in enumerate(ORDER):
            at = (order[:, place] == i).nonzero()[:, 0]
            if len(at):
                rows = at.to(x.device)
                changed = _ADJUST[name](x.index_select(0, rows), parameters[name][at].to(x.device))
                after.index_copy_(0, rows, changed)
        x = after
    return x


def grey(images: Tensor, share: Share) -> Tensor:
    """All three channels become the luma."""
    luma: Tensor = rgb_to_grayscale(images)
    return luma.expand_as(images)


def turn_hue(images: Tensor, shift: Tensor) -> Tensor:
    """H of HSV plus shift turns, S and V as they are, by the formula of `sim_engine.augment.hue`.

    kornia's adjust_hue goes to HSV and back, which takes about three times as long.

    Args:
        images: (n, 3, H, W).
        shift: (n,), turns.
    """
    red, green, blue = images.unbind(1)  # each (n, H, W)
    largest, smallest = images.amax(1), images.amin(1)
    spread = largest - smallest
    side = torch.where(
        red == largest,
        green - blue,
        torch.where(green == largest, blue - red + 2 * spread, red - green + 4 * spread),
    )
    sextant = side / torch.where(spread > 0, spread, 1) + 6 * (shift % 1)[:, None, None]
    # Channel n is v - c max(0, min(k, 4 - k, 1)) at k = (n + H) mod 6, n = 5, 3, 1 for R, G, B.
    k = torch.stack([sextant + n for n in (5, 3, 1)], dim=1) % 6
    below = torch.minimum(k, 4 - k).clamp_(0, 1)
    return largest[:, None] - spread[:, None] * below


_ADJUST = {
    "brightness": adjust_brightness_accumulative,
    "contrast": adjust_contrast_with_mean_subtraction,
    "saturation": adjust_saturation_with_gray_subtraction,
    "hue": turn_hue,
}
