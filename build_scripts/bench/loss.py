"""NT-Xent in the page: the engine's, against the usual JavaScript of nested maps and reduces."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from playwright.sync_api import Browser

from build_scripts.bench.browser import PATIENCE, BenchError, fresh_context
from build_scripts.bench.report import Row, percentile

__all__ = ["SIZES", "TARGET", "measure"]

SIZES = [(n, d) for n in (64, 256, 1024) for d in (64, 128)]
TARGET = 4.0
TARGET_FROM = 256
TAU = 0.5


def measure(browser: Browser, page_address: str, rounds: int) -> list[Row]:
    """Time both in one worker, in turn, for every size; their values must agree.

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
            ours, reference = result["values"]
            if not math.isclose(ours, reference, rel_tol=1e-9):
                raise BenchError(
                    f"NT-Xent, N {n}, d {d}: the engine says {ours!r}, the reference loop {reference!r}"
                )
            rows.append(_row(n, d, result["times"]))
    return rows


def _row(n: int, d: int, times: dict[str, list[float]]) -> Row:
    ours, reference, gradients = (median(times[name]) for name in ("python", "reference", "gradients"))
    return Row(
        f"NT-Xent in the page, N {n}, d {d}",
        f"{ours:.2f} ms",
        f"{reference:.1f} ms JavaScript loop",
        reference / ours,
        TARGET if n >= TARGET_FROM else None,
        "at least",
        spread=f"{percentile(times['python'], 0.25):.2f}–{percentile(times['python'], 0.75):.2f} | "
        f"{percentile(times['reference'], 0.25):.1f}–{percentile(times['reference'], 0.75):.1f}"
        f" of {len(times['python'])}; with both gradients {gradients:.2f} ms",
    )
