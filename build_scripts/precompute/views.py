"""Two random views of every image, drawn for the whole batch at once, on the device."""

from __future__ import annotations

import torch
from kornia.geometry.transform import get_affine_matrix2d, warp_affine
from torch import Tensor

__all__ = ["RANGE", "generator", "random_views"]

# The largest change at strength 1; each is drawn evenly from minus this to plus this, but for the
# noise, which is normal. Shift in pixels, turn in degrees, scale and shear as logarithm and radians,
# contrast as a share, noise as a standard deviation (white is 1).
RANGE = {"shift": 1.8, "turn": 24.0, "log_scale": 0.24, "shear": 0.36, "contrast": 0.36, "noise": 0.12}


def generator(*seed: int) -> torch.Generator:
    """Return a CPU generator that depends on every number of `seed`.

    Random numbers are drawn on the CPU and moved, so that every device sees the same ones.
    """
    mixed = 0
    for part in seed:
        mixed = (mixed * 1_000_003 + part + 1) % (2**63 - 1)
    return torch.Generator().manual_seed(mixed)


def random_views(images: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Return one random view of each image: shifted, turned, scaled, sheared, dimmed, with noise.

    No flips: a mirrored digit is another sign.

    Args:
        images: float (n, 1, 8, 8), 0 (paper) to 1 (ink), on any device.
        strength: s in [0, 1]; 0 returns the images.
        rng: a CPU generator.

    Returns:
        Float (n, 1, 8, 8); noise and contrast may leave [0, 1].
    """
    n, _, height, width = images.shape
    device = images.device

    def even(*shape: int) -> Tensor:
        return (torch.rand(*shape, generator=rng) * 2 - 1) * strength

    shift = even(n, 2) * RANGE["shift"]
    scale = torch.exp(even(n, 1) * RANGE["log_scale"]).expand(n, 2)
    turn, shear = even(n) * RANGE["turn"], even(n) * RANGE["shear"]
    contrast = 1 + even(n, 1, 1, 1) * RANGE["contrast"]
    noise = torch.randn(images.shape, generator=rng) * RANGE["noise"] * strength
    center = torch.tensor([(width - 1) / 2, (height - 1) / 2]).expand(n, 2)
    matrix = get_affine_matrix2d(shift, center, scale, turn, sx=shear)[:, :2]
    warped: Tensor = warp_affine(images, matrix.to(device), (height, width), align_corners=True)
    return warped * contrast.to(device) + noise.to(device)
