"""Square patches of photographs that scikit-image and scikit-learn bring along; nothing is downloaded.

The class of a patch is the photograph that it comes from. Patches to train on and to test on come from
parts of the photograph that have no pixel in common.
"""

from __future__ import annotations

import hashlib
import io
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from build_scripts.precompute.datasets.base import Dataset, Split, register
from build_scripts.precompute.datasets.photo_credits import CREDITS, Credit

__all__ = ["CLASSES", "Credit", "credits", "load", "photograph", "regions"]

SIZES = (16, 96)
FIELDS = (1, 2, 3)
# Images, and their top left corners.
Patches = tuple[NDArray[np.uint8], NDArray[np.int64]]
# A patch has at least this standard deviation of its grey levels, 0 to 255: clear sky shows nothing.
DETAIL = 6.0
# Of how many tiles one is for testing, and a tile's side in patches.
_ONE_IN, _TILE = 4, 1.5


CLASSES = tuple(credit.name for credit in CREDITS)


def credits() -> tuple[Credit, ...]:
    """Return whom each photograph is from, in the order of the classes."""
    return CREDITS


@register("photos")
def load(size: int = 32, count: int = 100, test_count: int = 30, field: int = 2, seed: int = 0) -> Dataset:
    """Return patches of the photographs: uint8 (n, size, size, 3). The label is the photograph.

    A patch is a square of `size * field` pixels of its photograph, reduced to `size`. Each photograph
    is ruled into tiles; one in four is for the test part, whose patches lie wholly within one, while
    those of the training part touch none. Patches of one part may overlap each other. Grey photographs
    have three equal channels.

    Args:
        size: pixels a side, 16 to 96.
        count, test_count: patches of each photograph in the two parts, >= 1.
        field: pixels of the photograph that make one of the patch, along a side: 1, 2 or 3.
        seed: of the tiles and the patches, >= 0.

    Raises:
        ValueError: an option is out of range, a photograph has no room for such patches, or a file is
            not the expected one.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size must be {SIZES[0]} to {SIZES[1]} pixels, got {size}")
    if field not in FIELDS:
        raise ValueError(f"field must be 1, 2 or 3, got {field}")
    for name, number, least in (("count", count, 1), ("test_count", test_count, 1), ("seed", seed, 0)):
        if number < least:
            raise ValueError(f"{name} must be >= {least}, got {number}")
    train: list[Patches] = []
    test: list[Patches] = []
    for label, credit in enumerate(CREDITS):
        photo = photograph(credit)
        rng = np.random.default_rng([seed, label])
        held_out = regions(photo.shape[:2], size * field, rng, credit.name)
        detailed = _spread(photo, size * field) >= DETAIL
        for parts, region, wanted in ((train, held_out == 0, count), (test, held_out, test_count)):
            places = np.argwhere(_within(region, size * field) & detailed)
            if len(places) < wanted:
                raise ValueError(
                    f"{credit.name} has {len(places)} places for patches of {size * field} pixels with some "
                    f"detail, wanted {wanted}; take a smaller size, field or count, or another seed"
                )
            corners = places[rng.choice(len(places), wanted, replace=False)]
            parts.append((_cut(photo, corners, size, field), corners))
    licences = sorted({credit.licence for credit in CREDITS})
    return Dataset(
        name="photos",
        about=f"Patches of {len(CLASSES)} photographs, {size} x {size} pixels.",
        licence=f"by photograph: {', '.join(licences)}",
        source="; ".join(
            f"{credit.title}: {credit.author}, {credit.licence}"
            + (f", {credit.address}" if credit.address else "")
            for credit in CREDITS
        ),
        sha256=hashlib.sha256("".join(credit.sha256 for credit in CREDITS).encode()).hexdigest(),
        classes=CLASSES,
        train=_split(train),
        test=_split(test),
        options={"size": size, "count": count, "test_count": test_count, "field": field, "seed": seed},
    )


def photograph(credit: Credit) -> NDArray[np.uint8]:
    """Return a whole photograph, (H, W, 3), after a check of its file.

    Raises:
        ValueError: the file is missing or not the expected one.
    """
    path = files(credit.package) / credit.file
    if not path.is_file():
        raise ValueError(
            f"{credit.package} has no {credit.file}; reinstall it from its wheel, in the version of "
            "constraints.txt"
        )
    content = path.read_bytes()
    got = hashlib.sha256(content).hexdigest()
    if got != credit.sha256:
        raise ValueError(
            f"{credit.package}'s {credit.file} is not the expected one: sha256 is {got}, wanted "
            f"{credit.sha256}; reinstall it in the version of constraints.txt"
        )
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB").reduce(credit.shrink))


def regions(
    shape: tuple[int, ...], window: int, rng: np.random.Generator, name: str = "photograph"
) -> NDArray[np.int64]:
    """Return which pixels are for testing: 0 none, else the number of their tile, (H, W).

    Args:
        shape: height and width, pixels.
        window: side of a patch in the photograph, pixels.
        rng: draws the tiles, one in four, rounded up.
        name: of the photograph, for the error.

    Raises:
        ValueError: fewer than four tiles fit.
    """
    side = int(window * _TILE)
    down, across = shape[0] // side, shape[1] // side
    if down * across < _ONE_IN:
        raise ValueError(
            f"{name} is {shape[1]} x {shape[0]} pixels and has no room for {_ONE_IN} tiles of {side}; "
            "take a smaller size or field"
        )
    drawn = rng.choice(down * across, -(-down * across // _ONE_IN), replace=False)
    held_out = np.zeros(shape[:2], np.int64)
    for tile in drawn.tolist():
        top, left = tile // across * side, tile % across * side
        held_out[top : top + side, left : left + side] = tile + 1
    return held_out


def _within(part: NDArray[np.int64] | NDArray[np.bool_], window: int) -> NDArray[np.bool_]:
    """Return at which top left corners a window holds one value of `part` only, and not 0."""
    values = part.astype(np.int64)
    sums, squares = _box_sum(values, window), _box_sum(values**2, window)
    corner = values[: sums.shape[0], : sums.shape[1]]
    # Mean and mean square that are the corner's leave no variance.
    whole: NDArray[np.bool_] = (
        (corner > 0) & (sums == corner * window**2) & (squares == corner**2 * window**2)
    )
    return whole


def _spread(photo: NDArray[np.uint8], window: int) -> NDArray[np.float64]:
    """Return the standard deviation of grey levels in each window, by its top left corner."""
    grey = photo.astype(np.int64).sum(2)
    mean = _box_sum(grey, window) / window**2
    variance: NDArray[np.float64] = _box_sum(grey**2, window) / window**2 - mean**2
    return np.sqrt(np.maximum(variance, 0)) / 3


def _cut(photo: NDArray[np.uint8], corners: NDArray[np.int64], size: int, field: int) -> NDArray[np.uint8]:
    """Return the patches at the corners, (n, size, size, 3), each pixel a mean of field * field."""
    window = size * field
    cut = np.stack([photo[top : top + window, left : left + window] for top, left in corners.tolist()])
    sums = cut.reshape(len(cut), size, field, size, field, 3).astype(np.int64).sum((2, 4))
    # To the nearest whole level, halves up.
    means: NDArray[np.int64] = (2 * sums + field**2) // (2 * field**2)
    return means.astype(np.uint8)


def _box_sum(values: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """Return the sum of every window, by its top left corner: (H - window + 1, W - window + 1)."""
    padded: NDArray[np.int64] = np.pad(values, ((1, 0), (1, 0)))
    total: NDArray[np.int64] = np.cumsum(np.cumsum(padded, 0), 1)
    rows: NDArray[np.int64] = total[window:] - total[:-window]
    sums: NDArray[np.int64] = rows[:, window:] - rows[:, :-window]
    return sums


def _split(parts: list[Patches]) -> Split:
    images, corners = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    labels = np.repeat(np.arange(len(parts), dtype=np.int64), len(parts[0][0]))
    factors = {"top": np.ascontiguousarray(corners[:, 0]), "left": np.ascontiguousarray(corners[:, 1])}
    return Split(images, labels, factors)
