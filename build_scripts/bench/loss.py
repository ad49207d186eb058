"""NT-Xent in the page: the engine's, against JavaScript, and how quickly a small SimCLR trains there.

One target is set against the usual loop of nested maps and reduces, which takes the cosine of every
pair; beside it stands a kinder one that normalises the rows once. The other is set against JavaScript
that was tuned for speed, value against value and gradients against gradients.
"""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from playwright.sync_api import Browser

from build_scripts.bench.browser import PATIENCE, BenchError, fresh_context
from build_scripts.bench.report import Row, percentile

__all__ = ["SIZES", "TARGET", "measure", "train"]

SIZES = [(n, d) for n in (64, 256, 1024) for d in (64, 128)]
TARGET = 4.0
TARGET_FROM = 256
TARGET_TUNED = 1.0
TARGET_STEPS = 60.0
TAU = 0.5


def measure(browser: Browser, page_address: str, rounds: int) -> list[Row]:
    """Time engine and loops in turn, each in a worker of its own, for every size; their values must agree.

    Args:
        page_address: address of `pages/loss.html`, beside the folder `runtime/`.
    """
    rows = []
    with fresh_context(browser) as page:
        page.goto(page_address)
        page.locator("body:is([data-ready], [data-error])").wait_for(state="attached", timeout=PATIENCE)
        if failed := page.locator("body").get_attribute("data-error"):
            raise BenchError(f"{page_address}: the worker failed: {failed}")
        for n, d in SIZES:
            # One value of the loop takes seconds at the largest size: fewer rounds there.
            job = {"n": n, "d": d, "tau": TAU, "rounds": rounds if n < 1024 else max(3, rounds // 3)}
            result: dict[str, Any] = page.evaluate("(job) => window.measure(job)", job)
            values: dict[str, float] = result["values"]
            if any(not math.isclose(value, values["reference"], rel_tol=1e-9) for value in values.values()):
                raise BenchError(f"NT-Xent, N {n}, d {d}: the values differ: {values}")
            rows += _rows(n, d, result["times"])
    return rows


def _rows(n: int, d: int, times: dict[str, list[float]]) -> list[Row]:
    ours = median(times["python"])
    rows = []
    for loop, name, target in (
        ("reference", "usual JavaScript loop", TARGET if n >= TARGET_FROM else None),
        ("kinder", "loop, rows normalised once", None),
    ):
        other = median(times[loop])
        rows.append(
            Row(
                f"NT-Xent in the page, N {n}, d {d}",
                f"{ours:.2f} ms",
                f"{other:.1f} ms {name}",
                other / ours,
                target,
                "at least",
                spread=f"{_quartiles(times['python'])} | {_quartiles(times[loop])}",
            )
        )
    for what, mine, loop in (("", "python", "tuned"), (" with gradients", "gradients", "tunedGradients")):
        rows.append(
            Row(
                f"NT-Xent{what} in the page, N {n}, d {d}",
                f"{median(times[mine]):.2f} ms",
                f"{median(times[loop]):.2f} ms tuned JavaScript",
                median(times[loop]) / median(times[mine]),
                TARGET_TUNED,
                "at least",
                spread=f"{_quartiles(times[mine])} | {_quartiles(times[loop])}",
            )
        )
    return rows


def train(browser: Browser, page_address: str, rounds: int) -> list[Row]:
    """Count the steps a second of SimCLR, 64-128-64-32 with 256 pairs, in the page.

    Args:
        page_address: address of `pages/train.html`, beside the folder `runtime/`.
    """
    with fresh_context(browser) as page:
        page.goto(page_address)
        page.locator("body:is([data-ready], [data-error])").wait_for(state="attached", timeout=PATIENCE)
        if failed := page.locator("body").get_attribute("data-error"):
            raise BenchError(f"{page_address}: the worker failed: {failed}")
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
