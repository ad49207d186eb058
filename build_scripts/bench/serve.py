"""How long after a file is saved `make serve` has the new page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from build_scripts.bench.browser import BenchError
from build_scripts.bench.report import Row, percentile

__all__ = ["measure"]

ROOT = Path(__file__).resolve().parents[2]
LEFT = (".git", ".ci", ".venv", "node_modules", ".cache", "site", "tests", "__pycache__", ".*_cache")
PATIENCE = 180.0  # seconds
# What is edited: the file, an address that then has the new line, that line, and the target in seconds.
EDITS = {
    "text of the longest page": (
        "docs/chapters/03-nt-xent/index.md",
        "chapters/03-nt-xent/",
        "\n\n{}\n",
        2.0,
    ),
    "text of a sim's page": (
        "sims/nt-xent-explorer/index.md",
        "sims/nt-xent-explorer/",
        "\n\n{}\n",
        2.0,
    ),
    "a sim": ("sims/nt-xent-explorer/sim.py", "sims/nt-xent-explorer/files/sim.py", "\n# {}\n", 5.0),
}


def measure(rounds: int) -> list[Row]:
    """Edit, in a copy of the project, one file after the other, and ask until the answer has the edit."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "book")
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*LEFT))
        for shared in ("node_modules", ".cache"):
            (root / shared).symlink_to(ROOT / shared)
        with _serving(root) as url:
            return [_edited(root, url, what, rounds) for what in EDITS]


def _edited(root: Path, url: str, what: str, rounds: int) -> Row:
    file, address, line, target = EDITS[what]
    path = root / file
    text, times = path.read_text(encoding="utf-8"), []
    for turn in range(rounds + 1):
        mark = f"edit-{turn}-{os.getpid()}"
        path.write_text(text + line.format(mark), encoding="utf-8")
        started = time.perf_counter()
        _until(url + address, mark)
        if turn:  # after the first edit of a kind, everything that stays is in memory
            times.append(time.perf_counter() - started)
        time.sleep(1)
    return Row(
        f"saved to served, {what}",
        f"p50 {median(times):.2f} s",
        value=median(times),
        target=target,
        unit="s",
        spread=f"{percentile(times, 0.25):.2f}–{percentile(times, 0.75):.2f} of {len(times)}",
    )


@contextmanager
def _serving(root: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = root.parent / "serve.log"
    with said.open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", f"127.0.0.1:{port}"],
            cwd=root,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _until(f"http://127.0.0.1:{port}/", "</html>")
        yield f"http://127.0.0.1:{port}/"
    except BenchError as error:
        raise BenchError(f"{error}\n{said.read_text(encoding='utf-8')[-2000:]}") from None
    finally:
        server.terminate()
        server.wait()


def _until(address: str, mark: str) -> None:
    """Ask for a page until it has the mark."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
                if mark in answer.read().decode():
                    return
        except OSError:
            pass  # not yet there
        time.sleep(0.02)
    raise BenchError(f"`mkdocs serve`: no {mark!r} at {address} after {PATIENCE:.0f} s")
