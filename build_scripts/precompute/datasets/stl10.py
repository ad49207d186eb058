"""STL-10 (Coates, Lee & Ng 2011), from its published binary files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute.datasets.archive import (
    Archive,
    Member,
    again,
    class_names,
    find,
    labels,
    root_of,
)
from build_scripts.precompute.datasets.base import Dataset, Split, register
from build_scripts.precompute.datasets.files import Progress, Shown, sized

__all__ = ["ARCHIVE", "COUNTS", "load", "read"]

SIDE = 96  # pixels
IMAGE = 3 * SIDE * SIDE  # bytes
CLASSES = 10
COUNTS: Mapping[str, int] = {"train": 5000, "test": 8000, "unlabeled": 100_000}

# Address as on the authors' page; file names and md5s as in torchvision's STL10; size and sha256 as in
# TensorFlow Datasets' stl10.
ARCHIVE = Archive(
    address="http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    size=2_640_397_119,
    md5="91f7769df0f17e558f3565bffb0c7dfb",
    sha256="f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
    folder="stl10_binary",
    members={
        "train_X.bin": Member(5000 * IMAGE, md5="918c2871b30a85fa023e0c44e0bee87f"),
        "train_y.bin": Member(5000, md5="5a34089d4802c674881badbb80307741"),
        "test_X.bin": Member(8000 * IMAGE, md5="7f263ba9f9e0b06b93213547f721ac82"),
        "test_y.bin": Member(8000, md5="36f9794fa4beb8a2c72628de14fa638e"),
        "unlabeled_X.bin": Member(100_000 * IMAGE, md5="5242ba1fed5e4be9e1e742405eb56ca4"),
    },
)


@register("stl10")
def load(root: str | Path | None = None, download: bool = False, progress: Progress | None = None) -> Dataset:
    """Return STL-10: 5000 images to train on, 8000 to test, and 100,000 without labels.

    Images are uint8 (n, 96, 96, 3). The unlabelled ones stay on the disk, mapped into memory: take rows of
    them.

    Args:
        root: folder of `stl10_binary` or of `stl10_binary.tar.gz`; default $LWL_DATA/stl10, else
            .cache/datasets/stl10 in the repository.
        download: whether to download the archive (2.6 GB, and 3.1 GB unpacked) where neither is there.
        progress: called with (what, bytes done, bytes in all); default a line every few seconds.

    Raises:
        ValueError: the files are missing or damaged, or a download fails.

    Source:
        https://cs.stanford.edu/~acoates/stl10/
    """
    progress = Shown() if progress is None else progress
    folder, sha256 = find(ARCHIVE, root_of("stl10", root), download=download, progress=progress)
    classes, train, test, unlabelled = read(folder, COUNTS)
    return Dataset(
        name="stl10",
        about="Colour photographs of 96 x 96 pixels, ten classes, most of them without a label.",
        licence="none is stated by the authors, whose page says that the images come from ImageNet",
        source="Coates, A., Lee, H. and Ng, A. Y. (2011), https://cs.stanford.edu/~acoates/stl10/",
        sha256=sha256,
        classes=classes,
        train=train,
        test=test,
        unlabelled=unlabelled,
    )


def read(folder: Path, counts: Mapping[str, int]) -> tuple[tuple[str, ...], Split, Split, Split]:
    """Return class names and the parts train, test and unlabelled from the unpacked folder.

    Args:
        counts: images a part: "train", "test" and "unlabeled"; published are `COUNTS`.

    Raises:
        ValueError: a file is missing, its size is not that of so many images, or a label is not 1 to 10.
    """
    train, test = (
        Split(np.ascontiguousarray(_images(folder, part, counts)), _labels(folder, part, counts))
        for part in ("train", "test")
    )
    names = class_names(folder / "class_names.txt", CLASSES)
    return names, train, test, Split(_images(folder, "unlabeled", counts))


def _images(folder: Path, part: str, counts: Mapping[str, int]) -> NDArray[np.uint8]:
    path = folder / f"{part}_X.bin"
    sized(path, counts[part] * IMAGE, again(folder))
    # An image is column-major: red, green, blue; in each, column after column, and in each, down the rows.
    stored = np.memmap(path, np.uint8, "r", shape=(counts[part], 3, SIDE, SIDE))  # (n, C, W, H)
    return stored.transpose(0, 3, 2, 1)  # (n, H, W, C)


def _labels(folder: Path, part: str, counts: Mapping[str, int]) -> NDArray[np.int64]:
    path = folder / f"{part}_y.bin"
    sized(path, counts[part], again(folder))
    return labels(np.fromfile(path, np.uint8), path, first=1, count=CLASSES)
