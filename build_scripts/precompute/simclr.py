"""SimCLR's training loop. It is given images and nothing else: no label can reach it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.model import SimCLR
from build_scripts.precompute.nt_xent import nt_xent
from build_scripts.precompute.views import generator, random_views

__all__ = ["Diverged", "Epoch", "Training", "fit"]


class Diverged(RuntimeError):
    """The loss is no longer a number."""


@dataclass
class Training:
    """All that has to be kept to go on: weights, batch statistics, the optimiser, the epoch reached."""

    model: SimCLR
    optimizer: torch.optim.Optimizer
    epoch: int = -1

    @classmethod
    def start(cls, dimension: int, config: SimclrConfig, fabric: Fabric) -> Training:
        """Return the untrained model on the fabric's device."""
        model = SimCLR(
            dimension,
            width=config.width,
            features=config.features,
            hidden=config.hidden,
            seed=config.seed_model,
        )
        optimizer = torch.optim.AdamW(
            model.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        model, optimizer = fabric.setup(model, optimizer)
        return cls(model, optimizer)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; `Fabric.load` fills the same objects again."""
        return {"model": self.model, "optimizer": self.optimizer, "epoch": self.epoch}


@dataclass(frozen=True)
class Epoch:
    """One recorded epoch.

    Attributes:
        number: 0 before training.
        loss: NT-Xent in nats, mean over the epoch's batches, each before its own step.
        model: in evaluation mode, to be looked at and left unchanged.
    """

    number: int
    loss: float
    model: SimCLR


def fit(
    images: Tensor,
    training: Training,
    config: SimclrConfig,
    fabric: Fabric,
    on_step: Callable[[float], None] = lambda loss: None,
) -> Iterator[Epoch]:
    """Train, and yield after every epoch; epoch 0 only measures.

    All randomness of an epoch comes from (seed_views, epoch), so a resumed run repeats an
    uninterrupted one to the last bit on the CPU.

    Args:
        images: float (n, 1, 8, 8), 0 to 1, on the fabric's device.
        training: fresh, or filled from a checkpoint; it is changed in place.
        config: the settings.
        fabric: device and precision.
        on_step: called with the loss of every step, in nats.

    Raises:
        Diverged: a loss is NaN or infinite; names the epoch, the step and the settings.
        ValueError: fewer images than a batch.
    """
    steps = len(images) // config.batch
    if steps < 1:
        raise ValueError(f"batch must be <= the {len(images)} training images, got {config.batch}")
    for epoch in range(training.epoch + 1, config.epochs + 1):
        rng = generator(config.seed_views, epoch)
        order = torch.randperm(len(images), generator=rng).to(images.device)
        total = 0.0
        training.model.train(epoch > 0)
        for step in range(steps):
            batch = images[order[step * config.batch : (step + 1) * config.batch]]
            view_a, view_b = (random_views(batch, config.strength, rng) for _ in range(2))
            with torch.set_grad_enabled(epoch > 0):
                # One pass for both views: batch statistics are those of all 2N.
                z_a, z_b = training.model(torch.cat([view_a, view_b])).chunk(2)
                loss = nt_xent(z_a, z_b, config.tau)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise Diverged(
                    f"the loss is {value} at epoch {epoch}, step {step} of {steps}, with {config}; "
                    "lower learning_rate or raise tau"
                )
            if epoch > 0:
                rate = learning_rate(config, (epoch - 1) * steps + step, steps)
                for group in training.optimizer.param_groups:
                    group["lr"] = rate
                training.optimizer.zero_grad()
                fabric.backward(loss)
                training.optimizer.step()
            total += value
            on_step(value)
        training.epoch = epoch
        training.model.eval()
        yield Epoch(epoch, total / steps, training.model)


def learning_rate(config: SimclrConfig, step: int, steps: int) -> float:
    """Return the rate of one step: linear warm-up to the peak, then half a cosine down to 0.

    Args:
        config: peak, warm-up and epochs.
        step: 0 for the first of all steps.
        steps: steps an epoch.
    """
    warm, last = config.warmup_epochs * steps, config.epochs * steps
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, last - warm)))
