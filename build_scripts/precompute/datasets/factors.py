"""Images with known causes: a shape of coloured clay on coloured paper, in the light of one lamp.

What every image was made from is known exactly, so that an evaluation can ask which causes a
representation has kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from build_scripts.precompute.datasets.base import Dataset, Split, digest, register, rendering_device
from build_scripts.precompute.datasets.colour import oklch, to_srgb
from build_scripts.precompute.datasets.shapes import SHAPES, signed_distance
from build_scripts.precompute.datasets.texture import TEXTURES, relief

__all__ = ["BACKGROUNDS", "CLASSES", "RANGES", "load", "render", "sample"]

CLASSES = tuple(SHAPES)
# Lightness and chroma of the paper.
BACKGROUNDS: dict[str, tuple[float, float]] = {"pale": (0.90, 0.055), "deep": (0.35, 0.070)}
# What a factor can be, both ends; each is drawn evenly, those of one number as whole numbers below it.
RANGES: dict[str, tuple[float, float] | int] = {
    "shape": len(SHAPES),
    "texture": len(TEXTURES),
    "background": len(BACKGROUNDS),
    "hue": (0.0, 360.0),
    "background_hue": (0.0, 360.0),
    "x": (-0.20, 0.20),
    "y": (-0.20, 0.20),
    "scale": (0.54, 0.78),
    "rotation": (0.0, 360.0),
    "light": (0.0, 360.0),
    "brightness": (0.70, 1.0),
}
SIZES = (32, 96)

# The shape's lightness and chroma; yellows, which are muddy when dark, are lighter by up to GLOW.
_CLAY, _GLOW, _YELLOW = (0.67, 0.155), 0.045, 100.0
# The shape's edge is round over this share of its size, and so steep at the very edge.
_BEVEL, _STEEP = 0.30, 1.15
# The lamp stands this high; shadows fall this far, and are this soft, in half images.
_ELEVATION = math.radians(48)
_THROW, _SOFT = 0.075, 0.13
# Pixels at once: as many as a CPU's cache holds, and enough to fill a GPU.
_CHUNK, _CHUNK_GPU = 2**15, 2**22


@register("factors")
def load(
    count: int = 2000, test_count: int = 500, size: int = 48, seed: int = 0, device: str | None = None
) -> Dataset:
    """Return rendered images: uint8 (n, size, size, 3). The label is the shape.

    Rendered in float64, so that machines that round differently agree.

    Args:
        count, test_count: images of the two parts, each at least one a shape.
        size: pixels a side, 32 to 96.
        seed: of the factors, >= 0; the parts have streams of their own, so that neither changes
            with the other's size.
        device: where to render, in batches; it must have float64. None: the device of the run that loads
            it (`datasets.rendered_on`), else the CPU.

    Raises:
        ValueError: an option is out of range.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0, got {seed}")
    place = rendering_device() if device is None else device
    parts = []
    for stream, (name, n) in enumerate((("count", count), ("test_count", test_count))):
        if n < len(CLASSES):
            raise ValueError(f"{name} must be at least {len(CLASSES)}, one image a shape, got {n}")
        factors = sample(n, [seed, stream])
        tensors = {key: torch.from_numpy(values) for key, values in factors.items()}
        images = render(tensors, size, place, dtype=torch.float64).cpu().numpy()
        parts.append(Split(images, factors["shape"], factors))
    return Dataset(
        name="factors",
        about=f"Rendered shapes, {size} x {size} pixels, with all that they were made from.",
        licence="CC BY 4.0",
        source="Rendered by this project",
        sha256=digest(parts[0].images, parts[1].images),
        classes=CLASSES,
        train=parts[0],
        test=parts[1],
        options={"count": count, "test_count": test_count, "size": size, "seed": seed},
    )


def sample(count: int, seed: int | list[int]) -> dict[str, NDArray[Any]]:
    """Draw factors, every one independent of every other, evenly over its range.

    Shapes alone are dealt and then shuffled, so that their numbers differ by one at most.

    Args:
        count: draws, >= 1.
        seed: decides all; several numbers are one seed.

    Returns:
        Name to (count,): int64 classes, float64 values. Hues, rotation and light are in degrees
        anticlockwise, position and scale in half images (y up), brightness is a share of the lamp's
        most; `light` is where the light comes from.

    Raises:
        ValueError: count is below 1.
    """
    if count < 1:
        raise ValueError(f"count must be >= 1, got {count}")
    rng = np.random.default_rng(seed)
    drawn: dict[str, NDArray[Any]] = {}
    for name, bounds in RANGES.items():
        if name == "shape":
            drawn[name] = rng.permutation(np.arange(count, dtype=np.int64) % len(SHAPES))
        elif isinstance(bounds, int):
            drawn[name] = rng.integers(0, bounds, count, dtype=np.int64)
        else:
            drawn[name] = rng.uniform(*bounds, count)
    return drawn


def render(
    factors: Mapping[str, Tensor],
    size: int,
    device: torch.device | str,
    *,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return the images of factors: uint8 (n, size, size, 3), on the device.

    Args:
        factors: every name of `RANGES`, each (n,), in its range.
        size: pixels a side, 32 to 96.
        device: where to compute.
        dtype: to compute in; float32 and float64 differ by one grey level at most.

    Raises:
        ValueError: a factor is missing, unknown, of another length or out of its range, or the size is.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size must be {SIZES[0]} to {SIZES[1]} pixels, got {size}")
    _check(factors)
    # Shapes in turn: each has its own distance.
    order = torch.argsort(factors["shape"].cpu(), stable=True)
    images = torch.empty((len(order), size, size, 3), dtype=torch.uint8, device=device)
    shapes = factors["shape"].cpu()[order]
    chunk = max(1, (_CHUNK if torch.device(device).type == "cpu" else _CHUNK_GPU) // size**2)
    for number, shape in enumerate(SHAPES):
        for rows in torch.split(order[shapes == number], chunk):
            part = {
                name: values.cpu()[rows].to(device, torch.int64 if name in _CLASSED else dtype)
                for name, values in factors.items()
            }
            images[rows.to(device)] = _render(shape, part, size)
    return images


_CLASSED = tuple(name for name, bounds in RANGES.items() if isinstance(bounds, int))


def _check(factors: Mapping[str, Tensor]) -> None:
    if set(factors) != set(RANGES):
        raise ValueError(f"factors must be {', '.join(RANGES)}; got {', '.join(factors)}")
    shape = factors["shape"].shape
    if len(shape) != 1 or shape[0] == 0:
        raise ValueError(f"factors must be (n,), n >= 1, got {tuple(shape)}")
    for name, bounds in RANGES.items():
        values = factors[name]
        if values.shape != shape:
            raise ValueError(f"factor {name} must be {tuple(shape)}, as shape is, got {tuple(values.shape)}")
        low, high = (0, bounds - 1) if isinstance(bounds, int) else bounds
        if not bool(((values >= low) & (values <= high)).all()):
            raise ValueError(
                f"factor {name} must be {low} to {high}, got {float(values.min()):g} to "
                f"{float(values.max()):g}"
            )
        if isinstance(bounds, int) and values.is_floating_point():
            raise ValueError(f"factor {name} must be whole numbers, got {values.dtype}")


def _render(shape: str, f: Mapping[str, Tensor], size: int) -> Tensor:
    """Return the images of one shape, uint8 (n, size, size, 3)."""
    f = {name: values[:, None, None] for name, values in f.items()}
    x, y = _grid(size, f["x"])
    lamp = f["light"] * (math.pi / 180)
    lamp_x, lamp_y = torch.cos(lamp), torch.sin(lamp)
    pixel = 2 / size

    turn = f["rotation"] * (math.pi / 180)
    cos, sin = torch.cos(turn), torch.sin(turn)

    def own(px: Tensor, py: Tensor) -> tuple[Tensor, Tensor]:
        """The points in the shape's own units."""
        px, py = px - f["x"], py - f["y"]
        return (px * cos + py * sin) / f["scale"], (py * cos - px * sin) / f["scale"]

    def distance(px: Tensor, py: Tensor) -> Tensor:
        """To the edge, in half images."""
        return signed_distance(shape, *own(px, py)) * f["scale"]

    away = distance(x, y)
    inside = (0.5 - away / pixel).clamp(0, 1)
    shade, gloss = _clay(away, distance, x, y, lamp_x, lamp_y, f["scale"])
    lines = relief(f["texture"], *own(x, y), pixel / f["scale"])
    base = _CLAY[0] + _GLOW * torch.cos((f["hue"] - _YELLOW) * (math.pi / 180))
    clay = oklch(*_spread(base + 0.08 * lines, _CLAY[1] - 0.01 * lines, f["hue"]))
    clay = clay * shade[..., None] + gloss[..., None]

    fallen = distance(x + lamp_x * _THROW, y + lamp_y * _THROW)
    shadow = _smooth((0.5 - fallen / (2 * _SOFT)).clamp(0, 1))
    paper = _paper(f, x * lamp_x + y * lamp_y) * (1 - 0.55 * shadow)[..., None]

    light = (paper + (clay - paper) * inside[..., None]) * f["brightness"][..., None]
    return (to_srgb(light.clamp(0, 1)) * 255).round().to(torch.uint8)


def _grid(size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """The centres of the pixels, each (1, size, size): -1 to 1, y up."""
    at = (torch.arange(size, dtype=like.dtype, device=like.device) + 0.5) * (2 / size) - 1
    return at.expand(size, size)[None], -at[:, None].expand(size, size)[None]


def _paper(f: Mapping[str, Tensor], towards: Tensor) -> Tensor:
    """Linear colour of the paper, lighter towards the lamp."""
    tones = torch.tensor(list(BACKGROUNDS.values()), dtype=towards.dtype, device=towards.device)
    tone = tones[f["background"]]
    return oklch(*_spread(tone[..., 0] + 0.045 * towards, tone[..., 1], f["background_hue"]))


def _clay(
    away: Tensor, distance: Any, x: Tensor, y: Tensor, lamp_x: Tensor, lamp_y: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor]:
    """How much of its colour a point of the shape shows, and the lamp's mirror image on it.

    The surface is flat in the middle and falls away towards the edge like a quarter of a circle.
    """
    step = 2e-3
    slope_x = (distance(x + step, y) - away) / step
    slope_y = (distance(x, y + step) - away) / step
    fall = _STEEP * (1 + away / (_BEVEL * scale)).clamp(0, 1) ** 2
    high = torch.rsqrt(1 + fall * fall * (slope_x**2 + slope_y**2))
    normal = (slope_x * fall * high, slope_y * fall * high, high)
    flat, tall = math.cos(_ELEVATION), math.sin(_ELEVATION)
    facing = (normal[0] * lamp_x + normal[1] * lamp_y) * flat + normal[2] * tall
    shade = 0.42 + 0.58 * (facing / tall).clamp(min=0)
    # Halfway between lamp and eye, which looks straight down.
    half = math.sqrt(2 + 2 * tall)
    mirror = ((normal[0] * lamp_x + normal[1] * lamp_y) * flat + normal[2] * (tall + 1)) / half
    return shade, 0.20 * mirror.clamp(min=0) ** 40


def _smooth(t: Tensor) -> Tensor:
    return t * t * (3 - 2 * t)


def _spread(lightness: Tensor, chroma: Tensor, hue: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the three in the shape of the largest, the first."""
    return lightness, chroma.expand_as(lightness), hue.expand_as(lightness)
