"""What a dataset is: images to train on, and beside them what only an evaluation may see."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ANGLES",
    "Dataset",
    "Split",
    "digest",
    "load",
    "names",
    "register",
    "rendered_on",
    "rendering_device",
]

Loader = Callable[..., "Dataset"]
_LOADERS: dict[str, Loader] = {}

# Where sets that are rendered are made, unless `load` is told: on the device of the run.
_RENDERED_ON: ContextVar[str] = ContextVar("rendered_on", default="cpu")

# Factors of these names are angles in degrees, in whatever dataset.
ANGLES = ("hue", "background_hue", "rotation", "light")


@dataclass(frozen=True)
class Split:
    """Images, and what is known of them.

    Attributes:
        images: uint8 (n, H, W, C), 0 to 255, C 1 or 3.
        labels: int64 (n,), for evaluation alone; None where there are none.
        factors: what the image was made from, name to (n,), int64 classes or float64 values; for
            evaluation alone.

    Raises:
        ValueError: a shape or dtype is another.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None = None
    factors: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape, dtype = self.images.shape, self.images.dtype
        if dtype != np.uint8 or self.images.ndim != 4 or shape[3] not in (1, 3) or 0 in shape:
            raise ValueError(f"images must be uint8 (n, H, W, 1 or 3), n >= 1, got {dtype} {shape}")
        if self.labels is not None and (self.labels.dtype != np.int64 or self.labels.shape != shape[:1]):
            raise ValueError(
                f"labels must be int64 ({shape[0]},), one an image, got "
                f"{self.labels.dtype} {self.labels.shape}"
            )
        for name, values in self.factors.items():
            if values.dtype not in (np.int64, np.float64) or values.shape != shape[:1]:
                raise ValueError(
                    f"factor {name} must be int64 or float64 ({shape[0]},), one an image, got "
                    f"{values.dtype} {values.shape}"
                )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: NDArray[np.intp] | slice) -> Split:
        labels = None if self.labels is None else self.labels[rows]
        return Split(self.images[rows], labels, {name: v[rows] for name, v in self.factors.items()})


@dataclass(frozen=True)
class Dataset:
    """A named set with a part to train on and a part never trained on.

    Attributes:
        name: what `load` calls it.
        about: one sentence.
        licence, source: of the images; what the book must say beside them.
        sha256: of the files read, or of the images rendered.
        classes: the label's words, in the order of the labels.
        train, test: the parts; `unlabelled` holds further images to train on.
        options: what `load` was told, JSON-ready.
    """

    name: str
    about: str
    licence: str
    source: str
    sha256: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    unlabelled: Split | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def provenance(self) -> dict[str, Any]:
        """Return what a manifest says of the data, JSON-ready."""
        sizes = {"train": len(self.train), "test": len(self.test)}
        if self.unlabelled is not None:
            sizes["unlabelled"] = len(self.unlabelled)
        return {
            "name": self.name,
            "about": self.about,
            "sha256": self.sha256,
            "licence": self.licence,
            "source": self.source,
            "sizes": sizes,
            "options": dict(self.options),
        }


def register(name: str) -> Callable[[Loader], Loader]:
    """Make a function the loader of `name`; for the modules of this package."""

    def keep(loader: Loader) -> Loader:
        _LOADERS[name] = loader
        return loader

    return keep


@contextmanager
def rendered_on(device: str) -> Iterator[None]:
    """Inside, sets that are rendered are rendered on this device, such as "cuda:0"."""
    before = _RENDERED_ON.set(device)
    try:
        yield
    finally:
        _RENDERED_ON.reset(before)


def rendering_device() -> str:
    """Return where a set is rendered that was not told where."""
    return _RENDERED_ON.get()


def names() -> tuple[str, ...]:
    """Return the names that `load` knows."""
    return tuple(sorted(_LOADERS))


def load(name: str, **options: Any) -> Dataset:
    """Return a dataset by name.

    Args:
        options: the dataset's own, such as `size` or `root`.

    Raises:
        ValueError: no such dataset, an option that it does not take, or its files are missing or damaged.
    """
    if name not in _LOADERS:
        raise ValueError(f"there is no dataset {name!r}; there are: {', '.join(names())}")
    try:
        return _LOADERS[name](**options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise ValueError(f"dataset {name}: {error}") from None


def digest(*arrays: NDArray[Any]) -> str:
    """Return the sha256 of arrays: dtype, shape and bytes of each."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
