"""Under Node: run a Python file with the browser's own Python, and assemble WebAssembly."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from build_scripts.runtime_tools.errors import RuntimeBuildError

__all__ = ["ASSEMBLE", "assembled", "assembler_version", "find_node", "run_inside"]

OLDEST_NODE = 20
_HOST = Path(__file__).with_name("host.mjs")
ASSEMBLE = Path(__file__).with_name("assemble.mjs")


def find_node() -> str:
    """Return the path of a Node that is new enough.

    Raises:
        RuntimeBuildError: there is no Node on the PATH, or it is older than 20.
    """
    node = shutil.which("node")
    if node is None:
        raise RuntimeBuildError(
            f"node: not found on the PATH; the browser's Python is compiled under Node "
            f"{OLDEST_NODE} or newer. Install Node, then run `npm ci`"
        )
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = re.match(r"v(\d+)\.", said)
    if major is None or int(major[1]) < OLDEST_NODE:
        raise RuntimeBuildError(
            f"node: wanted version {OLDEST_NODE} or newer, {node} is {said or 'silent'}; update Node"
        )
    return node


def assembler_version() -> str:
    """Return the version of wabt.

    Raises:
        RuntimeBuildError: it is not installed.
    """
    package = ASSEMBLE.parents[2] / "node_modules" / "wabt" / "package.json"
    if not package.is_file():
        raise RuntimeBuildError(f"{package}: not found; the engine's loops are assembled by it. Run `npm ci`")
    return str(json.loads(package.read_text(encoding="utf-8"))["version"])


def assembled(texts: Sequence[tuple[str, str]]) -> list[bytes]:
    """Return WebAssembly texts as bytes that Pyodide loads as side modules, in their order.

    Args:
        texts: of each the file's name, for the message, and the text.

    Raises:
        RuntimeBuildError: no Node, or a fault in a text; the message names file and line.
    """
    command = [find_node(), str(ASSEMBLE)]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeBuildError(f"the engine's loops cannot be assembled:\n{done.stderr.strip()}")
    return [base64.b64decode(code) for code in json.loads(done.stdout)]


def run_inside(
    script: Path,
    argv: Sequence[str],
    *,
    index: Path,
    mounts: Mapping[str, Path],
    stdlib: Path | None = None,
    lock: Path | None = None,
    packages: Sequence[str] = (),
    timeout: float = 300.0,
) -> str:
    """Run `script` in the Pyodide that lies at `index` and return what it printed.

    Args:
        script: a Python file on this machine; it sees `argv` as `sys.argv[1:]`.
        mounts: {path inside: folder outside}.
        stdlib, lock: other files than those of `index`.
        packages: loaded from the lock and imported before the script runs.
        timeout: seconds.

    Raises:
        RuntimeBuildError: no Node, the script raised, or the time ran out.
    """
    job = {
        "indexURL": f"{index.resolve()}/",
        "script": str(script.resolve()),
        "argv": list(argv),
        "mounts": {inside: str(outside.resolve()) for inside, outside in mounts.items()},
        "stdLibURL": str(stdlib.resolve()) if stdlib else None,
        "lockFileURL": str(lock.resolve()) if lock else None,
        "packages": list(packages),
        "imports": list(packages),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "job.json")
        path.write_text(json.dumps(job), encoding="utf-8")
        try:
            done = subprocess.run(
                [find_node(), "--no-warnings", str(_HOST), str(path)],
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RuntimeBuildError(
                f"{script.name}: no end after {timeout:.0f} s in the browser's Python"
            ) from None
    if done.returncode != 0:
        raise RuntimeBuildError(f"{script.name} failed in the browser's Python:\n{done.stderr.strip()}")
    return done.stdout
