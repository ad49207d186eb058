"""Views a second: whole batches on the device, beside a plain loop over the images with sim_engine.augment.

Runs as a process of its own, `python -m build_scripts.bench.views`, since the libraries read how many
threads they may use as they are imported: here one. On a machine with CUDA the device is measured too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from build_scripts.bench.browser import BenchError
from build_scripts.bench.report import Row, ratio_row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["measure"]

SIDES = (32, 96)
BATCH = 256
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure(rounds: int) -> list[Row]:
    """Time SimCLR's views of one batch both ways, in turn; the ratio is that of images a second.

    Raises:
        BenchError: the process fails, which it does too when the two make different views.
    """
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    command = [sys.executable, "-m", "build_scripts.bench.views", str(rounds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchError("the measurement of the views failed; what it printed stands above")
    rows = []
    for entry in json.loads(done.stdout):
        side, rates = entry["side"], entry["rates"]
        for name in (key for key in rates if key != "loop"):
            what = f"SimCLR's views, {side} × {side}, batches of {BATCH}, {name}"
            rows.append(
                ratio_row(what, rates[name], rates["loop"], unit="images/s", name="loop over images, CPU")
            )
    return rows


def _rates(rounds: int, count: int = BATCH) -> list[dict[str, Any]]:
    import numpy as np
    import torch

    torch.set_num_threads(1)
    found = []
    for side in SIDES:
        images = np.random.default_rng(side).random((count, side, side, 3), dtype=np.float32)
        runs = _runs(images)
        rates: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(rounds + 1):  # the first warms up
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                if turn:
                    rates[name].append(count / (time.perf_counter() - start))
        print(f"  views, {side} × {side}", file=sys.stderr, flush=True)
        found.append({"side": side, "rates": rates})
    return found


def _runs(images: NDArray[np.float32]) -> dict[str, Callable[[], object]]:
    """Return, by name, what makes one view of each image (n, H, W, 3)."""
    import numpy as np
    import torch

    from build_scripts.precompute.device_views import DeviceViews, ViewConfig
    from sim_engine.augment import replay_each, view, views

    config = ViewConfig(strength=0.5)
    batches, operation = DeviceViews(config), config.operation()
    chance, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    tensor = torch.from_numpy(images.transpose(0, 3, 1, 2)).contiguous()
    drawn = batches.draw(len(images), (images.shape[1], images.shape[2]), generator)
    made = batches.apply(tensor, drawn).permute(0, 2, 3, 1).numpy()
    if (apart := float(np.abs(made - replay_each(images, drawn.steps())).max())) > 1e-4:
        raise BenchError(f"{images.shape[1]} × {images.shape[2]}: the two make views {apart:.2g} apart")

    def on(device: str) -> Callable[[], float]:
        there = tensor.to(device)
        return lambda: float(batches(there, generator)[0, 0, 0, 0])  # reading it waits for the device

    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    return {
        "loop": lambda: [view(image, operation, chance) for image in images],
        "sim_engine in batches": lambda: views(images, operation, chance),
        **{f"torch on {device}": on(device) for device in devices},
    }


if __name__ == "__main__":
    try:
        json.dump(_rates(int(sys.argv[1])), sys.stdout)
    except BenchError as error:
        sys.exit(f"error: {error}")
