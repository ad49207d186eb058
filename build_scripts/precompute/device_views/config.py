"""Which views are drawn, in which order, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sim_engine.augment import (
    Compose,
    Fixed,
    Operation,
    RandomColourJitter,
    RandomCutout,
    RandomGaussianBlur,
    RandomGrey,
    RandomHorizontalFlip,
    RandomNoise,
    RandomResizedCrop,
    RandomRotation,
    compose,
)

__all__ = ["NAMES", "SIMCLR", "ViewConfig"]

NAMES = ("crop", "flip", "color", "grey", "blur", "noise", "rotation", "cutout", "sobel")
SIMCLR = ("crop", "flip", "color", "grey", "blur")
_KINDS: dict[str, type[Any]] = {
    "crop": RandomResizedCrop,
    "flip": RandomHorizontalFlip,
    "grey": RandomGrey,
    "blur": RandomGaussianBlur,
    "noise": RandomNoise,
    "rotation": RandomRotation,
    "cutout": RandomCutout,
}


@dataclass(frozen=True)
class ViewConfig:
    """The operations of a view and their settings, which are those of sim_engine.augment.

    Args:
        names: what is applied, in this order, each at most once; () leaves the images as they are.
        strength: s of the colour distortion, from 0 to 2.5: factors of brightness, contrast and
            saturation from U(max(0, 1 - 0.8 s), 1 + 0.8 s), a shift of hue from U(-0.2 s, 0.2 s)
            turns, in an order drawn for each image. It changes no other view.
        crop, flip, grey, blur, noise, rotation, cutout: what is drawn from; or its settings as a
            mapping, such as `{"area": [0.2, 1]}`, as they are read from JSON.
        color_p, blur_p, noise_p, rotation_p, cutout_p, sobel_p: how likely the view is applied. The
            crop always is; flip and grey have a p of their own.

    Raises:
        ValueError: a name is unknown or there twice, the strength is out of range, a probability is
            outside [0, 1], a setting is unknown or out of range.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the PyTorch listing.

    Examples:
        >>> ViewConfig(names=("crop", "noise"), crop=RandomResizedCrop(area=(0.2, 1.0))).crop.area
        (0.2, 1.0)
    """

    names: tuple[str, ...] = SIMCLR
    strength: float = 0.5
    crop: RandomResizedCrop = field(default_factory=RandomResizedCrop)
    flip: RandomHorizontalFlip = field(default_factory=RandomHorizontalFlip)
    grey: RandomGrey = field(default_factory=RandomGrey)
    blur: RandomGaussianBlur = field(default_factory=RandomGaussianBlur)
    noise: RandomNoise = field(default_factory=RandomNoise)
    rotation: RandomRotation = field(default_factory=RandomRotation)
    cutout: RandomCutout = field(default_factory=RandomCutout)
    color_p: float = 0.8
    blur_p: float = 0.5
    noise_p: float = 1.0
    rotation_p: float = 1.0
    cutout_p: float = 1.0
    sobel_p: float = 1.0

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            object.__setattr__(self, name, _made(name, kind, getattr(self, name)))
        if isinstance(self.names, list):
            object.__setattr__(self, "names", tuple(self.names))
        if isinstance(self.names, str) or not all(isinstance(name, str) for name in self.names):
            raise ValueError(f"names must be a tuple of views such as {SIMCLR}, got {self.names!r}")
        if unknown := [name for name in self.names if name not in NAMES]:
            raise ValueError(f"names must be some of {', '.join(NAMES)}, got {unknown[0]!r}")
        if twice := [name for name in self.names if self.names.count(name) > 1]:
            raise ValueError(f"names must hold each view at most once, got {twice[0]!r} twice")
        try:
            RandomColourJitter(self.strength, "pytorch")
        except ValueError as error:
            raise ValueError(f"strength: {error}") from None
        for name in ("color_p", "blur_p", "noise_p", "rotation_p", "cutout_p", "sobel_p"):
            p = getattr(self, name)
            if not isinstance(p, int | float) or not 0 <= p <= 1:
                raise ValueError(f"{name} must be a probability in [0, 1], got {p!r}")

    def operation(self) -> Compose:
        """Return the operation of sim_engine.augment that draws from the same distribution.

        Examples:
            >>> len(ViewConfig(names=("crop", "sobel")).operation().stages)
            2
        """
        stages: dict[str, tuple[Operation, float]] = {
            "crop": (self.crop, 1.0),
            "flip": (self.flip, 1.0),
            "color": (RandomColourJitter(self.strength, "pytorch"), self.color_p),
            "grey": (self.grey, 1.0),
            "blur": (self.blur, self.blur_p),
            "noise": (self.noise, self.noise_p),
            "rotation": (self.rotation, self.rotation_p),
            "cutout": (self.cutout, self.cutout_p),
            "sobel": (Fixed("sobel"), self.sobel_p),
        }
        return compose(*(stages[name] for name in self.names))


def _made(name: str, kind: type[Any], value: Any) -> Any:
    """Return the draw itself, made from its settings where those came."""
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a {kind.__name__} or a mapping of its settings, got {value!r}")
    known = [f.name for f in fields(kind)]
    if unknown := set(value) - set(known):
        raise ValueError(f"{name} has no setting {min(unknown)!r}; it has: {', '.join(known)}")
    try:
        return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in value.items()})
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
