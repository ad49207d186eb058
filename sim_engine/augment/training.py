"""Views as a training takes them: images in, floats out, and what was drawn kept to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, whole
from sim_engine.augment._step import Operation
from sim_engine.augment.views import Views, views


class TrainingViews:
    """An operation as the `augment(batch, rng)` of `train.simclr`, `train.byol` and `train.moco`.

    Called with a batch, it draws one view of each image and returns them as floats in [0, 1], which is
    what a network wants. A training calls it twice a step, so what it has drawn last are the step's two
    views, each with its steps.

    Images of one channel are seen as three equal ones and come back as one. Colour operations do what
    they do to grey: brightness and contrast count, hue and saturation change nothing. An operation that
    would colour them, such as `noise`, is refused.

    Attributes:
        operation: what to draw from, such as `simclr()`; every view must end up with the same sides.
        keep: how many draws are kept, >= 1.
        drawn: the last `keep` draws as `Views`, the oldest first, images in [0, 1] of three channels.

    Raises:
        ValueError: the operation has no `draw`, or keep < 1.

    Source:
        Chen et al. (2020), arXiv:2002.05709, algorithm 1: a fresh t for each view.

    Examples:
        >>> from sim_engine import encoders, train
        >>> from sim_engine.augment import RandomResizedCrop
        >>> rng = np.random.default_rng(0)
        >>> images = rng.random((16, 8, 8, 3), dtype=np.float32)
        >>> augment = TrainingViews(RandomResizedCrop())
        >>> run = train.simclr(images, augment, encoders.conv_net([3, 8]), steps=2, batch_size=4, rng=rng)
        >>> step = next(run)
        >>> first, second = augment.drawn
        >>> first.images.shape, [step.name for step in first.steps[0]]
        ((4, 8, 8, 3), ['resized_crop'])
    """

    def __init__(self, operation: Operation, *, keep: int = 2) -> None:
        if not callable(getattr(operation, "draw", None)):
            raise ValueError(f"operation must have a draw, as those of sim_engine.augment, got {operation!r}")
        self.operation = operation
        self.keep = whole("keep", keep, least=1)
        self.drawn: tuple[Views, ...] = ()

    def __call__(self, images: ArrayLike, rng: np.random.Generator) -> Array:
        """Return one random view of each image.

        Args:
            images: (N, H, W, 3) or, grey, (N, H, W, 1); uint8, or floats in [0, 1].
            rng: where chance comes from; the only one.

        Returns:
            (N, H', W', 3) or (N, H', W', 1), in [0, 1]; float32 for uint8, else of the images' dtype.

        Raises:
            ValueError: as `views`, or another number of channels, or a grey view came out in colour.
        """
        x = _unit_range(images)
        is_grey = x.shape[-1] == 1
        made = views(np.repeat(x, 3, axis=-1) if is_grey else x, self.operation, rng)
        y: Array = made.images
        if is_grey:
            if np.ptp(y, axis=-1).max() > 1e-5:
                raise ValueError(
                    "images of one channel must stay grey, but the operation coloured a view; leave out "
                    "what draws for each channel, such as noise, or give images of three channels"
                )
            y = y[..., :1]
        self.drawn = (*self.drawn, made)[-self.keep :]
        return y


def _unit_range(images: ArrayLike) -> NDArray[Any]:
    array = np.asarray(images)
    if array.ndim != 4 or array.shape[-1] not in (1, 3):
        raise ValueError(f"images must be (N, H, W, 3), or (N, H, W, 1) if grey, got shape {array.shape}")
    if array.dtype == np.uint8:
        return array.astype(np.float32) / np.float32(255)
    if array.dtype.kind == "f" and array.size and array.max() > 1:
        raise ValueError(
            f"images must lie in [0, 1] when they hold floats, got {float(array.max()):g}; a training makes "
            "floats of its data before the views, so divide it by its largest level first (255 for uint8)"
        )
    return array
