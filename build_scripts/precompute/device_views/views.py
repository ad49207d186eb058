"""Draw views of a batch on the CPU, apply them on the device of the images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from build_scripts.precompute.device_views import colours, draw, filters, geometry
from build_scripts.precompute.device_views.config import ViewConfig
from build_scripts.precompute.device_views.drawn import COLOUR, Drawn, Share

__all__ = ["DeviceViews", "shift_colours"]

_APPLY: dict[str, Callable[[Tensor, Share], Tensor]] = {
    "crop": geometry.crop,
    "flip": geometry.flip,
    "color": colours.color,
    "grey": colours.grey,
    "blur": filters.blur,
    "noise": filters.noise,
    "rotation": geometry.rotation,
    "cutout": geometry.cutout,
    "sobel": filters.sobel,
}


class DeviceViews:
    """Random views of whole batches; every image has parameters of its own.

    Args:
        config: which views, and how strong.

    Examples:
        >>> views = DeviceViews(ViewConfig())
        >>> views(torch.rand(4, 3, 32, 32), torch.Generator().manual_seed(0)).shape
        torch.Size([4, 3, 32, 32])
    """

    def __init__(self, config: ViewConfig) -> None:
        self.config = config

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Drawn:
        """Draw the parameters of one view of each image, on the CPU.

        Args:
            count: number of images, >= 1.
            size: (H, W) of the images in pixels.
            generator: where chance comes from, on the CPU; the only source.

        Returns:
            What was drawn; `Drawn.steps` says it as sim_engine.augment does.

        Raises:
            ValueError: the generator is not on the CPU, there are no images, or the blur's kernel is
                too large for them.
        """
        return draw.draw(self.config, count, size, generator)

    def apply(self, images: Tensor, drawn: Drawn) -> Tensor:
        """Make the views that were drawn.

        Images of one channel skip "color" and "grey". Values are clipped to [0, 1] after each view.

        Args:
            images: float32 or float64 (n, C, H, W) in [0, 1], C 1 or 3, on any device.
            drawn: for as many images of these sides.

        Returns:
            (n, C, H', W') on the same device, in [0, 1]; H', W' are the crop's size where it has one.

        Raises:
            ValueError: the images are of another dtype or shape than said or drawn for.
        """
        _check(images)
        if (len(images), *images.shape[2:]) != (drawn.count, *drawn.size):
            raise ValueError(
                f"drawn must be for the images, {len(images)} of {images.shape[2]} x {images.shape[3]}, "
                f"got {drawn.count} of {drawn.size[0]} x {drawn.size[1]}"
            )
        x = images
        # Neither gradients nor a lower precision belong here, whatever the caller's training uses.
        with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
            for share in drawn.shares:
                if (share.name in COLOUR and x.shape[1] == 1) or not len(share.rows):
                    continue
                if len(share.rows) == len(x):
                    x = _APPLY[share.name](x, share).clamp(0, 1)
                else:
                    rows = share.rows.to(x.device)
                    x = x.index_copy(0, rows, _APPLY[share.name](x.index_select(0, rows), share).clamp(0, 1))
        return x.contiguous()

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return one fresh view of each image; see `draw` and `apply`."""
        _check(images)
        return self.apply(images, self.draw(len(images), (images.shape[2], images.shape[3]), generator))


def shift_colours(images: Tensor, hue: float, brightness: float) -> Tensor:
    r"""Turn the hue of all images alike, then multiply them: $x' = \min(1, f\,\mathrm{hue}(x, \delta))$.

    Nothing is drawn: the same shift for every image, to measure a network under other colours.

    Args:
        images: float32 or float64 (n, C, H, W) in [0, 1], C 1 or 3, on any device.
        hue: delta in turns, as in `sim_engine.augment.hue`; 0 changes nothing.
        brightness: f >= 0, as in `sim_engine.augment.brightness`; 1 changes nothing.

    Returns:
        (n, C, H, W) in [0, 1].

    Raises:
        ValueError: the images are of another dtype or shape, hue is not finite, or not 0 for images of
            one channel; brightness is negative or not finite.

    Examples:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> shift_colours(red, 0.5, 0.5).flatten()
        tensor([0.0000, 0.5000, 0.5000])
    """
    _check(images)
    if not -1e6 <= hue <= 1e6:
        raise ValueError(f"hue must be a finite number of turns, got {hue}")
    if hue != 0 and images.shape[1] == 1:
        raise ValueError(f"hue must be 0 for images of one channel, which have no hue, got {hue}")
    if not 0 <= brightness <= 1e6:
        raise ValueError(f"brightness must be a finite factor >= 0, got {brightness}")
    with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
        if images.shape[1] == 3:
            images = colours.turn_hue(images, images.new_full((len(images),), hue % 1))
        return (images * brightness).clamp(0, 1)


def _check(images: Tensor) -> None:
    if images.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"images must be float32 or float64 in [0, 1], got {images.dtype}; divide levels by 255"
        )
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ValueError(f"images must be (n, 1 or 3, H, W), n >= 1, got {tuple(images.shape)}")
