"""Draw the parameters of views for a whole batch, on the CPU, from sim_engine.augment's distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from build_scripts.precompute.device_views.config import ViewConfig
from build_scripts.precompute.device_views.drawn import Drawn, Share
from sim_engine.augment import kernel_size
from sim_engine.augment.crop import ATTEMPTS
from sim_engine.augment.noise import SEEDS

__all__ = ["draw"]

Size = tuple[int, int]
Parameters = tuple[dict[str, Tensor], dict[str, Any]]


def draw(config: ViewConfig, count: int, size: Size, rng: torch.Generator) -> Drawn:
    """Return the parameters of one view of each of `count` images of sides `size`, in pixels."""
    if rng.device.type != "cpu":
        raise ValueError(
            f"generator must be on the CPU, so that every device sees the same numbers, got {rng.device}"
        )
    if count < 1 or min(size) < 1:
        raise ValueError(f"count and size must be >= 1, got {count} images of {size[0]} x {size[1]}")
    shares, sides = [], (int(size[0]), int(size[1]))
    for name in config.names:
        rows = _chosen(_probability(config, name), count, rng)
        values, settings = _DRAWS[name](config, len(rows), sides, rng)
        field = _field(values["seed"], sides) if name == "noise" else None
        shares.append(Share(name, rows, values, settings, field))
        sides = settings.get("size", sides)
    return Drawn(count, (int(size[0]), int(size[1])), tuple(shares))


def _probability(config: ViewConfig, name: str) -> float:
    own = {"crop": 1.0, "flip": config.flip.p, "grey": config.grey.p}
    return own[name] if name in own else float(getattr(config, f"{name}_p"))


def _chosen(p: float, count: int, rng: torch.Generator) -> Tensor:
    """Return the rows that chance chose, each with probability p."""
    return (torch.rand(count, generator=rng, dtype=torch.float64) < p).nonzero()[:, 0]


def _uniform(low: float, high: float, shape: int | Size, rng: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=rng, dtype=torch.float64)


def _below(limit: Tensor | int, count: int, rng: torch.Generator) -> Tensor:
    """Return whole numbers, each from 0 to limit - 1, equally likely."""
    return (torch.rand(count, generator=rng, dtype=torch.float64) * limit).long()


def _crop(config: ViewConfig, k: int, sides: Size, rng: torch.Generator) -> Parameters:
    crop, (full_height, full_width) = config.crop, sides
    f = _uniform(*crop.area, (k, ATTEMPTS), rng)
    q = _uniform(math.log(crop.ratio[0]), math.log(crop.ratio[1]), (k, ATTEMPTS), rng).exp()
    heights, widths = (full_height * (f / q).sqrt()).round(), (full_width * (f * q).sqrt()).round()
    fits = (heights >= 1) & (heights <= full_height) & (widths >= 1) & (widths <= full_width)
    first = fits.long().argmax(dim=1, keepdim=True)  # the first box that fits, (k, 1)
    none = ~fits.any(dim=1)
    height = heights.gather(1, first)[:, 0].long().masked_fill(none, full_height)
    width = widths.gather(1, first)[:, 0].long().masked_fill(none, full_width)
    values = {
        "top": _below(full_height - height + 1, k, rng),
        "left": _below(full_width - width + 1, k, rng),
        "height": height,
        "width": width,
    }
    size = sides if crop.size is None else (int(crop.size[0]), int(crop.size[1]))
    return values, {"size": size, "antialias": crop.antialias}


def _color(config: ViewConfig, k: int, sides: Size, rng: torch.Generator) -> Parameters:
    most = 0.8 * config.strength
    values = {
        name: _uniform(max(0.0, 1 - most), 1 + most, k, rng)
        for name in ("brightness", "contrast", "saturation")
    }
    values["shift"] = _uniform(-0.2 * config.strength, 0.2 * config.strength, k, rng)
    values["order"] = torch.rand(k, 4, generator=rng, dtype=torch.float64).argsort(dim=1)
    return values, {}


def _blur(config: ViewConfig, k: int, sides: Size, rng: torch.Generator) -> Parameters:
    kernel = kernel_size(min(sides)) if config.blur.kernel is None else int(config.blur.kernel)
    if kernel // 2 >= min(sides):
        raise ValueError(
            f"the blur's kernel must be at most {2 * min(sides) - 1} for images of "
            f"{sides[0]} x {sides[1]}, got {kernel}"
        )
    return {"sigma": _uniform(*config.blur.sigma, k, rng)}, {"kernel": kernel}


def _noise(config: ViewConfig, k: int, sides: Size, rng: torch.Generator) -> Parameters:
    return {"sigma": _uniform(*config.noise.sigma, k, rng), "seed": _below(SEEDS, k, rng)}, {}


def _field(seeds: Tensor, sides: Size) -> Tensor:
    """Return the standard normal numbers that `sim_engine.augment.noise` makes from each seed."""
    field = np.empty((len(seeds), *sides, 3), np.float32)
    for one, seed in zip(field, seeds.tolist(), strict=True):
        one[:] = np.random.default_rng(seed).standard_normal(one.shape)
    return torch.from_numpy(field)


def _rotation(config: ViewConfig, k: int, sides: Size, rng: torch.Generator) -> Parameters:
    most, angles = config.rotation.most, config.rotation.angles
    if angles is None:
        degrees = _uniform(-most, most, k, rng)
    else:
        degrees = torch.tensor(angles, dtype=torch.float64)[_below(len(angles), k, rng)]
    return {"degrees": degrees}, {"fill": float(config.rotation.fill)}


def _cutout(config: ViewConfig, k: int, sides: Size, rng: torch.Generator) -> Parameters:
    height, width = (round(config.cutout.side * side) for side in sides)
    values = {
        "top": _below(sides[0], k, rng) - height // 2,
        "left": _below(sides[1], k, rng) - width // 2,
    }
    return values, {"height": height, "width": width, "fill": float(config.cutout.fill)}


def _nothing(config: ViewConfig, k: int, sides: Size, rng: torch.Generator) -> Parameters:
    return {}, {}


_DRAWS: dict[str, Callable[[ViewConfig, int, Size, torch.Generator], Parameters]] = {
    "crop": _crop,
    "flip": _nothing,
    "color": _color,
    "grey": _nothing,
    "blur": _blur,
    "noise": _noise,
    "rotation": _rotation,
    "cutout": _cutout,
    "sobel": _nothing,
}
