"""Blur, noise and Sobel on the device."""

from __future__ import annotations

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn import functional

from build_scripts.precompute.device_views.drawn import Share

__all__ = ["blur", "noise", "sobel"]


def blur(images: Tensor, share: Share) -> Tensor:
    """Convolve each image with its own Gaussian; a kernel of one pixel changes nothing."""
    kernel = share.settings["kernel"]
    if kernel == 1:
        return images
    sigma = share.values["sigma"].to(images.device, images.dtype)[:, None].expand(-1, 2)
    blurred: Tensor = gaussian_blur2d(images, (kernel, kernel), sigma, border_type="reflect")
    return blurred


def noise(images: Tensor, share: Share) -> Tensor:
    """Add sigma times the field that was drawn."""
    if share.field is None:
        raise ValueError("the noise has no field; DeviceViews.draw makes it")
    field = share.field[..., : images.shape[1]].to(images.device, images.dtype).permute(0, 3, 1, 2)
    return images + share.values["sigma"].to(images.device, images.dtype)[:, None, None, None] * field


def sobel(images: Tensor, share: Share) -> Tensor:
    """The length of the gradient, an upright step from black to white being 1.

    kornia's sobel has half these weights and adds 0.001 where nothing changes.
    """
    wide = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    across = wide[:, :, :, 2:] - wide[:, :, :, :-2]  # (n, C, H + 2, W)
    down = wide[:, :, 2:] - wide[:, :, :-2]  # (n, C, H, W + 2)
    g_x = across[:, :, :-2] + 2 * across[:, :, 1:-1] + across[:, :, 2:]
    g_y = down[:, :, :, :-2] + 2 * down[:, :, :, 1:-1] + down[:, :, :, 2:]
    return torch.hypot(g_x, g_y) / 4
