"""Pack `sim_engine` as one wheel for the browser.

    python -m build_scripts.package_engine [--out build/engine]

The wheel holds bytecode, compiled by the browser's own Python, and no sources: a reader's trace
names file and line, and the sources are in the repository. It loads faster than sources, which
the browser would compile on every visit. With it go the engine's loops of vectors, `*.wat`,
assembled for each dtype.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_scripts.runtime_tools import loops
from build_scripts.runtime_tools.base import COMPILE, NUMPY_LOCK, WHEEL_PREFIX, Base, base_runtime
from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.runtime_tools.files import (
    FileEntry,
    describe,
    intact,
    key_of,
    locked,
    prune,
    replaced_folder,
)
from build_scripts.runtime_tools.node import ASSEMBLE, assembled, assembler_version, run_inside
from build_scripts.runtime_tools.sources import read_pyodide

__all__ = ["EngineWheel", "build", "main"]

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "runtime"
LOOPS = tuple(f"sim_engine/{name}.wat" for name in ("product", "exponential", "row_max", "pair_scale"))


@dataclass(frozen=True)
class EngineWheel:
    """The engine's wheel in the cache.

    Attributes:
        path: the wheel.
        version: of the engine, from `pyproject.toml`.
        entry: its line of `runtime.json`.
    """

    path: Path
    version: str
    entry: FileEntry


def build(base: Base, *, cache: Path = CACHE, root: Path = ROOT) -> EngineWheel:
    """Return the engine's wheel, from the cache when neither engine nor runtime has changed.

    Args:
        base: the runtime that compiles it and will run it.
        root: the folder of `pyproject.toml` and `sim_engine/`.

    Raises:
        RuntimeBuildError: the engine is missing, or a file of it does not compile.
    """
    project = _project(root)
    sources = _sources(root)
    version = str(project["version"])
    key = key_of(
        texts=[base.key, json.dumps(project, sort_keys=True), assembler_version()],
        files=[
            *sources,
            *((name, root / name) for name in LOOPS),
            ("words", Path(loops.__file__)),
            ("LICENSE", root / "LICENSE"),
            ("packer", Path(__file__)),
            ("assembler", ASSEMBLE),
        ],
    )
    folder = cache / "engine" / key
    name = f"sim_engine-{version}-py3-none-any.whl"
    if (cached := _cached(folder, name, version)) is not None:
        return cached
    with replaced_folder(folder) as work:
        extra = {**_metadata(project, root), **_loops(root)}
        _compile(base, sources, extra, f"sim_engine-{version}.dist-info/RECORD", work / name)
        entry = describe(work, name, "engine")
        (work / "entry.json").write_text(json.dumps(entry), encoding="utf-8")
    prune(folder.parent, keep=4)
    return EngineWheel(folder / name, version, entry)


def _project(root: Path) -> dict[str, Any]:
    with (root / "pyproject.toml").open("rb") as file:
        project: dict[str, Any] = tomllib.load(file)["project"]
    wanted = ("name", "version", "description", "requires-python", "license", "dependencies")
    return {field: project[field] for field in wanted}


def _sources(root: Path) -> list[tuple[str, Path]]:
    folder = root / "sim_engine"
    found = [(path.relative_to(root).as_posix(), path) for path in sorted(folder.rglob("*.py"))]
    if not any(name == "sim_engine/__init__.py" for name, _ in found):
        raise RuntimeBuildError(
            f"{folder}: wanted the package sim_engine with an __init__.py; it is not there"
        )
    for name in LOOPS:
        if not (root / name).is_file():
            raise RuntimeBuildError(
                f"{root / name}: not found; the browser's wheel has it assembled. `git checkout -- {name}`"
            )
    return found


def _loops(root: Path) -> dict[str, bytes]:
    """Return the loops of vectors by their names in the wheel, for each dtype and way of rounding."""
    texts = {}
    for source in LOOPS:
        text = (root / source).read_text(encoding="utf-8")
        for fused in (False, True) if loops.fuses(text) else (False,):
            for dtype in loops.DTYPES:
                name = source.replace(".wat", f"{'_fused' if fused else ''}_{dtype}.wasm")
                texts[name] = (source, loops.spelt(text, dtype, fused=fused))
    return dict(zip(texts, assembled(list(texts.values())), strict=True))


def _metadata(project: dict[str, Any], root: Path) -> dict[str, bytes]:
    info = f"sim_engine-{project['version']}.dist-info"
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"Requires-Python: {project['requires-python']}",
        f"License-Expression: {project['license']}",
        "License-File: LICENSE",
        *(f"Requires-Dist: {needed}" for needed in project["dependencies"]),
    ]
    wheel = "Wheel-Version: 1.0\nGenerator: build_scripts\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    return {
        f"{info}/METADATA": ("\n".join(lines) + "\n").encode(),
        f"{info}/WHEEL": wheel.encode(),
        f"{info}/licenses/LICENSE": (root / "LICENSE").read_bytes(),
    }


def _cached(folder: Path, name: str, version: str) -> EngineWheel | None:
    try:
        entry: FileEntry = json.loads((folder / "entry.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if entry["path"] != name or not intact(folder, [entry]):
        return None
    return EngineWheel(folder / name, version, entry)


def _compile(
    base: Base, sources: list[tuple[str, Path]], extra: dict[str, bytes], record: str, target: Path
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        job = Path(scratch)
        with zipfile.ZipFile(job / "source.zip", "w") as archive:
            for name, path in sources:
                archive.writestr(name, path.read_bytes())
            for name, content in extra.items():
                archive.writestr(name, content)
        step = {
            "source": "/job/source.zip",
            "target": "/job/engine.whl",
            "prefix": WHEEL_PREFIX,
            "keep": sorted([name for name, _ in sources] + list(extra)),
            "record": record,
        }
        (job / "plan.json").write_text(json.dumps([step]), encoding="utf-8")
        run_inside(
            COMPILE,
            ["/job/plan.json"],
            index=base.folder,
            mounts={"/job": job},
            lock=base.folder / NUMPY_LOCK,
        )
        shutil.copyfile(job / "engine.whl", target)


def main(argv: list[str] | None = None) -> int:
    """Build the wheel alone and print its name, sizes and hash."""
    parser = argparse.ArgumentParser(prog="python -m build_scripts.package_engine", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "engine", help="folder for the wheel")
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args(argv)
    try:
        with locked(options.cache):
            base = base_runtime(read_pyodide(ROOT / "node_modules" / "pyodide"), options.cache)
            wheel = build(base, cache=options.cache)
    except RuntimeBuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(wheel.path, options.out / wheel.path.name)
    print(f"{options.out / wheel.path.name}  {wheel.entry['bytes']} bytes  sha256 {wheel.entry['sha256']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
