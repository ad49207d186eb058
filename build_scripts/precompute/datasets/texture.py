"""The patterns pressed into the shapes of the factor images."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["TEXTURES", "relief"]

TEXTURES = ("plain", "stripes", "dots", "checks", "waves")
# Repeats of a pattern over the shape's unit.
_PERIOD = 0.42


def relief(texture: Tensor, x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    """Return -1 (dark) to 1 (light) of each point's pattern, smooth over one pixel at its edges.

    Args:
        texture: index into `TEXTURES`, (n, 1, 1).
        x, y: points in the shape's own units, (n, H, W).
        pixel: a pixel's width in the same units, (n, 1, 1).
    """
    every = (
        torch.zeros_like(x),
        _edge(_bands(y), pixel),
        _dots(x, y, pixel),
        _edge(_bands(x), pixel) * _edge(_bands(y), pixel),
        _edge(_bands(y + 0.12 * torch.sin(x * (math.pi / _PERIOD))), pixel),
    )
    out = torch.zeros_like(x)
    for number, pattern in enumerate(every):
        out = torch.where(texture == number, pattern, out)
    return out


def _edge(distance: Tensor, pixel: Tensor) -> Tensor:
    """-1 and 1 on the two sides of an edge, with a ramp of a pixel between."""
    return (distance / pixel * 2).clamp(-1, 1)


def _bands(at: Tensor) -> Tensor:
    """Signed distance to the nearest edge of bands of equal width."""
    phase = at / _PERIOD - torch.floor(at / _PERIOD)
    return (0.25 - (phase - 0.5).abs()) * _PERIOD


def _dots(x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    """Discs on a square lattice that stands on its corner."""
    side = _PERIOD
    u, v = (x + y) / math.sqrt(2), (x - y) / math.sqrt(2)
    u, v = u - torch.round(u / side) * side, v - torch.round(v / side) * side
    return _edge(0.30 * side - torch.sqrt(u * u + v * v), pixel)
