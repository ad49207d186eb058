"""What was drawn for a batch: the parameters of every image, and the same as steps of sim_engine.augment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from sim_engine.augment import Step
from sim_engine.augment.jitter import ORDER

__all__ = ["COLOUR", "Drawn", "Share"]

# Views that a picture of one channel has no room for.
COLOUR = ("color", "grey")
_STEP = {
    "crop": "resized_crop",
    "flip": "horizontal_flip",
    "color": "jitter_pytorch",
    "grey": "grey",
    "blur": "gaussian_blur",
    "noise": "noise",
    "rotation": "rotation",
    "cutout": "cutout",
    "sobel": "sobel",
}


@dataclass(frozen=True)
class Share:
    """One view's share of what was drawn.

    Attributes:
        name: of the view.
        rows: int64 (k,), ascending: the images that it is applied to.
        values: parameter to float64 or int64 (k,); "order" is int64 (k, 4), which of brightness,
            contrast, saturation and hue comes first, second, third and last.
        settings: the parameters that all images share.
        field: the noise, float32 (k, H', W', 3), made from the seeds; of a picture of one channel the
            first counts. None for other views.
    """

    name: str
    rows: Tensor
    values: Mapping[str, Tensor]
    settings: Mapping[str, Any]
    field: Tensor | None = None


@dataclass(frozen=True)
class Drawn:
    """The parameters of one view of each of `count` images, on the CPU.

    Attributes:
        count: number of images.
        size: (H, W) of the images in pixels.
        shares: one for each view, in order.
    """

    count: int
    size: tuple[int, int]
    shares: tuple[Share, ...]

    def steps(self, channels: int = 3) -> tuple[tuple[Step, ...], ...]:
        """Return the steps of every image; `sim_engine.augment.replay` makes the view from them.

        Args:
            channels: of the images; 1 leaves the colour views out, as `DeviceViews.apply` does.
        """
        steps: list[list[Step]] = [[] for _ in range(self.count)]
        for share in self.shares:
            if channels == 1 and share.name in COLOUR:
                continue
            columns = {key: value.tolist() for key, value in share.values.items()}
            for k, row in enumerate(share.rows.tolist()):
                parameters = {key: value[k] for key, value in columns.items()} | dict(share.settings)
                if share.name == "color":
                    parameters["order"] = tuple(ORDER[i] for i in parameters["order"])
                steps[row].append(Step(_STEP[share.name], parameters))
        return tuple(tuple(own) for own in steps)
