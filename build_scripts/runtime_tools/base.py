"""The part of the runtime that does not depend on the engine: interpreter, library, NumPy.

It is compiled, trimmed and checked once, and kept in the cache under a key of everything that
went into it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_scripts.runtime_tools import checks
from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.runtime_tools.files import FileEntry, describe, intact, key_of, prune, replaced_folder
from build_scripts.runtime_tools.lock import numpy_entry, write_lock
from build_scripts.runtime_tools.node import run_inside
from build_scripts.runtime_tools.notice import write_notice
from build_scripts.runtime_tools.sources import Pyodide, numpy_wheel
from build_scripts.runtime_tools.trim import keep_numpy, keep_stdlib

__all__ = ["COMPILE", "NUMPY_LOCK", "STDLIB_PREFIX", "WHEEL_PREFIX", "Base", "base_runtime"]

COMPILE = Path(__file__).with_name("inside_compile.py")
STDLIB_PREFIX = "/lib/python314.zip/"
WHEEL_PREFIX = "/lib/python3.14/site-packages/"
NUMPY_LOCK = "numpy-lock.json"  # NumPy alone: what the engine is compiled and the base checked with
_UNCHANGED = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")


@dataclass(frozen=True)
class Base:
    """The cached folder and what is in it.

    Attributes:
        folder: holds the files of `files`, and a lock file with NumPy alone.
        key: of everything that went into it.
        files: as in `runtime.json`.
        python: the version of the interpreter, as it says itself.
        numpy: the lock entry of the rewritten wheel.
    """

    folder: Path
    key: str
    files: list[FileEntry]
    python: str
    numpy: dict[str, Any]


def base_runtime(pyodide: Pyodide, cache: Path) -> Base:
    """Return the base runtime, from the cache when nothing that it is made of has changed.

    Raises:
        RuntimeBuildError: NumPy's wheel cannot be had, or a check fails.
    """
    key = _key(pyodide)
    folder = cache / "base" / key
    if (base := _cached(folder, key)) is not None:
        return base
    wheel = numpy_wheel(pyodide, cache)
    with replaced_folder(folder) as work:
        _compile(pyodide, wheel, work)
        files = [describe(work, name, "runtime") for name in (*_UNCHANGED, "python_stdlib.zip")]
        files.append(describe(work, wheel.name, "numpy"))
        numpy = numpy_entry(pyodide.numpy, work / wheel.name)
        python = checks.check_base(pyodide, wheel, work, numpy)
        write_notice(work / "NOTICE.txt", python=python, numpy=str(numpy["version"]))
        content = {"files": files, "python": python, "numpy": numpy}
        write_lock(work / NUMPY_LOCK, pyodide.lock["info"], [numpy])
        (work / "base.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    prune(folder.parent, keep=2)
    fresh = _cached(folder, key)
    if fresh is None:
        raise RuntimeBuildError(f"{folder}: changed while it was being written; run the build again")
    return fresh


def _key(pyodide: Pyodide) -> str:
    own = sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".mjs", ".txt"))
    inputs = [pyodide.folder / name for name in (*_UNCHANGED, "python_stdlib.zip", "pyodide-lock.json")]
    return key_of(texts=[pyodide.numpy["sha256"]], files=[(path.name, path) for path in (*own, *inputs)])


def _cached(folder: Path, key: str) -> Base | None:
    try:
        content = json.loads((folder / "base.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if not intact(folder, content["files"]):
        print(f"{folder}: a cached file is damaged; making the runtime anew", file=sys.stderr)
        return None
    return Base(folder, key, content["files"], content["python"], content["numpy"])


def _compile(pyodide: Pyodide, wheel: Path, work: Path) -> None:
    for name in _UNCHANGED:
        shutil.copyfile(pyodide.folder / name, work / name)
    stdlib = pyodide.folder / "python_stdlib.zip"
    record = f"numpy-{pyodide.numpy['version']}.dist-info/RECORD"
    plan = [
        _step(stdlib, "python_stdlib.zip", STDLIB_PREFIX, keep_stdlib(_members(stdlib)), None),
        _step(wheel, wheel.name, WHEEL_PREFIX, keep_numpy(_members(wheel)), record),
    ]
    with tempfile.TemporaryDirectory() as job:
        for source in (stdlib, wheel):
            shutil.copyfile(source, Path(job, "in-" + source.name))
        Path(job, "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        run_inside(
            COMPILE, ["/job/plan.json"], index=pyodide.folder, mounts={"/job": Path(job), "/out": work}
        )


def _step(source: Path, target: str, prefix: str, keep: list[str], record: str | None) -> dict[str, Any]:
    return {
        "source": f"/job/in-{source.name}",
        "target": f"/out/{target}",
        "prefix": prefix,
        "keep": keep,
        "record": record,
    }


def _members(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as content:
        return content.namelist()
