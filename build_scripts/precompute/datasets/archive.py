"""A dataset published as one archive: finds, downloads, unpacks and checks its files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute.datasets.files import (
    Progress,
    checksums,
    compare,
    fetch,
    quiet,
    room,
    sized,
)
from build_scripts.runtime_tools.files import locked

__all__ = ["Archive", "Member", "again", "class_names", "find", "labels", "root_of"]

_CACHE = Path(__file__).resolve().parents[3] / ".cache" / "datasets"
_STAMPS = ".checked.json"


@dataclass(frozen=True)
class Member:
    """A file within an archive: its size in bytes, and what is known of its checksums."""

    size: int
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Archive:
    """A published .tar.gz.

    Attributes:
        address: where its authors publish it.
        size, md5, sha256: of the archive.
        folder: the folder that it holds.
        members: the files of that folder that are read, by name.
    """

    address: str
    size: int
    md5: str
    sha256: str
    folder: str
    members: Mapping[str, Member]

    @property
    def name(self) -> str:
        return self.address.rsplit("/", 1)[1]


def root_of(name: str, root: str | Path | None) -> Path:
    """Return a dataset's place: `root`, else $LWL_DATA/name, else the repository's .cache/datasets/name."""
    if root is not None:
        return Path(root).expanduser()
    kept = os.environ.get("LWL_DATA")
    return (Path(kept).expanduser() if kept else _CACHE) / name


def find(
    archive: Archive, root: Path, *, download: bool = False, progress: Progress = quiet
) -> tuple[Path, str]:
    """Return the unpacked folder and the sha256 of what it holds.

    The folder is `root`/`archive.folder`; where it is missing, it is unpacked from the archive in `root`, and
    where that is missing too, it is downloaded if `download` says so. Processes that ask at once wait for the
    first.

    Raises:
        ValueError: neither folder nor archive, or one of them is damaged, or there is no room.
    """
    folder, packed = root / archive.folder, root / archive.name
    if not folder.is_dir():
        if not packed.exists() and not download:
            raise ValueError(
                f"there is neither {folder} nor {packed}: load with download=True, or download "
                f"{archive.address} ({archive.size:,} bytes) and put it to {packed}"
            )
        try:
            with locked(root):
                if not folder.is_dir():
                    _get(archive, packed, progress)
                    _unpack(archive, packed, folder, progress)
        except OSError as error:
            raise ValueError(
                f"{root} cannot be used ({error}): unpack {archive.name} there yourself, or give another root"
            ) from error
    return folder, _check(archive, folder, progress)


def _get(archive: Archive, packed: Path, progress: Progress) -> None:
    """Download the archive, or check the one that is there."""
    sums = {"md5": archive.md5, "sha256": archive.sha256}
    fetch(archive.address, packed, size=archive.size, **sums, progress=progress)


def _unpack(archive: Archive, packed: Path, folder: Path, progress: Progress) -> None:
    """Unpack aside, then rename: `folder` is always whole or not there."""
    aside = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
    aside.mkdir()
    total = sum(member.size for member in archive.members.values())
    progress(f"unpacking {packed.name}", 0, total)
    try:
        with room(aside, total, f"what {packed.name} holds"), tarfile.open(packed, "r:gz") as tar:
            tar.extractall(aside, filter="data")
        for name, member in archive.members.items():
            sized(aside / folder.name / name, member.size, f"{packed} does not hold what it should")
        os.rename(aside / folder.name, folder)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ValueError(f"{packed} cannot be unpacked ({error}); remove it and load again") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _check(archive: Archive, folder: Path, progress: Progress) -> str:
    """Compare every member with what is published; return the sha256 of their names and sha256s.

    A file's content is read once; later its size and its times tell whether it is still the same.
    """
    stamps, fresh = _stamps(folder), {}
    total = hashlib.sha256()
    for name, member in archive.members.items():
        path = folder / name
        sized(path, member.size, again(folder))
        state = path.stat()
        mark = [state.st_size, state.st_mtime_ns, state.st_ctime_ns]
        kept = stamps.get(name, {})
        sums = kept["sums"] if kept.get("mark") == mark else checksums(path, progress)
        compare(path, sums, md5=member.md5, sha256=member.sha256, remedy=again(folder))
        fresh[name] = {"mark": mark, "sums": sums}
        total.update(f"{name} {sums['sha256']}\n".encode())
    if fresh != stamps:
        _keep_stamps(folder, fresh)
    return total.hexdigest()


def _stamps(folder: Path) -> dict[str, Any]:
    try:
        stamps: dict[str, Any] = json.loads((folder / _STAMPS).read_text())
    except (OSError, ValueError):  # missing or damaged: the files are read again
        return {}
    return stamps if isinstance(stamps, dict) else {}


def _keep_stamps(folder: Path, stamps: dict[str, Any]) -> None:
    aside = folder / f"{_STAMPS}.{os.getpid()}"
    try:
        aside.write_text(json.dumps(stamps))
        os.replace(aside, folder / _STAMPS)
    except OSError:  # a folder that others own: the files are read again every time
        return


def again(folder: Path) -> str:
    """Say how to get a folder anew."""
    return f"remove {folder} and load again: the archive beside it is unpacked, or download=True gets it"


def class_names(path: Path, count: int) -> tuple[str, ...]:
    """Read one name a line; blank lines do not count.

    Raises:
        ValueError: the file is missing, or has another number of names.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}; {again(path.parent)}")
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    found = tuple(line.strip() for line in lines if line.strip())
    if len(found) != count:
        raise ValueError(f"{path} has {len(found)} class names, wanted {count}; {again(path.parent)}")
    return found


def labels(values: NDArray[np.uint8], path: Path, *, first: int, count: int) -> NDArray[np.int64]:
    """Return labels 0 to `count` - 1 from a file's `first` to `first` + `count` - 1.

    Raises:
        ValueError: a label is outside.
    """
    wrong = np.flatnonzero((values < first) | (values >= first + count))
    if wrong.size:
        raise ValueError(
            f"{path}: label {values[wrong[0]]} of image {wrong[0]} (the first is 0) is not in {first} to "
            f"{first + count - 1}; {again(path.parent)}"
        )
    return values.astype(np.int64) - first
