"""The losses in the page: the engine's, against JavaScript, and how quickly a small SimCLR trains there.

Each stands beside a plain loop, as one writes it from the paper, and beside JavaScript that was tuned
for speed, gradients against gradients. NT-Xent has a third: its plain loop takes the cosine of every
pair, and a kinder one normalises the rows once. Its targets are set against the plain and the tuned.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from build_scripts.bench.browser import PATIENCE, BenchError, fresh_context
from build_scripts.bench.page_losses import PAGE, PageLoss, module
from build_scripts.bench.report import Row, percentile

__all__ = ["COUNTS", "DIMENSIONS", "TARGET", "loops", "measure", "sizes", "train"]

# What the page runs beside the engine.
SOURCES = ("cases.py", "page_losses.py")
COUNTS = (64, 256, 1024, 4096)
DIMENSIONS = (2, 64, 256)
DIMENSIONS_JUDGED = (2, 64, 128, 256)
# From this N on a matrix of all pairs of views takes 512 MiB, and one d is enough.
LARGE = 4096
LARGE_DIMENSION = 64
# So many products of two numbers take a plain loop seconds.
MANY = 2**28
JUDGED = "nt_xent"
TARGET = 4.0
TARGET_FROM = 256
TARGET_TUNED = 1.0
TARGET_TUNED_FROM = 64
TARGET_STEPS = 60.0
# Seconds of rounds for one loss at one size, and for the one with targets.
BUDGET = 0.5
BUDGET_JUDGED = 5.0

_RULES = {
    "sizes": f"at N {LARGE} d {LARGE_DIMENSION} alone, and of the losses that compare every two of the "
    f"2N views only {JUDGED}, which has a target",
    "plain loops": f"where pairs of rows times d are fewer than 2^{MANY.bit_length() - 1}, from which on a "
    f"loop takes seconds to minutes; of {JUDGED} at every N below {LARGE}",
    "rounds": f"as many as fit into {BUDGET:g} s for a loss at a size, of {JUDGED} {BUDGET_JUDGED:g} s, at "
    "most three times --rounds; what takes longer than 0.5 s, a plain loop 0.1 s, is read once before them, "
    f"but {JUDGED} and its tuned version go round at any length, after 0.4 s of calls that do not count",
}


def measure(browser: Browser, page_address: str, rounds: int) -> list[Row]:
    """Time engine and loops in turn, each in a worker of its own, for every size; their values must agree.

    Every size is told on standard error as soon as it is measured.

    Args:
        page_address: address of `pages/loss.html`, beside the folder `runtime/`.

    Raises:
        BenchError: two values differ, or JavaScript fails.
    """
    rows = []
    sources = {f"build_scripts/bench/{name}": Path(__file__).with_name(name).read_text() for name in SOURCES}
    work = [(name, n, d) for name in PAGE for n, d in sizes(name)]
    start = time.perf_counter()
    with fresh_context(browser) as page:
        _open(page, page_address)
        for done, (name, n, d) in enumerate(work, 1):
            what = f"{name}, N {n}, d {d}"
            _tell(f"  {time.perf_counter() - start:3.0f} s, {done} of {len(work)}: {what}: ")
            loss = PAGE[name]
            judged = name == JUDGED
            job = {
                "sources": sources,
                "loss": name,
                "module": module(name),
                "n": n,
                "d": d,
                "shapes": loss.shapes,
                "unit": loss.unit,
                "options": loss.options,
                "loops": loops(name, n, d),
                "judged": ["value", "gradients", "tuned", "tunedGradients"] if judged else [],
                "rounds": rounds,
                "budget": 1000 * (BUDGET_JUDGED if judged else BUDGET),
            }
            result: dict[str, Any] = page.evaluate("(job) => window.measure(job)", job)
            _compare(what, result["values"], result["thrown"])
            rows += (found := _rows(name, loss, n, d, result["times"], result["thrown"]))
            _tell("; ".join(f"{row.ours}, {row.value:.2f}× {row.beside}" for row in found) + "\n")
    return rows + [Row(f"losses in the page: {name}", "", spread=rule) for name, rule in _RULES.items()]


def sizes(name: str) -> list[tuple[int, int]]:
    """Return the sizes (N, d) at which a loss is timed."""
    large = name == JUDGED or PAGE[name].pairs(LARGE) < (2 * LARGE) ** 2
    dimensions = DIMENSIONS_JUDGED if name == JUDGED else DIMENSIONS
    return [(n, d) for n in COUNTS for d in dimensions if n < LARGE or (large and d == LARGE_DIMENSION)]


def loops(name: str, n: int, d: int) -> list[str]:
    """Return the names of the loops in JavaScript that are timed, each in a worker of its own."""
    plain = ["plain", "kinder"] if name == JUDGED else ["plain"]
    few = PAGE[name].pairs(n) * d < MANY or (name == JUDGED and n < LARGE)
    return [*plain, "tuned"] if few else ["tuned"]


def _tell(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _compare(what: str, values: dict[str, float], thrown: dict[str, str]) -> None:
    """Raise `BenchError` where two values differ or JavaScript throws; what the engine says becomes a row."""
    if wrong := thrown.keys() - {"value", "gradients"}:
        raise BenchError(f"{what}: {'; '.join(f'{name} throws {thrown[name]}' for name in sorted(wrong))}")
    tuned = values["tuned"]
    if any(not math.isclose(value, tuned, rel_tol=1e-9, abs_tol=1e-12) for value in values.values()):
        raise BenchError(f"{what}: the values differ: {values}")


def _open(page: Page, address: str) -> None:
    """Go to a page of the benchmark and wait for its worker."""
    page.goto(address)
    page.locator("body:is([data-ready], [data-error])").wait_for(state="attached", timeout=PATIENCE)
    if failed := page.locator("body").get_attribute("data-error"):
        raise BenchError(f"{address}: the worker failed: {failed}")


def _rows(
    name: str, loss: PageLoss, n: int, d: int, times: dict[str, list[float]], thrown: dict[str, str]
) -> list[Row]:
    size = f"in the page, N {n}, d {d}"
    value, said = ("value", "") if loss.value else ("gradients", " with gradients")
    judged = name == JUDGED
    against_plain = TARGET if judged and n >= TARGET_FROM else None
    against_tuned = TARGET_TUNED if judged and d >= TARGET_TUNED_FROM else None
    compared = [
        ("forward", value, "plain", "plain JavaScript loop", against_plain),
        ("forward", value, "kinder", "loop, rows normalised once", None),
        ("forward", value, "tuned", "tuned JavaScript", against_tuned if loss.value else None),
        ("forward + backward", "gradients", "tunedGradients", "tuned JavaScript", against_tuned),
    ]
    return [
        Row(
            f"{name} {what} {size}",
            _median(times, mine, thrown) + (said if what == "forward" else ""),
            f"{median(times[loop]):.2f} ms {loop_name}",
            median(times[loop]) / median(times.get(mine, [math.nan])),
            target,
            "at least",
            spread=f"{thrown.get(mine) or _quartiles(times[mine])} | {_quartiles(times[loop])}",
        )
        for what, mine, loop, loop_name, target in compared
        if loop in times
    ]


def _median(times: dict[str, list[float]], name: str, thrown: dict[str, str]) -> str:
    return "fails" if name in thrown else f"{median(times[name]):.2f} ms"


def train(browser: Browser, page_address: str, rounds: int) -> list[Row]:
    """Count the steps a second of SimCLR, 64-128-64-32 with 256 pairs, in the page.

    Args:
        page_address: address of `pages/train.html`, beside the folder `runtime/`.
    """
    with fresh_context(browser) as page:
        _open(page, page_address)
        page.evaluate("window.measure(20)")  # the compiler has then seen it all
        times = [t for _ in range(rounds) for t in page.evaluate("window.measure(30)")["times"]]
    step = median(times)
    return [
        Row(
            "SimCLR in the page, 256 pairs, 64-128-64-32",
            f"{step:.2f} ms a step",
            value=1000 / step,
            target=TARGET_STEPS,
            sense="at least",
            unit="/s",
            spread=_quartiles(times),
        )
    ]


def _quartiles(values: list[float]) -> str:
    return f"{percentile(values, 0.25):.2f}–{percentile(values, 0.75):.2f} of {len(values)}"
