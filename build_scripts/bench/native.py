"""Times the engine's losses, torch's and the library's in turn, and measures the engine's memory.

`python -m build_scripts.bench.native ROUNDS` writes JSON for `engine.py`, and says on the way what it is at.
"""

from __future__ import annotations

import json
import math
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from build_scripts.bench.browser import BenchError

__all__ = ["in_turn", "memory", "sizes", "times"]

DIMENSIONS = (2, 64, 256)
COUNTS = (64, 256, 1024, 4096)
# From this N on a matrix of all pairs of views takes 512 MiB and a call seconds.
LARGE = 4096
# There one d is enough but for the loss with a target; torch's graph of the other takes ten such matrices.
JUDGED = "nt_xent"
NOT_LARGE = "hard_negative"
LIBRARY_ENTRIES = 2**24
# Seconds of rounds for one loss at one size; the least time of one reading, for the clock's grain.
BUDGET = 1.0
GRAIN = 0.01


def times(rounds: int) -> list[dict[str, Any]]:
    """Return the seconds of each loss at each size, by what was timed.

    Raises:
        BenchError: two values differ.
    """
    import torch

    from build_scripts.bench.cases import CASES

    torch.set_num_threads(1)
    work = [(case, n, d) for case in CASES for n, d in sizes(case.name)]
    found = []
    start = time.perf_counter()
    for done, (case, n, d) in enumerate(work, 1):
        what = f"{case.name}, N {n}, d {d}"
        print(
            f"  {time.perf_counter() - start:3.0f} s, {done} of {len(work)}: {what}",
            file=sys.stderr,
            flush=True,
        )
        try:
            taken = in_turn(_runs(case, n, d), rounds, again=case.name == JUDGED)
        except BenchError as error:
            raise BenchError(f"{what}: {error}") from None
        found.append({"name": case.name, "n": n, "d": d, "times": taken})
    return found


def _runs(case: Any, n: int, d: int) -> dict[str, Callable[[], float]]:
    """Return what is timed of a case, by name, each giving the loss."""
    import numpy as np
    import torch

    from build_scripts.bench.cases import TAU
    from build_scripts.bench.library_losses import LIBRARY
    from build_scripts.bench.torch_losses import PLAIN
    from sim_engine.losses import nt_xent_value

    rng = np.random.default_rng(n + d)
    learn, held = case.learn(n, d, rng), case.held(n, d, rng)
    leaves = [torch.tensor(array, requires_grad=True) for array in learn]
    fixed = [torch.tensor(array) for array in held]

    def engine() -> float:
        return float(case.engine(*learn, *held).value)

    def autograd(loss: Callable[..., Any]) -> Callable[[], float]:
        def run() -> float:
            for leaf in leaves:
                leaf.grad = None
            value = loss(*leaves, *fixed)
            value.backward()
            return float(value.detach())

        return run

    def forward() -> float:
        with torch.no_grad():
            return float(PLAIN[case.name](*leaves, *fixed))

    runs = {"engine": engine, "torch": autograd(PLAIN[case.name]), "torch_value": forward}
    if case.name in LIBRARY and LIBRARY[case.name].entries(n) <= LIBRARY_ENTRIES:
        runs["library"] = autograd(LIBRARY[case.name].loss)
    if case.name == JUDGED:
        z_a, z_b = learn
        runs["engine_value"] = lambda: nt_xent_value(z_a, z_b, TAU)
    return runs


def sizes(name: str) -> list[tuple[int, int]]:
    """Return the sizes (N, d) at which a loss is timed."""
    small = [(n, d) for n in COUNTS for d in DIMENSIONS if n < LARGE]
    if name == NOT_LARGE:
        return small
    return small + [(n, d) for n in COUNTS for d in DIMENSIONS if n >= LARGE and (d == 64 or name == JUDGED)]


def in_turn(
    runs: dict[str, Callable[[], float]], rounds: int, *, again: bool = False
) -> dict[str, list[float]]:
    """Compare the values; then time all in turn, each so often that the clock's grain does not matter.

    Args:
        runs: what is timed, by name, each giving the loss.
        rounds: the most readings of each.
        again: take a reading even where the comparison has used up the time.

    Raises:
        BenchError: two values differ.
    """
    first: dict[str, float] = {}
    values: dict[str, float] = {}
    for key, run in runs.items():
        start = time.perf_counter()
        values[key] = run()
        first[key] = time.perf_counter() - start
    if any(not math.isclose(v, values["engine"], rel_tol=1e-8, abs_tol=1e-12) for v in values.values()):
        raise BenchError(f"the values differ: {values}")
    # What is slow beside the others, as the library is, must not cost them their rounds.
    once = {key: [took] for key, took in first.items() if took > BUDGET / 4 and key == "library"}
    runs = {key: run for key, run in runs.items() if key not in once}
    if sum(first[key] for key in runs) > BUDGET:
        return once | {key: [_time(run, 1) if again else first[key]] for key, run in runs.items()}
    calls = {key: max(1, round(GRAIN / max(_time(run, 1), 1e-6))) for key, run in runs.items()}
    times: dict[str, list[float]] = once | {key: [] for key in runs}
    start = time.perf_counter()
    for done in range(1, rounds + 1):
        for key, run in runs.items():
            times[key].append(_time(run, calls[key]))
        if (time.perf_counter() - start) * (done + 1) / done > BUDGET:
            break
    return times


def _time(run: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def memory(n: int = 4096, d: int = 128) -> list[dict[str, Any]]:
    """Return the peak of what each loss makes, its input in float32 apart."""
    import numpy as np

    from build_scripts.bench.cases import CASES

    found = []
    for case in CASES:
        print(f"  memory: {case.name}, N {n}, d {d}", file=sys.stderr, flush=True)
        rng = np.random.default_rng(0)
        arrays = [
            array.astype(np.float32) if array.dtype.kind == "f" else array
            for array in (*case.learn(n, d, rng), *case.held(n, d, rng))
        ]
        tracemalloc.start()
        case.engine(*arrays)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        entry = {"name": case.name, "n": n, "d": d}
        found.append({**entry, "matrices": peak / (4 * (2 * n) ** 2), "mib": peak / 2**20})
    return found


if __name__ == "__main__":
    try:
        json.dump({"times": times(int(sys.argv[1])), "memory": memory()}, sys.stdout)
    except BenchError as error:
        sys.exit(f"error: {error}")
