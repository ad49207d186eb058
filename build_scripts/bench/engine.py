"""The engine's losses under CPython, beside autograd's of the same in torch, and its memory.

Runs as a process of its own, `python -m build_scripts.bench.engine`, since the libraries read how many
threads they may use as they are imported: here one.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

from build_scripts.bench.browser import BenchError
from build_scripts.bench.report import Row

__all__ = ["measure"]

DIMENSIONS = (2, 64, 256)
COUNTS = (64, 256, 1024, 4096)
# Above this N a matrix of all pairs takes 128 MB and a call seconds: one d is enough for most losses.
LARGE = 2048
# The library pairs every positive with every negative of the batch: at N = 256 that is a gigabyte.
LIBRARY_MOST = 64
TARGET = 1.0
MATRICES = 3.0
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure(rounds: int) -> list[Row]:
    """Time every loss with both gradients, in turn with torch; then the memory of NT-Xent.

    Raises:
        BenchError: the process fails, which it does too when two values differ.
    """
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    command = [sys.executable, "-m", "build_scripts.bench.engine", str(rounds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchError("the engine's measurement failed; what it printed stands above")
    found: dict[str, Any] = json.loads(done.stdout)
    return [*(_time_row(**entry) for entry in found["times"]), _memory_row(**found["memory"])]


def _time_row(name: str, n: int, d: int, times: dict[str, list[float]]) -> Row:
    ours = median(times["engine"])
    other = "torch" if "torch" in times else "library"
    beside = {"torch": "torch", "library": "pytorch-metric-learning", "torch_value": "torch, value alone"}
    least = (
        f"{1e3 * min(times['engine']):.2f} | {1e3 * min(times[other]):.2f} least of {len(times['engine'])}"
    )
    if "engine_value" in times:
        least += f"; value alone {1e3 * median(times['engine_value']):.2f} ms"
    said = [f"{1e3 * median(times[key]):.2f} ms {beside[key]}" for key in beside if key in times]
    return Row(
        f"{name} with gradients, CPython, N {n}, d {d}",
        f"{1e3 * ours:.2f} ms",
        ", ".join(said),
        ours / median(times[other]),
        TARGET if name == "nt_xent" else None,
        spread=least,
    )


def _memory_row(n: int, matrices: float, mib: float) -> Row:
    return Row(
        f"nt_xent with gradients, peak memory, N {n}, d 128, float32",
        f"{mib:,.0f} MiB",
        "matrices of 2N × 2N",
        matrices,
        MATRICES,
        unit="",
    )


def _times(rounds: int) -> list[dict[str, Any]]:
    import numpy as np
    import torch

    from build_scripts.bench.torch_losses import LIBRARY, PLAIN, TAU
    from sim_engine import losses

    torch.set_num_threads(1)

    def labelled(z_a: Any, z_b: Any) -> Any:
        return losses.sup_con(np.concatenate([z_a, z_b]), np.tile(np.arange(len(z_a)), 2), TAU)

    engine: dict[str, Callable[[Any, Any], Any]] = {
        "nt_xent": lambda a, b: losses.nt_xent(a, b, TAU),
        "dcl": lambda a, b: losses.dcl(a, b, TAU),
        "sup_con": labelled,
        "clip": lambda a, b: losses.clip(a, b, -math.log(TAU)),
        "n_pair": losses.n_pair,
        "nt_logistic": lambda a, b: losses.nt_logistic(a, b, TAU),
        "spectral": losses.spectral,
        "align_uniform": losses.align_uniform,
        "barlow_twins": lambda a, b: losses.barlow_twins(a, b, eps=0.0),
        # Weighed as the authors' code does, which torch's version and the library follow.
        "vicreg": lambda a, b: losses.vicreg(a, b, invariance=25.0 / a.shape[1], variance=12.5),
    }
    found = []
    for name, ours in engine.items():
        for n, d in _sizes(name):
            rng = np.random.default_rng(n + d)
            z_a = rng.normal(size=(n, d)) / d**0.5
            z_b = z_a + 0.5 * rng.normal(size=(n, d)) / d**0.5
            t_a, t_b = (torch.tensor(z, requires_grad=True) for z in (z_a, z_b))
            runs = {"engine": _call(ours, z_a, z_b), "torch": _autograd(PLAIN[name], t_a, t_b)}
            if name in LIBRARY and n <= LIBRARY_MOST:
                runs["library"] = _autograd(LIBRARY[name], t_a, t_b)
            values = {key: run() for key, run in runs.items()}
            if any(not math.isclose(v, values["engine"], rel_tol=1e-8) for v in values.values()):
                raise BenchError(f"{name}, N {n}, d {d}: the values differ: {values}")
            runs["torch_value"] = _call(PLAIN[name], t_a.detach(), t_b.detach())
            if name == "nt_xent":
                runs["engine_value"] = _call(lambda a, b: losses.nt_xent_value(a, b, TAU), z_a, z_b)
            print(f"  {name}, N {n}, d {d}", file=sys.stderr, flush=True)
            turns = rounds if n < LARGE else max(1, rounds // 3)
            found.append({"name": name, "n": n, "d": d, "times": _in_turn(runs, turns)})
    return found


def _sizes(name: str) -> list[tuple[int, int]]:
    return [(n, d) for n in COUNTS for d in DIMENSIONS if n < LARGE or d == 64 or name == "nt_xent"]


def _call(loss: Callable[[Any, Any], Any], a: Any, b: Any) -> Callable[[], float]:
    def run() -> float:
        result = loss(a, b)
        return float(getattr(result, "value", result))

    return run


def _autograd(loss: Callable[[Any, Any], Any], a: Any, b: Any) -> Callable[[], float]:
    def run() -> float:
        a.grad = b.grad = None
        value = loss(a, b)
        value.backward()
        return float(value.detach())

    return run


def _in_turn(runs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Time each so often that the clock's grain does not matter, all in turn, round after round."""
    calls = {key: max(1, round(0.02 / max(_time(run, 1), 1e-5))) for key, run in runs.items()}
    times: dict[str, list[float]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            times[key].append(_time(run, calls[key]))
    return times


def _time(run: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def _memory(n: int = 4096, d: int = 128) -> dict[str, float]:
    import numpy as np

    from sim_engine.losses import nt_xent

    z_a, z_b = np.random.default_rng(0).normal(size=(2, n, d)).astype(np.float32)
    tracemalloc.start()
    nt_xent(z_a, z_b, 0.5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"n": n, "matrices": peak / (4 * (2 * n) ** 2), "mib": peak / 2**20}


if __name__ == "__main__":
    try:
        json.dump({"times": _times(int(sys.argv[1])), "memory": _memory()}, sys.stdout)
    except BenchError as error:
        sys.exit(f"error: {error}")
