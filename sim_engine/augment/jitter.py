"""SimCLR's colour jitter with strength s: both listings of appendix A, which differ in arithmetic and order.

TensorFlow's listing, with which the paper's results were made, has a fixed order and adds
brightness; PyTorch's calls torchvision's ColorJitter, which multiplies and draws a new order each
time. (The released TensorFlow code is a third: multiplied brightness, TensorFlow's contrast and
saturation, random order, clipped after each.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, generator
from sim_engine.augment import _colour
from sim_engine.augment._pixels import View, column, in_range, per_image, pixels
from sim_engine.augment._step import Step, uniform, uniform_factor

Listing = Literal["tensorflow", "pytorch"]
ORDER = ("brightness", "contrast", "saturation", "hue")
MOST_STRENGTH = 2.5  # beyond, the hue's 0.2 s exceeds half a turn


def jitter_tensorflow(
    image: ArrayLike, delta: ArrayLike, contrast: ArrayLike, saturation: ArrayLike, shift: ArrayLike
) -> View:
    r"""Brightness added, contrast by channel, saturation of HSV, hue: in this order, clipped once at the end.

    $$x' = \operatorname{clip}\big(\operatorname{hue}_\delta(\operatorname{sat}_{f_s}(
    m + f_c\,(x + b - m)))\big), \qquad m = \overline{x + b} \text{ of each channel}$$

    with b the brightness added, $f_c$ and $f_s$ the factors of contrast and saturation, δ the hue's turn.

    In between, values may leave [0, 1], as they do in the listing: what brightness pushed beyond
    white, contrast can bring back.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        delta: added to every channel, a part of the whole range; as `brightness_added`.
        contrast, saturation: factors >= 0; as `contrast_by_channel` and `saturation_hsv`.
        shift: turns of hue; as `hue`. Each is one number, or one an image.

    Returns:
        The view, shape and dtype of the image; uint8 rounded once, at the end.

    Raises:
        ValueError: the image is of another dtype, shape or range; a factor is negative or not finite.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the TensorFlow listing, `color_jitter`.

    Examples:
        >>> jitter_tensorflow(np.array([[[200, 100, 100]]], np.uint8), 0.1, 1.0, 1.0, 0.5)
        array([[[126, 226, 226]]], dtype=uint8)
    """
    p = pixels(image)
    n = len(p.x)
    x: Array = p.x + column(per_image("delta", delta, n), p.x)
    f = column(per_image("contrast", contrast, n, least=0.0), x)
    x = _colour.blend(x, _colour.mean_colour(x), f)
    x = _colour.scale_saturation(x, column(per_image("saturation", saturation, n, least=0.0), x))
    return p.restore(_colour.turn_hue(x, column(per_image("shift", shift, n) % 1.0, x)))


def jitter_pytorch(
    image: ArrayLike,
    brightness: ArrayLike,
    contrast: ArrayLike,
    saturation: ArrayLike,
    shift: ArrayLike,
    *,
    order: Sequence[str] = ORDER,
) -> View:
    r"""Brightness, contrast, saturation and hue as torchvision has them, in any order, clipped after each.

    $$x' = \operatorname{clip} \circ\, t_4 \circ \operatorname{clip} \circ\, t_3 \circ
    \operatorname{clip} \circ\, t_2 \circ \operatorname{clip} \circ\, t_1\,(x)$$

    with $t_1, \dots, t_4$ the four of `brightness`, `contrast`, `saturation` and `hue` in that order of
    theirs which is given.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        brightness, contrast, saturation: factors >= 0; as the functions of these names.
        shift: turns of hue; as `hue`. Each is one number, or one an image.
        order: the names "brightness", "contrast", "saturation", "hue", each once.

    Returns:
        The view, shape and dtype of the image; uint8 rounded once, at the end.

    Raises:
        ValueError: as `jitter_tensorflow`, or order is not an order of the four.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the PyTorch listing.

    Examples:
        >>> jitter_pytorch(np.array([[[200, 100, 100]]], np.uint8), 1.1, 1.0, 1.0, 0.5)
        array([[[110, 220, 220]]], dtype=uint8)
    """
    if sorted(order) != sorted(ORDER):
        raise ValueError(f"order must hold each of {', '.join(ORDER)} once, got {order!r}")
    p = pixels(image)
    x, n = p.x, len(p.x)
    factor = {
        "brightness": column(per_image("brightness", brightness, n, least=0.0), x),
        "contrast": column(per_image("contrast", contrast, n, least=0.0), x),
        "saturation": column(per_image("saturation", saturation, n, least=0.0), x),
    }
    turns = column(per_image("shift", shift, n) % 1.0, x)
    for name in order:
        if name == "brightness":
            x = x * factor[name]
        elif name == "contrast":
            x = _colour.blend(x, _colour.mean_luma(x), factor[name])
        elif name == "saturation":
            x = _colour.blend(x, _colour.luma(x), factor[name])
        else:
            x = _colour.turn_hue(x, turns)
        x = np.clip(x, 0, 1)
    return p.restore(x)


@dataclass(frozen=True)
class RandomColourJitter:
    """SimCLR's jitter of strength s: ranges 0.8 s, 0.8 s, 0.8 s and, for hue, 0.2 s.

    Contrast and saturation come from U(max(0, 1 - 0.8 s), 1 + 0.8 s), the hue's shift from
    U(-0.2 s, 0.2 s) turns. Brightness is a sum from U(-0.8 s, 0.8 s) in "tensorflow" and a factor
    from the range of contrast in "pytorch". tf.image refuses s > 1.25, where 1 - 0.8 s is negative;
    torchvision cuts the range off at 0, and so does this.

    Attributes:
        s: strength, from 0 (no change) to 2.5; the paper uses 1 on ImageNet and 0.5 on CIFAR-10.
        listing: "tensorflow", the paper's own: fixed order; or "pytorch": an order drawn each time.

    Raises:
        ValueError: s lies outside [0, 2.5], or the listing is neither of the two.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A.

    Examples:
        >>> step, = RandomColourJitter(0.0).draw(np.random.default_rng(0), 8, 8)
        >>> step.parameters
        {'delta': 0.0, 'contrast': 1.0, 'saturation': 1.0, 'shift': 0.0}
    """

    s: float = 1.0
    listing: Listing = "tensorflow"

    def __post_init__(self) -> None:
        in_range("s", self.s, 0.0, MOST_STRENGTH)
        if self.listing not in ("tensorflow", "pytorch"):
            raise ValueError(f"listing must be 'tensorflow' or 'pytorch', got {self.listing!r}")

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """One step with four numbers and, for "pytorch", their order.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        most = 0.8 * self.s
        added = self.listing == "tensorflow"
        brightness = uniform(rng, -most, most) if added else uniform_factor(rng, most)
        rest = {
            "contrast": uniform_factor(rng, most),
            "saturation": uniform_factor(rng, most),
            "shift": uniform(rng, -0.2 * self.s, 0.2 * self.s),
        }
        if added:
            return (Step("jitter_tensorflow", {"delta": brightness, **rest}),)
        order = tuple(ORDER[i] for i in rng.permutation(len(ORDER)))
        return (Step("jitter_pytorch", {"brightness": brightness, **rest, "order": order}),)
