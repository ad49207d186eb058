"""The outlines of the factor images: signed distances, negative inside, exact near the edge.

Every shape fits the unit circle and has no rotational symmetry: a turn by less than a full one never
gives the same picture, so that the angle can be read off the image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["SHAPES", "signed_distance"]

Distance = Callable[[Tensor, Tensor], Tensor]
Point = tuple[float, float]


def signed_distance(shape: str, x: Tensor, y: Tensor) -> Tensor:
    """Return the distance of points to a shape's edge, negative inside.

    Args:
        shape: a key of `SHAPES`.
        x, y: points in the shape's own units, y up; any one shape of array.
    """
    return SHAPES[shape](x, y)


def _length(x: Tensor, y: Tensor) -> Tensor:
    return torch.sqrt(x * x + y * y)


def _segment(x: Tensor, y: Tensor, start: Point, end: Point) -> Tensor:
    """Distance to a line between two points."""
    ex, ey = end[0] - start[0], end[1] - start[1]
    px, py = x - start[0], y - start[1]
    along = ((px * ex + py * ey) / (ex * ex + ey * ey)).clamp(0, 1)
    return _length(px - along * ex, py - along * ey)


def _polygon(points: Sequence[Point], rounding: float) -> Distance:
    """A polygon of any kind with round corners: as large as `points`, and `rounding` all about."""

    def distance(x: Tensor, y: Tensor) -> Tensor:
        nearest = torch.full_like(x, math.inf)
        inside = torch.zeros_like(x, dtype=torch.bool)
        for start, end in zip(points, [*points[1:], points[0]], strict=True):
            nearest = torch.minimum(nearest, _segment(x, y, start, end))
            if start[1] != end[1]:
                crosses = (y >= start[1]) != (y >= end[1])
                at = start[0] + (y - start[1]) * ((end[0] - start[0]) / (end[1] - start[1]))
                inside ^= crosses & (x < at)
        return torch.where(inside, -nearest, nearest) - rounding

    return distance


def _disc(x: Tensor, y: Tensor, at: Point, radius: float) -> Tensor:
    return _length(x - at[0], y - at[1]) - radius


def _box(x: Tensor, y: Tensor, at: Point, half: Point, rounding: float) -> Tensor:
    dx = (x - at[0]).abs() - half[0] + rounding
    dy = (y - at[1]).abs() - half[1] + rounding
    outside = _length(dx.clamp(min=0), dy.clamp(min=0))
    return outside + torch.maximum(dx, dy).clamp(max=0) - rounding


def _blend(one: Tensor, other: Tensor, reach: float) -> Tensor:
    """Union with a soft seam: as the smaller, but rounder where both are nearly equal."""
    near = (reach - (one - other).abs()).clamp(min=0) / reach
    return torch.minimum(one, other) - near * near * (reach / 4)


def _heart(x: Tensor, y: Tensor) -> Tensor:
    size = 1.5
    x, y = x.abs() / size, y / size + 0.55
    lobe = _length(x - 0.25, y - 0.75) - math.sqrt(2) / 4
    low = (x + y).clamp(min=0) / 2
    flank = torch.minimum(_length(x, y - 1), _length(x - low, y - low)) * torch.where(x < y, -1.0, 1.0)
    return torch.where(x + y > 1, lobe, flank) * size


def _moon(x: Tensor, y: Tensor) -> Tensor:
    outer, inner, apart = 0.84, 0.66, 0.41
    x, y = x + 0.14, y.abs()
    a = (outer**2 - inner**2 + apart**2) / (2 * apart)
    b = math.sqrt(outer**2 - a**2)
    at_horn = apart * (x * b - y * a) > apart**2 * (b - y).clamp(min=0)
    body = torch.maximum(_disc(x, y, (0, 0), outer), -_disc(x, y, (apart, 0), inner))
    return torch.where(at_horn, _length(x - a, y - b), body) - 0.03


def _drop(x: Tensor, y: Tensor) -> Tensor:
    large, small, apart = 0.56, 0.05, 1.28
    x, y = x.abs(), y + 0.40
    lean = (large - small) / apart
    rise = math.sqrt(1 - lean**2)
    along = y * rise - x * lean
    side = x * rise + y * lean - large
    tip = _length(x, y - apart) - small
    return torch.where(along < 0, _length(x, y) - large, torch.where(along > rise * apart, tip, side))


def _pie(x: Tensor, y: Tensor) -> Tensor:
    """Three quarters of a disc, open to the right."""
    radius, half = 0.88, math.radians(137)
    x, y = -x, y.abs()
    # The sector about the axis -x that spans `half` to both sides.
    c, s = math.cos(half), math.sin(half)
    along = (x * c + y * s).clamp(0, radius)
    edge = _length(x - along * c, y - along * s)
    beyond = y * c - x * s > 0
    return torch.maximum(_length(x, y) - radius, torch.where(beyond, edge, -edge)) - 0.03


def _fish(x: Tensor, y: Tensor) -> Tensor:
    # The body: where two discs overlap; the tail: a wedge.
    apart, radius = 0.42, 0.86
    half = math.sqrt(radius**2 - apart**2)
    bx, by = (x - 0.22).abs(), y.abs()
    at_tip = (bx - half) * apart > by * half
    body = torch.where(at_tip, _length(bx - half, by), _length(bx, by + apart) - radius)
    tail = _polygon([(-0.42, 0.0), (-0.86, 0.42), (-0.76, 0.0), (-0.86, -0.42)], 0.05)(x, y)
    return _blend(body, tail, 0.10)


def _mushroom(x: Tensor, y: Tensor) -> Tensor:
    # The cap: the upper part of a disc.
    radius, cut = 0.84, 0.02
    half = math.sqrt(radius**2 - cut**2)
    cx, cy = x.abs(), y
    above = torch.maximum(_length(cx, cy) - radius, cut - cy)
    rim = _length(cx - half, cy - cut)
    cap = torch.where((cy < cut) & (cx > half), rim, above) - 0.05
    stem = _box(x, y, (0, -0.40), (0.27, 0.48), 0.20)
    return _blend(cap, stem, 0.10)


def _cloud(x: Tensor, y: Tensor) -> Tensor:
    base = _box(x, y, (0, -0.28), (0.92, 0.26), 0.26)
    puffs = torch.minimum(_disc(x, y, (-0.32, 0.05), 0.38), _disc(x, y, (0.26, 0.14), 0.48))
    return _blend(base, puffs, 0.08)


_arrow = _polygon(
    [(0.86, 0), (0.10, 0.66), (0.10, 0.26), (-0.78, 0.26), (-0.78, -0.26), (0.10, -0.26), (0.10, -0.66)], 0.06
)
_tree = _polygon(
    # Down the right side from the top, and up the left.
    [
        *[(0, 0.88), (0.44, 0.18), (0.26, 0.18), (0.66, -0.46), (0.16, -0.46), (0.16, -0.80)],
        *[(-0.16, -0.80), (-0.16, -0.46), (-0.66, -0.46), (-0.26, 0.18), (-0.44, 0.18)],
    ],
    0.07,
)
_boomerang = _polygon(
    [(0, 0.62), (0.84, -0.28), (0.62, -0.62), (0, 0.02), (-0.62, -0.62), (-0.84, -0.28)], 0.07
)

SHAPES: dict[str, Distance] = {
    "heart": _heart,
    "moon": _moon,
    "drop": _drop,
    "arrow": _arrow,
    "tree": _tree,
    "boomerang": _boomerang,
    "pie": _pie,
    "fish": _fish,
    "mushroom": _mushroom,
    "cloud": _cloud,
}
