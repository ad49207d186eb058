"""The views of `precompute.views.random_views`, for many models at once, each at its own strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from kornia.geometry.transform import get_affine_matrix2d, warp_affine
from torch import Tensor

from build_scripts.precompute.views import RANGE, random_views

__all__ = ["Affine", "many_views"]


@dataclass(frozen=True)
class Affine:
    """Shift, turn, scale, shear, contrast and noise at one strength, as `training.fit` takes views.

    Attributes:
        strength: s in [0, 1]; 0 leaves images as they are.
    """

    strength: float

    def __call__(self, images: Tensor, generator: torch.Generator, /) -> Tensor:
        """Return one view of each image."""
        return random_views(images, self.strength, generator)


def many_views(images: Tensor, strengths: Sequence[float], generators: Sequence[torch.Generator]) -> Tensor:
    """Return `random_views(images[m], strengths[m], generators[m])` for every model m, warped together.

    Args:
        images: float (M, n, C, H, W), 0 to 1, on any device.
        strengths: M numbers in [0, 1].
        generators: M generators of the CPU; each is drawn from as `random_views` does.

    Returns:
        Float (M, n, C, H, W).
    """
    models, n, channels, height, width = images.shape
    device = images.device
    drawn = [_draw(n, images.shape[2:], s, rng) for s, rng in zip(strengths, generators, strict=True)]
    shift, scale, turn, shear, contrast, noise = (torch.cat(parts) for parts in zip(*drawn, strict=True))
    center = torch.tensor([(width - 1) / 2, (height - 1) / 2]).expand(models * n, 2)
    matrix = get_affine_matrix2d(shift, center, scale, turn, sx=shear)[:, :2].to(device)
    warped: Tensor = warp_affine(images.flatten(0, 1), matrix, (height, width), align_corners=True)
    changed = warped * contrast.to(device) + noise.to(device)
    return changed.view(models, n, channels, height, width)


def _draw(n: int, shape: torch.Size, strength: float, rng: torch.Generator) -> tuple[Tensor, ...]:
    """Draw what one model's views need, in the order of `random_views`."""

    def even(*size: int) -> Tensor:
        return (torch.rand(*size, generator=rng) * 2 - 1) * strength

    shift = even(n, 2) * RANGE["shift"]
    scale = torch.exp(even(n, 1) * RANGE["log_scale"]).expand(n, 2)
    turn, shear = even(n) * RANGE["turn"], even(n) * RANGE["shear"]
    contrast = 1 + even(n, 1, 1, 1) * RANGE["contrast"]
    noise = torch.randn((n, *shape), generator=rng) * RANGE["noise"] * strength
    return shift, scale, turn, shear, contrast, noise
