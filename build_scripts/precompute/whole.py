"""Files and folders that are put in place as a whole: beside it first, then by one rename."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

__all__ = ["NotWritten", "remedy", "replace_folder", "write_file"]

# Linux' renameat2: two names change places, in one step.
_EXCHANGE, _HERE = 2, -100


class NotWritten(OSError):
    """A file could not be written; the message names it and says what to do. Nothing of it is left."""


def remedy(error: OSError) -> str:
    """Return what whoever started the command can do about an error of the file system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room and run again: what is finished is kept"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "allow writing there, or name other folders with --out and --work"
    return "once the cause is gone, run again: what is finished is kept"


def write_file(path: Path, content: bytes | memoryview, what: str) -> None:
    """Write a file aside, to the disk itself, then rename it; `path` is whole at any moment, or not there.

    Args:
        path: the file; one that exists is replaced. Its folder is made.
        content: all of it.
        what: the content in words, for the error.

    Raises:
        NotWritten: the disk is full or refuses; an older file is as it was, and nothing else is left.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(aside, content)
        os.replace(aside, path)
    except BaseException as error:
        _forget(aside)
        if not isinstance(error, OSError):
            raise
        raise _refused(error, what, path, len(content)) from error
    _sync(path.parent)


def replace_folder(folder: Path, files: Mapping[str, bytes], what: str) -> None:
    """Write a folder's files aside, to the disk itself, then put the folder in place of an older one.

    On Linux old and new change places in one step, where the file system can. Elsewhere a kill between
    two renames leaves the old folder under another name, and the next call puts it back.

    Args:
        folder: its parents are made; what it held is gone afterwards.
        files: name to content.
        what: the content in words, for the error.

    Raises:
        NotWritten: the disk is full or refuses; an older folder is as it was, and nothing else is left.
    """
    aside = folder.with_name(f".{folder.name}.aside")
    before = folder.with_name(f".{folder.name}.before")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if before.exists() and not folder.exists():
            before.rename(folder)  # a run was killed between the two renames below
        for stale in (aside, before):
            shutil.rmtree(stale, ignore_errors=True)
        aside.mkdir()
        for name, content in files.items():
            _write(aside / name, content)
        _sync(aside)
        if not folder.exists():
            os.rename(aside, folder)
        elif not _exchanged(aside, folder):
            os.rename(folder, before)
            os.rename(aside, folder)
    except BaseException as error:
        if before.exists() and not folder.exists():
            before.rename(folder)
        if not isinstance(error, OSError):
            raise
        raise _refused(error, what, folder, sum(map(len, files.values()))) from error
    finally:
        for stale in (aside, before):
            shutil.rmtree(stale, ignore_errors=True)
    _sync(folder.parent)


def _write(path: Path, content: bytes | memoryview) -> None:
    with open(path, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _exchanged(one: Path, other: Path) -> bool:
    """Let two names change places; False where system or file system cannot."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return bool(call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


def _forget(path: Path) -> None:
    # An error: its folder is no folder, or may not be written to; then nothing was written either.
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _refused(error: OSError, what: str, path: Path, size: int) -> NotWritten:
    return NotWritten(
        error.errno,
        f"{what} could not be written to {path} ({error.strerror}; it takes {size:,} bytes); {remedy(error)}",
    )


def _sync(folder: Path) -> None:
    """Make a rename last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
