"""Where the pieces come from: the npm package `pyodide`, and NumPy's wheel by its recorded hash.

The npm package holds the interpreter and the lock file of its release; the lock file names
NumPy's wheel and its sha256. Wherever the wheel comes from, that hash decides.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.runtime_tools.files import sha256
from build_scripts.runtime_tools.progress import Progress

__all__ = ["CARRIER", "PYODIDE_VERSION", "Pyodide", "numpy_wheel", "read_pyodide"]

PYODIDE_VERSION = "314.0.3"
# A package that carries Pyodide's wheels inside its own: the way in where only PyPI can be reached.
CARRIER = "open-webui==0.12.4"
NEEDED = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
_PATIENCE = 10.0  # seconds without a byte from the official address


@dataclass(frozen=True)
class Pyodide:
    """The npm package as it lies in `node_modules`.

    Attributes:
        folder: where it lies.
        lock: its `pyodide-lock.json`.
        numpy: the lock's entry of NumPy.
        official: the address of this release's wheels, as the package itself names it; "" when it
            names none.
    """

    folder: Path
    lock: dict[str, Any]
    numpy: dict[str, Any]
    official: str


def read_pyodide(folder: Path) -> Pyodide:
    """Return the npm package at `folder`.

    Raises:
        RuntimeBuildError: it is missing, incomplete, or another version.
    """
    try:
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except FileNotFoundError:
        raise RuntimeBuildError(
            f"{folder}: the npm package pyodide {PYODIDE_VERSION} is not there; run `npm ci`"
        ) from None
    if version != PYODIDE_VERSION:
        raise RuntimeBuildError(
            f"{folder}: wanted pyodide {PYODIDE_VERSION}, got {version}; run `npm ci`, "
            "which installs the version that package-lock.json records"
        )
    for name in NEEDED:
        if not (folder / name).is_file():
            raise RuntimeBuildError(f"{folder / name} is missing from the npm package pyodide; run `npm ci`")
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    script = (folder / "pyodide.mjs").read_text(encoding="utf-8")
    named = re.search(r"`(https://[^`$]+/v)\$\{\w+\}(/full/)`", script)
    official = f"{named[1]}{version}{named[2]}" if named else ""
    return Pyodide(folder, lock, lock["packages"]["numpy"], official)


def numpy_wheel(pyodide: Pyodide, cache: Path, *, carrier: str = CARRIER) -> Path:
    """Return NumPy's wheel in `cache`, fetched if need be and equal to the recorded hash.

    The sources are tried in order: the cache, the official address, a package from PyPI that
    carries the same file. A cached file with another hash is thrown away and said so.

    Args:
        pyodide: the npm package, whose lock file has the hash.
        cache: folder where the wheel is kept.
        carrier: requirement of the package that carries the wheel; "" asks PyPI for nothing.

    Raises:
        RuntimeBuildError: no source had the file with the recorded hash; the message says what
            came from each.
    """
    name, wanted = str(pyodide.numpy["file_name"]), pyodide.numpy["sha256"]
    path = cache / name
    cache.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    if path.is_file():
        got = sha256(path)
        if got == wanted:
            return path
        said.append(f"the cache: {path} has sha256 {got} ({path.stat().st_size} bytes); thrown away")
        print(
            f"{path}: damaged (sha256 {got[:12]}…, wanted {wanted[:12]}…); fetching it again", file=sys.stderr
        )
        path.unlink()
    sources: list[tuple[str, Callable[[Path], None]]] = []
    if pyodide.official:
        address = pyodide.official + name
        sources.append((address, lambda target: _from_address(address, target)))
    if carrier:
        sources.append((f"pip download {carrier}", lambda target: _from_carrier(carrier, name, target)))
    for source, fetch in sources:
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            fresh = Path(folder, name)
            try:
                fetch(fresh)
            except (OSError, http.client.HTTPException, RuntimeBuildError, zipfile.BadZipFile) as error:
                said.append(f"{source}: {error}")
                continue
            got = sha256(fresh)
            if got == wanted:
                fresh.rename(path)
                return path
            said.append(f"{source}: it came with sha256 {got} ({fresh.stat().st_size} bytes); refused")
    raise RuntimeBuildError(
        f"{name}: wanted the file with sha256 {wanted} (recorded in {pyodide.folder / 'pyodide-lock.json'}), "
        "and no source had it:\n  "
        + "\n  ".join(said)
        + f"\nPut the file at {path} yourself, or build where one "
        "of these can be reached"
    )


def _from_address(address: str, target: Path) -> None:
    with urllib.request.urlopen(address, timeout=_PATIENCE) as answer, target.open("wb") as file:
        length = answer.headers.get("Content-Length")
        with Progress(target.name, int(length) if length else None) as progress:
            while block := answer.read(1 << 16):
                file.write(block)
                progress.add(len(block))


def _from_carrier(carrier: str, name: str, target: Path) -> None:
    """Let pip fetch the carrier, take the one member out and let the rest go."""
    print(
        f"{name}: asking PyPI for {carrier}, which carries it (about 106 MB, kept only for this)",
        file=sys.stderr,
    )
    command = [sys.executable, "-m", "pip", "download", carrier, "--no-deps", "--only-binary=:all:"]
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--dest", str(target.parent)]
    done = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeBuildError(f"pip ended with {done.returncode}: {last[-1]}")
    for wheel in target.parent.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            inside = [member for member in archive.namelist() if member.endswith("/" + name)]
            if not inside:
                raise RuntimeBuildError(f"{wheel.name} holds no {name}")
            with archive.open(inside[0]) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
        wheel.unlink()
        return
    raise RuntimeBuildError("pip fetched no wheel")
