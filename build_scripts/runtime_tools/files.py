"""Hashes, sizes and renames: what every step of the runtime build does with files."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

__all__ = ["FileEntry", "describe", "intact", "key_of", "locked", "prune", "replaced_folder", "sha256"]


class FileEntry(TypedDict):
    """One file of `runtime.json`: its path there, what it is for, sizes in bytes, its hash."""

    path: str
    phase: str
    bytes: int
    gzip: int
    sha256: str


def sha256(path: Path) -> str:
    """Return the hash of a file, in hex; read once while its size and its time of change stay."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


# While serving, the runtime is looked at after every edit of a page.
@lru_cache(maxsize=1024)
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(folder: Path, path: str, phase: str) -> FileEntry:
    """Return the entry of one file; `gzip` is its size at level 6, where most servers stand."""
    content = (folder / path).read_bytes()
    packer = zlib.compressobj(6, wbits=31)
    packed = len(packer.compress(content)) + len(packer.flush())
    digest = hashlib.sha256(content).hexdigest()
    return {"path": path, "phase": phase, "bytes": len(content), "gzip": packed, "sha256": digest}


def intact(folder: Path, entries: Iterable[FileEntry]) -> bool:
    """Tell whether every file is there with the bytes that were recorded."""
    return all(
        (folder / entry["path"]).is_file()
        and (folder / entry["path"]).stat().st_size == entry["bytes"]
        and sha256(folder / entry["path"]) == entry["sha256"]
        for entry in entries
    )


def key_of(*, texts: Iterable[str] = (), files: Iterable[tuple[str, Path]] = ()) -> str:
    """Return a short hash of named inputs; equal inputs give equal keys."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"text {len(text)} {text}\n".encode())
    for name, path in files:
        digest.update(f"file {name} {sha256(path)}\n".encode())
    return digest.hexdigest()[:20]


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `target` when the block ends without error.

    A reader of `target` sees the old content or the new, and after an error the old.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    work.chmod(0o755)
    try:
        yield work
        if target.exists():
            aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
            os.rename(target, aside / "was")
            os.rename(work, target)
            shutil.rmtree(aside)
        else:
            os.rename(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process alone; a second build waits for the first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def prune(folder: Path, keep: int) -> None:
    """Remove all but the `keep` newest entries of a cache folder."""
    entries = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[keep:]:
        shutil.rmtree(path, ignore_errors=True)
