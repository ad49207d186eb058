"""The table of the engine under CPython: every loss beside autograd's of the same in torch, and its memory.

What is timed is in `native.py`, a process of its own, since the libraries read how many threads they may
use as they are imported: here one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from statistics import median
from typing import Any

from build_scripts.bench.browser import BenchError
from build_scripts.bench.native import BUDGET, JUDGED, LARGE, LIBRARY_ENTRIES, NOT_LARGE
from build_scripts.bench.report import Row

__all__ = ["measure"]

TARGET = 1.0
MATRICES = 3.0
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_RULES = {
    "forward": "the engine computes value and gradients at once; torch's forward alone stands beside it. "
    "Of NT-Xent there is a value alone, `nt_xent_value`",
    "sizes": f"at N {LARGE} d 64 alone, but every d of {JUDGED}, which has a target; "
    f"no {NOT_LARGE} there, since torch's graph takes ten matrices of 2N × 2N",
    "library": "pytorch-metric-learning where it has the loss and no array of it passes "
    f"2^{LIBRARY_ENTRIES.bit_length() - 1} entries; most of it lists every positive with every negative",
    "rounds": f"as many as fit into {BUDGET:g} s for a loss at a size, at most --rounds; where one takes "
    f"longer, it is the call whose values were compared, of {JUDGED} the call after it; the library has "
    f"that call alone from {BUDGET / 4:g} s on",
}


def measure(rounds: int) -> list[Row]:
    """Time every loss, in turn with torch; then the memory of each.

    Raises:
        BenchError: the process fails, which it does too when two values differ.
    """
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    command = [sys.executable, "-m", "build_scripts.bench.native", str(rounds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchError("the engine's measurement failed; what it printed stands above")
    found: dict[str, Any] = json.loads(done.stdout)
    return [
        *(row for entry in found["times"] for row in _time_rows(**entry)),
        *(_memory_row(**entry) for entry in found["memory"]),
        *(Row(f"engine, CPython: {name}", "", spread=rule) for name, rule in _RULES.items()),
    ]


def _time_rows(name: str, n: int, d: int, times: dict[str, list[float]]) -> list[Row]:
    size = f"CPython, N {n}, d {d}"
    beside = f"{_ms(times['torch'])} torch"
    if "library" in times:
        beside += f", {_ms(times['library'])} pytorch-metric-learning"
    both = Row(
        f"{name} forward + backward, {size}",
        _ms(times["engine"]),
        beside,
        median(times["engine"]) / median(times["torch"]),
        TARGET if name == JUDGED else None,
        spread=_least(times, "engine", "torch"),
    )
    alone = "engine_value" in times
    mine = "engine_value" if alone else "engine"
    forward = Row(
        f"{name} forward, {size}",
        _ms(times[mine]) + ("" if alone else " with gradients"),
        f"{_ms(times['torch_value'])} torch, forward alone",
        median(times[mine]) / median(times["torch_value"]),
        spread=_least(times, mine, "torch_value"),
    )
    return [both, forward]


def _ms(times: list[float]) -> str:
    return f"{1e3 * median(times):.2f} ms"


def _least(times: dict[str, list[float]], *keys: str) -> str:
    return " | ".join(f"{1e3 * min(times[key]):.2f}" for key in keys) + f" least of {len(times[keys[0]])}"


def _memory_row(name: str, n: int, d: int, matrices: float, mib: float) -> Row:
    return Row(
        f"{name} forward + backward, peak memory, N {n}, d {d}, float32",
        f"{mib:,.0f} MiB",
        "matrices of 2N × 2N",
        matrices,
        MATRICES if name == JUDGED else None,
        unit="",
    )
