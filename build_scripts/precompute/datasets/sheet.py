"""A contact sheet of a dataset: examples of every class, to look at before training on them.

python -m build_scripts.precompute.datasets.sheet factors --out factors.png
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from build_scripts.look.mpl import book_style
from build_scripts.precompute.datasets.base import Dataset, load, names

__all__ = ["main", "sheet"]

# Inches: a picture's side, the gap between pictures and between the parts, the names, the head, the margin.
_SIDE, _GAP, _BETWEEN, _NAMES, _HEAD, _FOOT = 0.62, 0.055, 0.26, 1.05, 0.94, 0.20
_TEST = 3


def sheet(dataset: Dataset, columns: int = 12) -> Figure:
    """Draw the first images of every class: most from the training part, the last three from the test part.

    Args:
        dataset: what to show; its classes are the rows.
        columns: images in a row, 4 to 24.

    Returns:
        A figure of as many inches as it needs.

    Raises:
        ValueError: columns is out of range.
    """
    if not 4 <= columns <= 24:
        raise ValueError(f"columns must be 4 to 24, got {columns}")
    step = _SIDE + _GAP
    width = _NAMES + columns * step + _BETWEEN + _FOOT
    height = _HEAD + len(dataset.classes) * step + _FOOT
    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("none")
    train = columns - _TEST

    def put(x: float, y: float, text: str, **look: Any) -> None:
        figure.text(x / width, 1 - y / height, text, **look)

    sizes = f"{len(dataset.train)} to train on, {len(dataset.test)} to test on"
    put(_FOOT, 0.30, dataset.name, size=12, weight=600, va="center")
    put(_FOOT, 0.53, fill(f"{dataset.about} {sizes}.", 130), size=8, va="center", alpha=0.75)
    put(_NAMES, _HEAD - 0.06, "training part", size=7, va="bottom", alpha=0.75)
    put(_NAMES + train * step + _BETWEEN, _HEAD - 0.06, "test part", size=7, va="bottom", alpha=0.75)
    for row, word in enumerate(dataset.classes):
        top = _HEAD + row * step
        put(_NAMES - 0.12, top + _SIDE / 2, word, size=8.5, ha="right", va="center")
        rows = [_of(dataset, "train", row, train), _of(dataset, "test", row, _TEST)]
        for part, images in enumerate(rows):
            for column, image in enumerate(images):
                left = _NAMES + (part * train + column) * step + part * _BETWEEN
                place = (left / width, 1 - (top + _SIDE) / height, _SIDE / width, _SIDE / height)
                axes = figure.add_axes(place)
                axes.set_axis_off()
                grey = image.shape[2] == 1
                axes.imshow(
                    255 - image[..., 0] if grey else image,
                    cmap="gray" if grey else None,
                    vmin=0,
                    vmax=255,
                    interpolation="auto",
                )
    return figure


def _of(dataset: Dataset, part: str, label: int, count: int) -> NDArray[np.uint8]:
    split = dataset.train if part == "train" else dataset.test
    if split.labels is None:
        raise ValueError(f"the {part} part of {dataset.name} has no labels to sort its images by")
    return split.images[np.flatnonzero(split.labels == label)[:count]]


def main(arguments: list[str] | None = None) -> int:
    """Write the sheet that the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m build_scripts.precompute.datasets.sheet", description="Draw a contact sheet."
    )
    parser.add_argument("name", help=f"one of: {', '.join(names())}")
    parser.add_argument("--out", type=Path, required=True, help="the picture to write, .png, .svg or .pdf")
    parser.add_argument("--columns", type=int, default=12, help="images in a row (default 12)")
    parser.add_argument("--dpi", type=int, default=192, help="pixels an inch of a .png (default 192)")
    parser.add_argument(
        "--options", type=json.loads, default={}, help="of the dataset, as JSON: '{\"size\": 96}'"
    )
    given = parser.parse_args(arguments)
    try:
        dataset = load(given.name, **given.options)
        with book_style():
            sheet(dataset, given.columns).savefig(given.out, dpi=given.dpi)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given.out}: {dataset.name}, sha256 {dataset.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
