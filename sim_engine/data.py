"""Recorded arrays beside a sim, read the same way at build and in the browser.

A file holds one array, or several of one dtype, flat and end to end in the manifest's order: an entry
with a `start` is the part of its file that begins at that element and has the entry's shape.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Recorded", "load"]


class Recorded(Mapping[str, NDArray[Any]]):
    """The arrays of one `data/` folder, each file checked against the manifest when it is first read.

    Attributes:
        folder: where the files and `manifest.json` lie.
        manifest: the whole manifest (recipe, seeds, versions, device, arrays).
        metrics: the manifest's metrics.

    Raises:
        ValueError: the manifest is missing, or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "manifest.json"
        try:
            self.manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self._arrays: dict[str, dict[str, Any]] = dict(self.manifest["arrays"])
            for entry in self._arrays.values():
                entry["file"], entry["sha256"]
        except FileNotFoundError:
            raise ValueError(f"{path} is missing; `make data` writes it") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged ({error!r}); `make data` writes it anew") from error
        self._read: dict[str, NDArray[Any]] = {}
        self._files: dict[tuple[str, str], NDArray[Any]] = {}

    @property
    def metrics(self) -> dict[str, Any]:
        """The numbers that the recipe measured."""
        metrics: dict[str, Any] = self.manifest.get("metrics", {})
        return metrics

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array; a quantised one comes back as float64, `stored * scale + offset`.

        Raises:
            KeyError: the manifest lists no such array.
            ValueError: the file is missing, or is not the one that the manifest describes, or the
                array does not lie in it as the manifest says.
        """
        if name not in self._read:
            if name not in self._arrays:
                raise KeyError(f"{self.folder} has no array {name!r}; it has {', '.join(self._arrays)}")
            self._read[name] = self._load(self._arrays[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def _load(self, entry: dict[str, Any]) -> NDArray[Any]:
        path = self.folder / entry["file"]
        key = entry["file"], entry["sha256"]
        if key not in self._files:
            whole = _open(path, entry["sha256"])
            together = {n: e for n, e in self._arrays.items() if e["file"] == entry["file"]}
            if len(together) > 1 or "start" in entry:
                _check_parts(whole, together, path)
            self._files[key] = whole
        array = self._files[key]
        dtype, shape = entry.get("dtype"), entry.get("shape")
        if dtype is not None and str(array.dtype) != dtype:
            raise ValueError(f"{path} must hold {dtype} by its manifest, got {array.dtype}")
        if "start" in entry:
            array = array[entry["start"] :][: math.prod(entry["shape"])].reshape(entry["shape"])
        elif shape is not None and list(array.shape) != list(shape):
            raise ValueError(f"{path} must have shape {shape} by its manifest, got {list(array.shape)}")
        if entry.get("scale") is not None:
            array = array.astype(np.float64) * entry["scale"] + entry.get("offset", 0.0)
        array.setflags(write=False)
        return array


def _open(path: Path, wanted: str) -> NDArray[Any]:
    """Return all that a file holds, once its sha256 is the wanted one."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path} is missing; `make data` writes it") from None
    got = hashlib.sha256(content).hexdigest()
    if got != wanted:
        raise ValueError(
            f"{path} is damaged: its sha256 is {got[:12]}…, the manifest says {wanted[:12]}…; "
            "restore it or run the recipe again"
        )
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def _check_parts(whole: NDArray[Any], entries: Mapping[str, dict[str, Any]], path: Path) -> None:
    """Refuse a file of many whose entries do not fill it end to end, in their order."""
    end = 0
    for name, entry in entries.items():
        start, shape = entry.get("start"), entry.get("shape")
        if not isinstance(shape, list) or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError(f"{path} holds several arrays, so {name} must have a shape, got {shape!r}")
        if type(start) is not int or start != end:
            raise ValueError(
                f"{path} holds its arrays end to end, so {name} must start at element {end}, "
                f"the manifest says {start!r}; `make data` writes both anew"
            )
        end += math.prod(shape)
    if whole.shape != (end,):
        raise ValueError(
            f"{path} must hold {end} elements in a row by its manifest, got shape {list(whole.shape)}"
        )


def load(sim_file: str | Path) -> Recorded:
    """Return the recorded arrays of the sim whose file is `sim_file`.

    Args:
        sim_file: the sim's own `__file__`; the arrays lie in `data/` beside it.

    Returns:
        The arrays by name; each file is read, and its hash checked, when it is first asked for.

    Raises:
        ValueError: there is no manifest, or it cannot be read.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as sim:
        ...     folder = Path(sim, "data")
        ...     folder.mkdir()
        ...     np.save(folder / "z.npy", np.arange(3.0))
        ...     digest = hashlib.sha256((folder / "z.npy").read_bytes()).hexdigest()
        ...     entry = {"file": "z.npy", "sha256": digest}
        ...     manifest = json.dumps({"arrays": {"z": entry}})
        ...     size = (folder / "manifest.json").write_text(manifest, encoding="utf-8")
        ...     load(Path(sim, "sim.py"))["z"]
        array([0., 1., 2.])
    """
    return Recorded(Path(sim_file).resolve().parent / "data")
