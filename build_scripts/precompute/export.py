"""Writes a data folder: arrays, and a manifest that says where they come from. All of it, or nothing.

A browser asks for every file on its own, so small arrays of one dtype share a file, end to end; a large
one keeps a file of its own name.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from build_scripts.precompute.quantise import Exported
from build_scripts.precompute.whole import replace_folder

__all__ = ["CONTRACT", "LIMIT", "manifest_text", "write"]

CONTRACT = 1
LIMIT = 2 * 2**20  # bytes a sim
SMALL = 4096  # bytes; an array up to here shares a file


def write(folder: Path, arrays: Mapping[str, Exported], manifest: Mapping[str, Any]) -> None:
    """Write `arrays` and `manifest` beside `folder`, then put the whole in its place.

    Args:
        folder: the data folder; one that exists is replaced.
        arrays: name to stored array; two or more small ones of a dtype lie together in `small_<dtype>.npy`.
        manifest: everything but `contract` and `arrays`.

    Raises:
        ValueError: an array has the name of a shared file, or the folder would be larger than 2 MiB;
            nothing is written.
        NotWritten: the disk is full or refuses; an older folder is as it was.
    """
    groups = _groups(arrays)
    files = {file: _npy([arrays[name] for name in names]) for file, names in groups.items()}
    packed = {
        name: _entry(arrays[name], file, files[file], start)
        for file, names in groups.items()
        for name, start in zip(names, _starts([arrays[name] for name in names]), strict=True)
    }
    entries = {name: packed[name] for name in arrays}
    whole = {"contract": CONTRACT, **manifest, "arrays": entries}
    text = manifest_text(whole)
    size = sum(map(len, files.values())) + len(text.encode())
    if size > LIMIT:
        largest = max(arrays, key=lambda name: arrays[name].array.nbytes)
        raise ValueError(
            f"{folder} would hold {size} bytes, the limit is {LIMIT}; the largest array is {largest} "
            f"({arrays[largest].array.nbytes} bytes): record less"
        )
    replace_folder(folder, {**files, "manifest.json": text.encode()}, "the data")


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """Return a manifest as it is stored; a number that is none is an error of `json`."""
    return json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _groups(arrays: Mapping[str, Exported]) -> dict[str, list[str]]:
    """Return which arrays each file holds, in their own order."""
    small = {name: str(e.array.dtype) for name, e in arrays.items() if e.array.nbytes <= SMALL}
    shared = {dtype: f"small_{dtype}.npy" for dtype, count in Counter(small.values()).items() if count > 1}
    groups: dict[str, list[str]] = {}
    for name in arrays:
        own = f"{name}.npy"
        if own in shared.values():
            raise ValueError(f"no array may be called {name!r}, the name of a shared file; call it otherwise")
        groups.setdefault(shared.get(small.get(name, ""), own), []).append(name)
    return groups


def _starts(exported: list[Exported]) -> list[int | None]:
    """Return where each array of a shared file begins, in elements; None for an array on its own."""
    if len(exported) == 1:
        return [None]
    return [sum(e.array.size for e in exported[:i]) for i in range(len(exported))]


def _npy(exported: list[Exported]) -> bytes:
    """Return the file of one array as it is, or of several, flat and end to end."""
    shared = len(exported) > 1
    whole = np.concatenate([e.array.ravel() for e in exported]) if shared else exported[0].array
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(whole, order="C"), allow_pickle=False)
    return buffer.getvalue()


def _entry(exported: Exported, file: str, content: bytes, start: int | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"file": file, "sha256": hashlib.sha256(content).hexdigest()}
    if start is not None:
        entry["start"] = start
    entry |= {"shape": list(exported.array.shape), "dtype": str(exported.array.dtype)}
    if exported.scale is not None:
        entry |= {"scale": exported.scale, "offset": exported.offset, "max_error": exported.max_error}
    return entry | {"unit": exported.unit, "about": exported.about}
