"""Finished cells on disk: one file each, whole or not there."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute.sweep.cell import Arrays, Cell, check
from build_scripts.precompute.whole import write_file

__all__ = ["Store"]

_log = logging.getLogger(__name__)
_ABOUT = "_cell"


class Store:
    """The folder of a sweep's finished cells.

    Args:
        folder: made when it is not there.
        fingerprint: of the code that makes the cells; a cell with another one counts as not made.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = Path(folder), fingerprint

    def path(self, cell: Cell) -> Path:
        """Return the file of a cell."""
        return self.folder / f"{cell.key}.npz"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, so that two sweeps do not write the same files.

        Raises:
            ValueError: another sweep holds it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ".lock", "w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f"folder must not be in use: another sweep is at work in {self.folder}; "
                    "wait for it or name another folder"
                ) from None
            yield

    def finished(self, cells: Sequence[Cell]) -> dict[str, Arrays]:
        """Return the cells that are on disk, by key; a damaged file is named in the log and removed."""
        check(cells)
        found = {}
        for cell in cells:
            arrays = self._read(cell)
            if arrays is not None:
                found[cell.key] = arrays
        return found

    def _read(self, cell: Cell) -> Arrays | None:
        path = self.path(cell)
        if not path.exists():
            return None
        try:
            with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}  # reading checks each one's CRC
            about = json.loads(str(arrays.pop(_ABOUT)))
        except (OSError, MemoryError):
            raise
        except Exception as error:
            # zipfile, zlib, numpy and json each have errors of their own for a file cut short or altered.
            _log.warning("%s is damaged (%s); removed, to be computed again", path, error)
            path.unlink()
            return None
        if about != self._about(cell):
            _log.info("%s was made with other settings or other code; to be computed again", path)
            return None
        return arrays

    def save(self, cell: Cell, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a finished cell aside, to the disk itself, then rename it.

        Raises:
            NotWritten: the disk is full or refuses; nothing of this cell is left.
        """
        path = self.path(cell)
        about: Arrays = {_ABOUT: np.array(json.dumps(self._about(cell)))}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            # As np.savez_compressed does it, but with every name free for a result.
            for name, array in (about | dict(arrays)).items():
                with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        write_file(path, buffer.getbuffer(), f"cell {cell.key!r}")

    def _about(self, cell: Cell) -> dict[str, str]:
        return {"key": cell.key, "settings": cell.text, "fingerprint": self.fingerprint}
