"""Runs in the browser's Python: compile the sources of zip archives and write them anew.

Bytecode belongs to one interpreter version, so the interpreter that will read it compiles it.
The archives are written here too: the zlib is then the pinned one, and the bytes do not depend
on the machine that builds.

    inside_compile.py PLAN.json

The plan is a list of {source, target, prefix, keep, record}: which archive, where to, the folder
its files will have in the browser (tracebacks name it), the members to keep, and the wheel's
RECORD, or null.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import sys
import zipfile
from importlib import _bootstrap_external
from pathlib import Path
from typing import Any

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold


def compiled(name: str, source: bytes, prefix: str) -> bytes:
    """Return the `.pyc` of one source file; its hash is stored and never checked.

    Without docstrings and asserts, as `python -OO` does: they are a sixth of the three archives,
    and what is imported is read at every start.
    """
    code = compile(source, prefix + name, "exec", dont_inherit=True, optimize=2)
    pyc: bytes = _bootstrap_external._code_to_hash_pyc(code, importlib.util.source_hash(source), False)  # type: ignore[attr-defined]
    return bytes(pyc)


def record(name: str, files: dict[str, bytes]) -> bytes:
    """Return a wheel's RECORD: path, urlsafe sha256 without padding, size."""
    lines = []
    for path in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(files[path])}\n")
    return "".join([*lines, f"{name},,\n"]).encode()


def write(target: Path, files: dict[str, bytes]) -> None:
    """Write a zip whose bytes depend on `files` alone."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])


def convert(source: str, target: str, prefix: str, keep: list[str], record_name: str | None) -> None:
    """Write `target` from the members `keep` of `source`, every `.py` as a `.pyc` in its place."""
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(source) as archive:
        for name in keep:
            content = archive.read(name)
            if name.endswith(".py"):
                files[name + "c"] = compiled(name, content, prefix)
            elif name != record_name:
                files[name] = content
    if record_name is not None:
        files[record_name] = record(record_name, files)
    write(Path(target), files)


def main() -> None:
    plan: list[dict[str, Any]] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for step in plan:
        convert(step["source"], step["target"], step["prefix"], step["keep"], step["record"])


if __name__ == "__main__":
    main()
