"""The training loop of every method: batches, views, steps, records, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from build_scripts.precompute.methods import Method
from build_scripts.precompute.simclr import Diverged
from build_scripts.precompute.training import checkpoint
from build_scripts.precompute.training.config import TrainConfig
from build_scripts.precompute.training.device import check_compiler, seeded
from build_scripts.precompute.training.optimizers import make_optimizer
from build_scripts.precompute.training.processes import gathering, shared_batch_norm
from build_scripts.precompute.views import generator
from sim_engine.optim import cosine_schedule

__all__ = ["Epoch", "Views", "fit", "quiet"]

# Steps between two looks at the loss on a GPU, which wait for all that was asked of it.
_LOOK = 16


class Views(Protocol):
    """Makes one random view of each image of a batch, all chance from a CPU generator."""

    def __call__(self, images: Tensor, generator: torch.Generator, /) -> Tensor:
        """Return views of float32 images (n, C, H, W), 0 to 1."""
        ...


@dataclass(frozen=True)
class Epoch:
    """One epoch, as `record` is told of it.

    Attributes:
        number: 0 before training.
        loss: mean over the epoch's batches, each before its own step; NaN at 0.
        seconds: of training, without records and checkpoints.
        images_per_second: images trained on, each once an epoch whatever the number of its views.
    """

    number: int
    loss: float
    seconds: float
    images_per_second: float


def quiet(what: str, done: int, total: int, loss: float) -> None:
    """Show no progress."""


def fit(
    method: Method,
    images: NDArray[np.uint8],
    views: Views,
    config: TrainConfig,
    fabric: Fabric,
    *,
    labels: NDArray[np.int64] | None = None,
    second: NDArray[np.uint8] | None = None,
    work: Path | None = None,
    record: Callable[[Method, Epoch], dict[str, Any]] | None = None,
    progress: Callable[[str, int, int, float], None] = quiet,
    what: str = "",
) -> list[dict[str, Any]]:
    """Train a method in place, and return what was recorded at every epoch from 0 on.

    Batches and views of an epoch are drawn anew from (seed_views, epoch), on the CPU, so a resumed
    run repeats an uninterrupted one, on the CPU to the last bit. Where the fabric has several
    processes, all are given the same arguments, each trains on its share of every batch, and the
    result is that of one process; the first one measures and writes. A method that has nothing to
    train is recorded at epoch 0 alone.

    Args:
        method: fresh; on return trained, on the fabric's device and in evaluation mode.
        images: (n, H, W, C), 0 to 255.
        views: makes both views of every image.
        config: the settings.
        fabric: device, precision and processes; launched, where there are several.
        labels: (n,), one an image; only a method that needs labels is given them.
        second: (n, H', W', C'), what the second view is made of; row i belongs to row i of `images`.
            None: the images.
        work: folder of the checkpoint, written after every epoch; training goes on from it. None: no
            checkpoint.
        record: what to keep of an epoch: numbers, words, arrays, and lists and mappings of them. The
            method is in evaluation mode, and must be left as it is. None keeps the epoch's four numbers.
        progress: called with (what, steps done, steps in all, loss).
        what: what the progress is of; the method's name where empty.

    Returns:
        One record an epoch, on every process.

    Raises:
        Diverged: the loss is NaN or infinite; names the epoch, the step and the settings.
        ValueError: images, labels, batch or precision do not fit, there is no compiler, or the
            checkpoint cannot be read or is of other settings.
    """
    steps = _check(method, images, labels, second, config, fabric)
    run = _Run(method, views, config, fabric, steps, progress, what or type(method).__name__)
    run.load(images, labels, second)
    kept = checkpoint.Kept({**config.as_dict(), "method": type(method).__name__, "images": len(images)})
    path = work / "training.ckpt" if work is not None else None
    if path is not None and path.exists():
        checkpoint.restore(path, fabric, run.model, run.optimizer, kept)
    for number in range(len(kept.records), config.epochs + 1 if method.trains else 1):
        epoch = run.epoch(number) if number else Epoch(0, math.nan, 0.0, 0.0)
        method.eval()
        kept.records.append(_record(record, method, epoch, fabric))
        if path is not None:
            checkpoint.save(path, fabric, run.model, run.optimizer, kept)
    method.eval()
    return kept.records


class _Run:
    """One training: the method set up on its device, its data there, and how an epoch goes."""

    def __init__(
        self,
        method: Method,
        views: Views,
        config: TrainConfig,
        fabric: Fabric,
        steps: int,
        progress: Callable[[str, int, int, float], None],
        what: str,
    ) -> None:
        self.method, self.views, self.config, self.fabric = method, views, config, fabric
        self.steps, self.progress, self.what = steps, progress, what
        self.layout = torch.channels_last if config.channels_last else torch.contiguous_format
        self.model: Any = method.to(fabric.device, memory_format=self.layout)  # type: ignore[call-overload]
        self.optimizer: Any = None
        if method.trains:
            shared_batch_norm(method, fabric)
            if config.compile:
                check_compiler(fabric.device)
                # In place: the names in a checkpoint are the same with and without.
                method.encoder.compile()
            self.model, self.optimizer = fabric.setup(method, make_optimizer(config, method))

    def load(
        self, images: NDArray[np.uint8], labels: NDArray[np.int64] | None, second: NDArray[np.uint8] | None
    ) -> None:
        """Put the data on the device, images as they are: a quarter of their size in float32."""
        self.sources = [self._on_device(images)]
        if second is not None:
            self.sources.append(self._on_device(second))
        wanted = labels is not None and self.method.needs_labels
        self.labels = torch.from_numpy(np.array(labels)).to(self.fabric.device) if wanted else None

    def _on_device(self, images: NDArray[np.uint8]) -> Tensor:
        # Torch wants arrays that may be written to; a file that stays on the disk is none.
        here = torch.from_numpy(np.require(images, requirements=["C", "W"])).to(self.fabric.device)
        return here.permute(0, 3, 1, 2).contiguous()

    def epoch(self, number: int) -> Epoch:
        """Train for one epoch."""
        began = time.perf_counter()
        self.method.train()
        rng = generator(self.config.seed_views, number)
        order = torch.randperm(len(self.sources[0]), generator=rng).to(self.fabric.device)
        total, waiting = 0.0, []
        look = _LOOK if self.fabric.device.type == "cuda" else 1
        # What a layer may draw (dropout) depends on the epoch alone, too.
        with seeded(self.config.seed_model * 1_000_003 + number), gathering(self.method, self.fabric):
            for step in range(self.steps):
                rows = order[step * self.config.batch : (step + 1) * self.config.batch]
                waiting.append(self._step(rows, rng, (number - 1) * self.steps + step, number))
                if len(waiting) == look or step == self.steps - 1:
                    total += self._look(waiting, number, step)
                    waiting = []
        seconds = time.perf_counter() - began
        return Epoch(number, total / self.steps, seconds, self.steps * self.config.batch / seconds)

    def _step(self, rows: Tensor, rng: torch.Generator, step: int, number: int) -> Tensor:
        """Make one update of the weights; return the batch's loss before it."""
        config, fabric = self.config, self.fabric
        pictures = [source[rows].float() / 255 for source in self.sources]
        # Drawn for the whole batch, however it is shared: the numbers do not depend on that.
        pair = [self.views(pictures[i], rng).contiguous(memory_format=self.layout) for i in (0, -1)]
        labels = self.labels[rows] if self.labels is not None else None
        self.optimizer.zero_grad()
        total = torch.zeros((), device=fabric.device)
        size = config.batch // config.accumulate
        share = size // fabric.world_size
        for part in range(config.accumulate):
            first = part * size + fabric.global_rank * share
            own = slice(first, first + share)
            later = part < config.accumulate - 1
            with fabric.no_backward_sync(self.model, enabled=later) if later else nullcontext():
                loss = self.model(pair[0][own], pair[1][own], labels[own] if labels is not None else None)
                loss = loss / config.accumulate
                fabric.backward(loss)
            total = total + loss.detach()
        for group in self.optimizer.param_groups:
            group["lr"] = cosine_schedule(
                step,
                peak=config.learning_rate,
                steps=config.epochs * self.steps,
                warmup=config.warmup_epochs * self.steps,
            )
        self.optimizer.step()
        self.method.after_step(step, config.epochs * self.steps)
        return total

    def _look(self, waiting: list[Tensor], number: int, step: int) -> float:
        """Return the sum of the last losses; stop where one is no number."""
        values: list[float] = torch.stack(waiting).tolist()
        first = step + 1 - len(values)
        for i, value in enumerate(values):
            if not math.isfinite(value):
                raise Diverged(
                    f"the loss is {value} at epoch {number}, step {first + i} of {self.steps}, with "
                    f"{self.config}; lower learning_rate or raise tau"
                )
        done, total = (number - 1) * self.steps + step + 1, self.config.epochs * self.steps
        if self.fabric.is_global_zero:
            self.progress(self.what, done, total, values[-1])
        return sum(values)


def _check(
    method: Method,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    second: NDArray[np.uint8] | None,
    config: TrainConfig,
    fabric: Fabric,
) -> int:
    """Return the steps of an epoch; raise `ValueError` for what does not fit."""
    for name, array in (("images", images), ("second", second)):
        if array is not None and (array.dtype != np.uint8 or array.ndim != 4):
            raise ValueError(f"{name} must be uint8 (n, H, W, C), got {array.dtype} {array.shape}")
    if second is not None and len(second) != len(images):
        raise ValueError(f"second must hold one row for each of {len(images)} images, got {len(second)}")
    if method.needs_labels and labels is None:
        raise ValueError(f"{type(method).__name__} needs labels, one an image, got none")
    if labels is not None and (labels.dtype != np.int64 or labels.shape != images.shape[:1]):
        raise ValueError(
            f"labels must be int64 ({len(images)},), one an image, got {labels.dtype} {labels.shape}"
        )
    if len(images) < config.batch:
        raise ValueError(f"batch must be <= the {len(images)} training images, got {config.batch}")
    if config.batch % (config.accumulate * fabric.world_size):
        raise ValueError(
            f"batch must be a multiple of accumulate x processes ({config.accumulate} x "
            f"{fabric.world_size}), so that all have as much, got {config.batch}"
        )
    precision = fabric.strategy.precision.precision
    if precision != config.precision:
        raise ValueError(
            f"precision is {config.precision!r} and the fabric's {precision!r}; make it by "
            f"fabric_for(device, precision={config.precision!r})"
        )
    return len(images) // config.batch


def _record(
    record: Callable[[Method, Epoch], dict[str, Any]] | None, method: Method, epoch: Epoch, fabric: Fabric
) -> dict[str, Any]:
    """Return the first process's record, on every process."""
    found: dict[str, Any] = {}
    if fabric.is_global_zero:
        found = asdict(epoch) if record is None else record(method, epoch)
    shared: dict[str, Any] = fabric.broadcast(found)
    return shared
