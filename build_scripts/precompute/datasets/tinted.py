"""Digits in two colours: the shortcut of colour, made visible.

Two crops of one image share its two colours, so that colour alone tells the positive; nothing in
the colours tells the digit.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from build_scripts.precompute import digits as source
from build_scripts.precompute.datasets.base import Dataset, Split, digest, register
from build_scripts.precompute.datasets.colour import contrast, oklch, to_linear, to_srgb
from build_scripts.precompute.datasets.digits import CLASSES, parts

__all__ = ["CHROMA", "CONTRAST", "LIGHTNESS", "draw", "load", "tint"]

# The ranges of OKLCh from which both colours are drawn, evenly.
LIGHTNESS = (0.25, 0.95)
CHROMA = (0.02, 0.20)
# The least contrast ratio of ink and paper; 3 is what the web's guidelines ask of large text.
CONTRAST = 3.0
_ROUNDS = 200


@register("tinted-digits")
def load(held_out: int = 360, seed: int = 0, seed_colour: int = 1) -> Dataset:
    """Return the digits, each in a random colour on another: uint8 (n, 8, 8, 3).

    The split is that of `digits` with the same `held_out` and `seed`.

    Args:
        held_out: images of the test part, 10 to 1787; each digit in its share.
        seed: of the split, >= 0.
        seed_colour: of the colours, >= 0.

    Raises:
        ValueError: an option is out of range, or scikit-learn's copy of the digits is another.
    """
    train, test = parts(held_out, seed)
    if seed_colour < 0:
        raise ValueError(f"seed_colour must be >= 0, got {seed_colour}")
    made = [_split(part, np.random.default_rng([seed_colour, i])) for i, part in enumerate((train, test))]
    return Dataset(
        name="tinted-digits",
        about="Handwritten digits, 8 x 8 pixels, each in a random colour on a random colour.",
        licence=source.ABOUT["licence"],
        source=f"{source.ABOUT['source']}; colours by this project",
        sha256=digest(made[0].images, made[1].images),
        classes=CLASSES,
        train=made[0],
        test=made[1],
        options={"held_out": held_out, "seed": seed, "seed_colour": seed_colour},
    )


def draw(count: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw colours of ink and of paper, independent but for their contrast, which is at least `CONTRAST`.

    A pair of too little contrast is drawn again, both colours of it. As the screen has whole levels,
    the contrast is that of the rounded colours.

    Args:
        count: pairs, >= 1.
        rng: decides all.

    Returns:
        Ink and paper, each (count, 3): lightness, chroma, hue in degrees.
    """
    low = np.array([LIGHTNESS[0], CHROMA[0], 0.0])
    high = np.array([LIGHTNESS[1], CHROMA[1], 360.0])
    pairs = rng.uniform(low, high, (count, 2, 3))
    for _ in range(_ROUNDS):
        ink, paper = _screen(pairs[:, 0]), _screen(pairs[:, 1])
        poor = (contrast(to_linear(ink), to_linear(paper)) < CONTRAST).numpy()
        if not poor.any():
            return pairs[:, 0], pairs[:, 1]
        pairs[poor] = rng.uniform(low, high, (int(poor.sum()), 2, 3))
    raise ValueError(
        f"no colours of contrast {CONTRAST} in {_ROUNDS} rounds; widen LIGHTNESS, which is {LIGHTNESS}"
    )


def tint(
    ink: NDArray[np.uint8], colour: NDArray[np.float64], paper: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return images in colour: a mixture of the two, by the amount of ink, in the screen's values.

    Args:
        ink: (n, 8, 8), 0 to 16.
        colour, paper: (n, 3), lightness, chroma and hue.

    Returns:
        uint8 (n, 8, 8, 3); the colours as drawn where the ink is 16 and 0.
    """
    share = torch.from_numpy(ink.astype(np.float64) / source.WHITE)[..., None]
    fore, back = _screen(colour)[:, None, None], _screen(paper)[:, None, None]
    mixed: NDArray[np.uint8] = ((back + (fore - back) * share) * 255).round().to(torch.uint8).numpy()
    return mixed


def _screen(colours: NDArray[np.float64]) -> Tensor:
    """Return the screen's values of (n, 3) colours, in whole levels of 255."""
    return (to_srgb(oklch(*torch.from_numpy(colours).unbind(-1))) * 255).round() / 255


def _split(digits: source.Digits, rng: np.random.Generator) -> Split:
    colour, paper = draw(len(digits.labels), rng)
    factors = {
        f"{part}_{what}": np.ascontiguousarray(values[:, i])
        for part, values in (("foreground", colour), ("background", paper))
        for i, what in enumerate(("lightness", "chroma", "hue"))
    }
    return Split(tint(digits.images, colour, paper), digits.labels.astype(np.int64), factors)
