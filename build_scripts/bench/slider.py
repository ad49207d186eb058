"""How long from a moved slider to the frame drawn, when Python is live."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser

from build_scripts.bench.browser import PATIENCE, BenchError, fresh_context
from build_scripts.bench.report import Row, percentile

__all__ = ["TARGET", "measure"]

TARGET = 33.0  # ms
_DRAG = """
async ({ name, steps, pause }) => {
  const root = document.querySelector("main.sim");
  const slider = root.querySelector(`input[type=range][name="${name}"]`);
  const [low, high] = [Number(slider.min), Number(slider.max)];
  const times = [];
  for (let i = 0; i < steps; i++) {
    // Golden-ratio steps: no two positions alike, both near and far moves.
    const share = ((i + 1) * 0.6180339887) % 1;
    const before = root.dataset.frame;
    slider.value = String(low + (high - low) * share);
    const start = performance.now();
    const drawn = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no frame 5 s after step ${i}`)), 5000);
      new MutationObserver((_, observer) => {
        if (root.dataset.frame === before) return;
        observer.disconnect();
        clearTimeout(late);
        resolve();
      }).observe(root, { attributes: true, attributeFilter: ["data-frame"] });
    });
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await drawn;
    times.push(performance.now() - start);
    await new Promise((r) => setTimeout(r, pause));
  }
  return { times, state: root.dataset.state };
}
"""


def measure(browser: Browser, sims: dict[str, str], steps: int) -> list[Row]:
    """Move one slider of each sim, one step at a time.

    Args:
        sims: address of a `main.html` to the name of its slider or timeline.
        steps: moves a sim, after twenty that are not counted.
    """
    rows = []
    for address, name in sims.items():
        slug = address.rstrip("/").split("/")[-2]
        with fresh_context(browser) as page:
            page.goto(f"{address}?run=1")
            page.locator("main.sim[data-state=live]").wait_for(state="attached", timeout=PATIENCE)
            page.evaluate(_DRAG, {"name": name, "steps": 20, "pause": 20})
            result: dict[str, Any] = page.evaluate(_DRAG, {"name": name, "steps": steps, "pause": 20})
        if result["state"] not in ("live", "baked"):
            raise BenchError(f"{slug}: wanted a live sim after the drag, its state is {result['state']}")
        times = result["times"]
        half, most = percentile(times, 0.5), percentile(times, 0.95)
        rows.append(
            Row(
                f"slider to frame, {slug}, {name}",
                f"p50 {half:.1f} ms",
                "",
                most,
                TARGET,
                unit="ms p95",
                spread=f"{percentile(times, 0.25):,.1f}–{percentile(times, 0.75):,.1f} of {len(times)}",
            )
        )
    return rows
