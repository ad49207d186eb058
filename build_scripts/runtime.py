"""Make the browser's Python: Pyodide, NumPy and the engine, compiled, trimmed, checked, hashed.

    python -m build_scripts.runtime [--out build/runtime]

What comes out is a folder of static files and `runtime.json`, which lists each file with its size
and sha256. How it is made and how a page loads it: docs/develop/runtime.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import TypedDict

from build_scripts import package_engine
from build_scripts.package_engine import EngineWheel
from build_scripts.runtime_tools.base import Base, base_runtime
from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.runtime_tools.files import FileEntry, describe, intact, locked, replaced_folder
from build_scripts.runtime_tools.lock import engine_entry, write_lock
from build_scripts.runtime_tools.sources import PYODIDE_VERSION, Pyodide, read_pyodide

__all__ = ["Manifest", "RuntimeBuildError", "build", "main"]

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "runtime"
PACKAGES = ["numpy", "sim_engine"]


class Manifest(TypedDict):
    """The content of `runtime.json`; see docs/develop/architecture.md."""

    pyodide: str
    python: str
    numpy: str
    engine: str
    module: str
    stdlib: str
    lock: str
    packages: list[str]
    files: list[FileEntry]


def build(out: Path, *, cache: Path = CACHE, root: Path = ROOT) -> Manifest:
    """Write the runtime to the folder `out` and return what `runtime.json` says.

    Nothing is written when `out` already holds this very runtime, undamaged. Otherwise it is
    written aside and renamed, so that a server never sees half of it.

    Args:
        out: folder to write; what was in it before is gone.
        cache: where the fetched wheel and compiled parts are kept.
        root: the project: `node_modules/`, `pyproject.toml`, `sim_engine/`.

    Raises:
        RuntimeBuildError: names what is missing or wrong, what was wanted, and what to do.
    """
    pyodide = read_pyodide(root / "node_modules" / "pyodide")
    with locked(cache):
        base = base_runtime(pyodide, cache)
        engine = package_engine.build(base, cache=cache, root=root)
        return _assemble(out, cache, pyodide, base, engine)


def _assemble(out: Path, cache: Path, pyodide: Pyodide, base: Base, engine: EngineWheel) -> Manifest:
    manifest: Manifest = {
        "pyodide": PYODIDE_VERSION,
        "python": base.python,
        "numpy": str(base.numpy["version"]),
        "engine": engine.version,
        "module": "pyodide.mjs",
        "stdlib": "python_stdlib.zip",
        "lock": "lock.json",
        "packages": list(PACKAGES),
        "files": [],
    }
    packages = [base.numpy, engine_entry(engine.version, engine.path)]
    lock = cache / "lock.json"
    write_lock(lock, pyodide.lock["info"], packages)
    manifest["files"] = sorted(
        [*base.files, describe(cache, lock.name, "runtime"), engine.entry],
        key=lambda entry: (["runtime", "numpy", "engine"].index(entry["phase"]), entry["path"]),
    )
    if not _current(out, manifest):
        with replaced_folder(out) as work:
            for entry in base.files:
                shutil.copyfile(base.folder / entry["path"], work / entry["path"])
            shutil.copyfile(base.folder / "NOTICE.txt", work / "NOTICE.txt")
            shutil.copyfile(engine.path, work / engine.path.name)
            shutil.copyfile(lock, work / lock.name)
            (work / "runtime.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


def _current(out: Path, manifest: Manifest) -> bool:
    try:
        there = json.loads((out / "runtime.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return bool(there == manifest) and intact(out, manifest["files"])


def table(manifest: Manifest) -> str:
    """Return the files as lines of text: phase, bytes, bytes gzipped, hash, path."""
    lines = [f"{'phase':<9}{'bytes':>11}{'gzip':>11}  {'sha256':<16}  file"]
    for entry in manifest["files"]:
        sizes = f"{entry['bytes']:>11,}{entry['gzip']:>11,}"
        lines.append(f"{entry['phase']:<9}{sizes}  {entry['sha256'][:16]}  {entry['path']}")
    whole = [
        sum(entry["bytes"] for entry in manifest["files"]),
        sum(entry["gzip"] for entry in manifest["files"]),
    ]
    lines.append(f"{'in all':<9}{whole[0]:>11,}{whole[1]:>11,}")
    versions = f"Pyodide {manifest['pyodide']}, Python {manifest['python']}, NumPy {manifest['numpy']}"
    return "\n".join([*lines, f"{versions}, sim_engine {manifest['engine']}"])


def main(argv: list[str] | None = None) -> int:
    """Build, and print sizes and hashes; 1 when it cannot be built."""
    parser = argparse.ArgumentParser(
        prog="python -m build_scripts.runtime", description="Make the browser's Python."
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "runtime", help="folder to write")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for what was fetched and compiled")
    options = parser.parse_args(argv)
    started = time.monotonic()
    try:
        manifest = build(options.out, cache=options.cache)
    except RuntimeBuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(manifest))
    print(f"{options.out}: ready in {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
