"""The views of a job: one strength for all of them, from nothing at 0 to as strong as they get at 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from build_scripts.precompute.device_views import DeviceViews, ViewConfig
from build_scripts.precompute.device_views.colours import turn_hue
from build_scripts.precompute.views import random_views
from sim_engine.augment import (
    RandomCutout,
    RandomGaussianBlur,
    RandomGrey,
    RandomNoise,
    RandomResizedCrop,
    RandomRotation,
)

__all__ = ["Views", "views_of"]

# At strength 1. The crop keeps at least 1 - CROP of the area, so 8% as in SimCLR.
CROP, NOISE, TURN = 0.92, 0.2, 30.0
_OPTIONS = {"area", "noise", "turn", "cutout", "grey", "geometry", "color", "color_p", "hue", "kernel"}


class Views(Protocol):
    """Makes one random view of every image, all chance from the generator."""

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return views of images (n, C, H, W), float32, 0 to 1."""


class _HueTurned:
    """Views whose hue is turned once more, by U(-most, most) turns for each image."""

    def __init__(self, views: Views, most: float) -> None:
        if not 0 <= most <= 0.5:
            raise ValueError(f"hue must lie in [0, 0.5] turns, half the circle either way, got {most!r}")
        self._views, self._most = views, most

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        made = self._views(images, generator)
        turns = (torch.rand(len(images), generator=generator, dtype=torch.float64) * 2 - 1) * self._most
        return turn_hue(made, turns.to(made.device, made.dtype)).clamp(0, 1)


class _Digits:
    """The views of the digits' recipes: shifted, turned, scaled, sheared, dimmed, noisy."""

    def __init__(self, strength: float) -> None:
        self._strength = strength

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        return random_views(images, self._strength, generator)


def views_of(names: tuple[str, ...], strength: float, options: Mapping[str, Any]) -> Views:
    """Return the views of a name list at a strength s in [0, 1].

    Every range shrinks to nothing as s goes to 0: the colour distortion has SimCLR's s, a crop keeps an
    area of at least 1 - 0.92 s, noise has a deviation up to 0.2 s (white is 1), a turn up to 30 s degrees.
    Flips, grey (with a probability of 0.2), blur, cutout and Sobel do not follow s.

    Args:
        names: ("digit",) for `views.random_views`, else names of `ViewConfig`, in their order.
        strength: s.
        options: what does not follow s: "area" the least share of a crop, "noise" the deviation, "turn"
            the degrees, "cutout" the side of the square in shares of the image, "grey" the probability,
            "geometry" the s of crop and turn alone, "color" the s of the colour distortion alone, up to
            2.5, "color_p" its probability (0.8), "hue" a further turn of the hue, up to 0.5 turns either
            way, of every image where "color" is among the names; "kernel" the blur's, in pixels.

    Raises:
        ValueError: an unknown name or option, or a number out of range.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must lie in [0, 1], got {strength!r}")
    unknown = set(options) - _OPTIONS
    if unknown:
        known = ", ".join(sorted(_OPTIONS))
        raise ValueError(f"no view option {', '.join(sorted(unknown))}; there are: {known}")
    if "digit" in names:
        if names != ("digit",) or options:
            raise ValueError(f"the view 'digit' stands alone and takes no options, got {names} {options}")
        return _Digits(strength)
    geometry = options.get("geometry", strength)
    noise = options.get("noise", NOISE * strength)
    views = DeviceViews(
        ViewConfig(
            names=names,
            strength=options.get("color", strength),
            crop=RandomResizedCrop(area=(options.get("area", 1 - CROP * geometry), 1.0)),
            grey=RandomGrey(p=options.get("grey", 0.2)),
            blur=RandomGaussianBlur(kernel=options.get("kernel")),
            noise=RandomNoise(sigma=(0.0, noise)),
            rotation=RandomRotation(most=options.get("turn", TURN * geometry)),
            cutout=RandomCutout(side=options.get("cutout", 0.5)),
            color_p=options.get("color_p", 0.8),
        )
    )
    # Small images in strong tints: SimCLR's hue, 0.2 s turns, leaves a red one reddish.
    return _HueTurned(views, options["hue"]) if options.get("hue") and "color" in names else views
