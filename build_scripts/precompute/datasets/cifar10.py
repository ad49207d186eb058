"""CIFAR-10 (Krizhevsky 2009), from its published binary files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

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

SIDE = 32  # pixels
IMAGE = 1 + 3 * SIDE * SIDE  # bytes: the label, then the pixels
CLASSES = 10
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = ("test_batch.bin",)
COUNTS: Mapping[str, int] = dict.fromkeys(TRAIN + TEST, 10_000)

_SHA256 = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
# Address and md5 as on the author's page; size and sha256 as in TensorFlow Datasets' cifar10; the
# sha256s of the files as in the Ruby port of torchvision.
ARCHIVE = Archive(
    address="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    size=170_052_171,
    md5="c32a1d4ab5d03f1284b67883e8d87530",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    folder="cifar-10-batches-bin",
    members={name: Member(COUNTS[name] * IMAGE, sha256=sha256) for name, sha256 in _SHA256.items()},
)


@register("cifar10")
def load(root: str | Path | None = None, download: bool = False, progress: Progress | None = None) -> Dataset:
    """Return CIFAR-10: 50,000 images to train on and 10,000 to test, uint8 (n, 32, 32, 3).

    Args:
        root: folder of `cifar-10-batches-bin` or of `cifar-10-binary.tar.gz`; default $LWL_DATA/cifar10, else
            .cache/datasets/cifar10 in the repository.
        download: whether to download the archive (170 MB, and 184 MB unpacked) where neither is there.
        progress: called with (what, bytes done, bytes in all); default a line every few seconds.

    Raises:
        ValueError: the files are missing or damaged, or a download fails.

    Source:
        https://www.cs.toronto.edu/~kriz/cifar.html
    """
    progress = Shown() if progress is None else progress
    folder, sha256 = find(ARCHIVE, root_of("cifar10", root), download=download, progress=progress)
    classes, train, test = read(folder, COUNTS)
    return Dataset(
        name="cifar10",
        about="Colour photographs of 32 x 32 pixels, ten classes.",
        licence="none is stated by the author, whose page asks that the technical report be cited",
        source="Krizhevsky, A. (2009), https://www.cs.toronto.edu/~kriz/cifar.html",
        sha256=sha256,
        classes=classes,
        train=train,
        test=test,
    )


def read(folder: Path, counts: Mapping[str, int]) -> tuple[tuple[str, ...], Split, Split]:
    """Return class names and the parts train and test from the unpacked folder.

    Args:
        counts: images a file, by its name; published are `COUNTS`.

    Raises:
        ValueError: a file is missing, its size is not that of so many images, or a label is not 0 to 9.
    """
    train, test = (_part(folder, names, counts) for names in (TRAIN, TEST))
    return class_names(folder / "batches.meta.txt", CLASSES), train, test


def _part(folder: Path, names: tuple[str, ...], counts: Mapping[str, int]) -> Split:
    images, found = [], []
    for name in names:
        path = folder / name
        sized(path, counts[name] * IMAGE, again(folder))
        rows = np.fromfile(path, np.uint8).reshape(-1, IMAGE)
        found.append(labels(rows[:, 0], path, first=0, count=CLASSES))
        images.append(rows[:, 1:].reshape(-1, 3, SIDE, SIDE))  # (n, C, H, W)
    together = np.concatenate(images).transpose(0, 2, 3, 1)  # (n, H, W, C)
    return Split(np.ascontiguousarray(together), np.concatenate(found))
