"""SimCLR's random views: crop, flip, colour distortion, blur (Chen et al. 2020, appendix A)."""

from __future__ import annotations

from sim_engine.augment._step import Fixed
from sim_engine.augment.blur import RandomGaussianBlur
from sim_engine.augment.compose import Compose, compose
from sim_engine.augment.crop import RandomResizedCrop
from sim_engine.augment.flip import RandomHorizontalFlip
from sim_engine.augment.jitter import Listing, RandomColourJitter


def colour_distortion(s: float = 1.0, *, listing: Listing = "tensorflow") -> Compose:
    r"""Colour jitter of strength s with probability 0.8, then grey with probability 0.2.

    $$t = \operatorname{grey}^{B_2} \circ\ \operatorname{jitter}_s^{B_1}, \qquad
    B_1 \sim \operatorname{Bernoulli}(0.8), \quad B_2 \sim \operatorname{Bernoulli}(0.2)$$

    Strength 0 leaves the jitter without effect, but the grey stays: it does not depend on s.

    Args:
        s: strength, from 0 to 2.5; 1 on ImageNet, 0.5 on CIFAR-10. Table 1 of the paper tries 1/8 to 1.
        listing: "tensorflow" does what the paper's results were made with: brightness added,
            contrast by channel, saturation of HSV, hue, in this order. "pytorch" is the paper's
            second listing, torchvision's ColorJitter, in an order drawn each time.

    Returns:
        An operation.

    Raises:
        ValueError: s lies outside [0, 2.5], or the listing is neither of the two.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, "Color distortion".

    Examples:
        >>> import numpy as np
        >>> [step.name for step in colour_distortion().draw(np.random.default_rng(3), 96, 96)]
        ['jitter_tensorflow']
    """
    return compose((RandomColourJitter(s, listing), 0.8), (Fixed("grey"), 0.2))


def simclr(
    s: float = 1.0,
    *,
    size: tuple[int, int] | None = None,
    blur: bool = True,
    listing: Listing = "tensorflow",
) -> Compose:
    r"""Random resized crop, flip with probability 0.5, `colour_distortion`, blur with probability 0.5.

    $$t = \operatorname{blur}^{B_2} \circ\ \operatorname{colour}_s \circ\ \operatorname{flip}^{B_1} \circ\
    \operatorname{crop}, \qquad B_1, B_2 \sim \operatorname{Bernoulli}(0.5)$$

    The paper's code resizes bicubically, this bilinearly (with antialias); all else is appendix A's.

    Args:
        s: strength of the colour distortion, from 0 to 2.5.
        size: (H', W') of the view in pixels; None keeps the image's sides.
        blur: True is the paper's ImageNet policy; on CIFAR-10 it leaves the blur out.
        listing: as `colour_distortion`.

    Returns:
        An operation; two draws of it are a positive pair.

    Raises:
        ValueError: s lies outside [0, 2.5], a side is < 1, or the listing is neither of the two.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A; on CIFAR-10 appendix B.9.

    Examples:
        >>> import numpy as np
        >>> [step.name for step in simclr(0.5, blur=False).draw(np.random.default_rng(0), 32, 32)]
        ['resized_crop', 'horizontal_flip']
    """
    stages = (RandomResizedCrop(size), RandomHorizontalFlip(), colour_distortion(s, listing=listing))
    return compose(*stages, (RandomGaussianBlur(), 0.5)) if blur else compose(*stages)
