"""How long `mkdocs build` takes with the sims and without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from build_scripts.bench.browser import BenchError
from build_scripts.bench.report import Row, ratio_row

__all__ = ["measure"]

ROOT = Path(__file__).resolve().parents[2]


def measure(rounds: int) -> list[Row]:
    """Build in turn with and without, into a folder that is thrown away; what is cached stays cached."""
    times: dict[str, list[float]] = {"1": [], "0": []}
    for turn in range(rounds + 1):
        for sims in ("1", "0"):
            with tempfile.TemporaryDirectory() as out:
                started = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, "-m", "mkdocs", "build", "-q", "-d", out],
                    cwd=ROOT,
                    env={**os.environ, "LWL_SIMS": sims},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                took = time.perf_counter() - started
            if done.returncode:
                how = "with" if sims == "1" else "without"
                raise BenchError(f"`mkdocs build` {how} sims fails:\n{done.stderr[-2000:]}")
            if turn:  # the first turn fills the caches
                times[sims].append(took * 1000)
    return [ratio_row("mkdocs build", times["1"], times["0"], unit="ms", name="without the sims")]
