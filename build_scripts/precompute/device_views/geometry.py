"""Crop, flip, rotation and cutout on the device, each image with parameters of its own."""

from __future__ import annotations

import torch
from kornia.geometry.transform import hflip, rotate
from torch import Tensor

from build_scripts.precompute.device_views.drawn import Share

__all__ = ["crop", "cutout", "flip", "rotation"]


def crop(images: Tensor, share: Share) -> Tensor:
    """Cut a box out of each image and resize it bilinearly.

    Rows, then columns, by a matrix for each image: entry (i, j) is the weight of pixel j of the image
    in pixel i of the view, the tent of `sim_engine.augment.resized_crop`. Sampling at points, as
    kornia's crops do, would look beyond the box at its rim and could not average a shrunken box.
    """
    value = {key: v.to(images.device, images.dtype) for key, v in share.values.items()}
    (height, width), smooth = share.settings["size"], share.settings["antialias"]
    rows = _tents(value["top"], value["height"], height, images.shape[2], smooth)  # (n, H', H)
    columns = _tents(value["left"], value["width"], width, images.shape[3], smooth)  # (n, W', W)
    narrow = torch.bmm(images.flatten(1, 2), columns.mT)  # (n, C H, W')
    return torch.matmul(rows[:, None], narrow.reshape(*images.shape[:3], width))


def _tents(start: Tensor, length: Tensor, size: int, full: int, smooth: bool) -> Tensor:
    scale = (length / size)[:, None, None]
    reach = scale.clamp(min=1) if smooth else torch.ones_like(scale)
    centre = (torch.arange(size, device=start.device, dtype=start.dtype) + 0.5)[:, None] * scale
    j = torch.arange(full, device=start.device, dtype=start.dtype) - start[:, None, None]  # in the box
    weight = (1 - (j + 0.5 - centre).abs() / reach).clamp_(min=0)  # (n, size, full)
    weight = weight * ((j >= 0) & (j < length[:, None, None]))
    return weight / weight.sum(dim=2, keepdim=True)


def flip(images: Tensor, share: Share) -> Tensor:
    """Left becomes right."""
    flipped: Tensor = hflip(images)
    return flipped


def rotation(images: Tensor, share: Share) -> Tensor:
    """Turn counter-clockwise about the centre; the outside has the level `fill`."""
    degrees = share.values["degrees"].to(images.device, images.dtype)
    fill = float(share.settings["fill"])
    # Outside, kornia's rotate takes 0 for every pixel: of the picture less its fill, that is the fill.
    turned: Tensor = rotate(images - fill, degrees, mode="bilinear", padding_mode="zeros")
    return turned + fill


def cutout(images: Tensor, share: Share) -> Tensor:
    """Paint a box with the level `fill`; it may reach beyond the image."""
    (height, width), device = images.shape[2:], images.device
    rows = _within(share.values["top"].to(device), share.settings["height"], height)
    columns = _within(share.values["left"].to(device), share.settings["width"], width)
    hidden = rows[:, None, :, None] & columns[:, None, None, :]  # (n, 1, H, W)
    return images.masked_fill(hidden, float(share.settings["fill"]))


def _within(first: Tensor, length: int, full: int) -> Tensor:
    place = torch.arange(full, device=first.device)
    inside: Tensor = (place >= first[:, None]) & (place < first[:, None] + length)
    return inside
