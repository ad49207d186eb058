"""Colours by lightness, chroma and hue, and how well two of them can be told apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["contrast", "luminance", "oklch", "to_linear", "to_srgb"]


def oklch(lightness: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """Return linear sRGB of colours in OKLCh, in which equal steps look equal.

    Args:
        lightness: 0 black to 1 white, any shape.
        chroma: 0 grey to about 0.3, same shape.
        hue: degrees, same shape.

    Returns:
        Same shape with a last axis of 3, cut to 0 to 1 where the screen has no such colour.

    Source:
        Ottosson, B. (2020), "A perceptual color space for image processing", matrices of section
        "The Oklab color space".
    """
    turn = hue * (math.pi / 180)
    a, b = chroma * torch.cos(turn), chroma * torch.sin(turn)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return torch.stack([red, green, blue], dim=-1).clamp(0, 1)


def to_srgb(linear: Tensor) -> Tensor:
    """Return the screen's values, 0 to 1, of linear light, 0 to 1 (IEC 61966-2-1)."""
    return torch.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    )


def to_linear(screen: Tensor) -> Tensor:
    """Return linear light, 0 to 1, of the screen's values, 0 to 1 (IEC 61966-2-1)."""
    return torch.where(screen <= 0.04045, screen / 12.92, ((screen + 0.055) / 1.055) ** 2.4)


def luminance(linear: Tensor) -> Tensor:
    """Return the relative luminance, 0 to 1, of linear sRGB (..., 3)."""
    return linear @ linear.new_tensor([0.2126, 0.7152, 0.0722])


def contrast(one: Tensor, other: Tensor) -> Tensor:
    """Return the contrast ratio of two linear colours (..., 3): 1 for the same, 21 for black on white.

    Source:
        Web Content Accessibility Guidelines 2.1, "contrast ratio".
    """
    a, b = luminance(one) + 0.05, luminance(other) + 0.05
    return torch.maximum(a, b) / torch.minimum(a, b)
