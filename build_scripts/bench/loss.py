"""The losses in the page: the engine's, against JavaScript, and how quickly a small SimCLR trains there.

Each stands beside a plain loop, as one writes it from the paper, and beside JavaScript that was tuned
for speed, gradients against gradients. NT-Xent has a third: its plain loop takes the cosine of every
pair, and a kinder one normalises the rows once. Its targets are set against the plain and the tuned.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from build_scripts.bench import page_losses
from build_scripts.bench.browser import PATIENCE, BenchError, fresh_context
from build_scripts.bench.page_losses import PAGE, PageLoss
from build_scripts.bench.report import Row, percentile

__all__ = ["SIZES", "TARGET", "measure", "train"]

SIZES = [(n, d) for n in (64, 256, 1024) for d in (64, 128)]
# Of the other losses: at N 64 all are done within a frame of the screen.
FROM = 256
TARGET = 4.0
TARGET_FROM = 256
TARGET_TUNED = 1.0
TARGET_STEPS = 60.0


def measure(browser: Browser, page_address: str, rounds: int) -> list[Row]:
    """Time engine and loops in turn, each in a worker of its own, for every size; their values must agree.

    Args:
        page_address: address of `pages/loss.html`, beside the folder `runtime/`.
    """
    rows = []
    source = Path(page_losses.__file__).read_text()
    work = [(name, n, d) for name in PAGE for n, d in SIZES if n >= FROM or name == "nt_xent"]
    with fresh_context(browser) as page:
        _open(page, page_address)
        for done, (name, n, d) in enumerate(work, 1):
            what = f"{name}, N {n}, d {d}"
            print(f"  {done} of {len(work)}: {what}", file=sys.stderr, flush=True)
            # One value of a loop takes seconds at the largest size: fewer rounds there.
            job = {
                "source": source,
                "loss": name,
                "n": n,
                "d": d,
                "sets": PAGE[name].sets,
                "options": PAGE[name].options,
                "rounds": rounds if n < 1024 else max(3, rounds // 3),
            }
            result: dict[str, Any] = page.evaluate("(job) => window.measure(job)", job)
            values: dict[str, float] = result["values"]
            if any(not math.isclose(value, values["plain"], rel_tol=1e-9) for value in values.values()):
                raise BenchError(f"{what}: the values differ: {values}")
            rows += _rows(name, PAGE[name], n, d, result["times"])
    return rows


def _open(page: Page, address: str) -> None:
    """Go to a page of the benchmark and wait for its worker."""
    page.goto(address)
    page.locator("body:is([data-ready], [data-error])").wait_for(state="attached", timeout=PATIENCE)
    if failed := page.locator("body").get_attribute("data-error"):
        raise BenchError(f"{address}: the worker failed: {failed}")


def _rows(name: str, loss: PageLoss, n: int, d: int, times: dict[str, list[float]]) -> list[Row]:
    size = f"in the page, N {n}, d {d}"
    value, said = ("value", "") if loss.value else ("gradients", " with gradients")
    judged = name == "nt_xent"
    against_plain = TARGET if judged and n >= TARGET_FROM else None
    against_tuned = TARGET_TUNED if judged else None
    compared = [
        ("forward", value, "plain", "plain JavaScript loop", against_plain),
        ("forward", value, "kinder", "loop, rows normalised once", None),
        ("forward", value, "tuned", "tuned JavaScript", against_tuned if loss.value else None),
        ("forward + backward", "gradients", "tunedGradients", "tuned JavaScript", against_tuned),
    ]
    return [
        Row(
            f"{name} {what} {size}",
            f"{median(times[mine]):.2f} ms{said if what == 'forward' else ''}",
            f"{median(times[loop]):.2f} ms {loop_name}",
            median(times[loop]) / median(times[mine]),
            target,
            "at least",
            spread=f"{_quartiles(times[mine])} | {_quartiles(times[loop])}",
        )
        for what, mine, loop, loop_name, target in compared
        if loop in times
    ]


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
