"""Many small SimCLR models trained at once: one batched step for all, with torch.func.

Worth it on a GPU, which one small model leaves idle. On the CPU it gains nothing: there the sum of the
work is what takes the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from build_scripts.precompute import methods, models
from build_scripts.precompute.methods import Method
from build_scripts.precompute.nt_xent import nt_xent
from build_scripts.precompute.simclr import Diverged
from build_scripts.precompute.sweep.affine import Affine, many_views
from build_scripts.precompute.sweep.cell import Cell, check
from build_scripts.precompute.training import TrainConfig, make_optimizer, quiet, seeded
from build_scripts.precompute.views import generator
from sim_engine.optim import cosine_schedule

__all__ = ["GridConfig", "Trained", "alone", "train_grid"]

_OPTIMIZERS = ("adamw", "adam", "sgd")
_SETTINGS = {"tau", "strength", "seed"}


@dataclass(frozen=True)
class GridConfig:
    """What all models of a grid share: SimCLR with the "mlp" encoder.

    Attributes:
        width: of the encoder's layers, and the length of h.
        d: length of z.
        head: "linear", or "nonlinear" (which has batch norm; each model has its own statistics).
        hidden: width of the head's hidden layer; None: as wide as h.
        train: how each is trained. A cell's seed is added to both of its seeds.

    Raises:
        ValueError: the setting, what was wanted, what came.
    """

    width: int = 256
    d: int = 64
    head: str = "nonlinear"
    hidden: int | None = None
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if self.head not in ("linear", "nonlinear"):
            raise ValueError(f"head must be 'linear' or 'nonlinear', got {self.head!r}")
        if self.train.optimizer not in _OPTIMIZERS:
            raise ValueError(
                f"optimizer must be one of {', '.join(_OPTIMIZERS)}, which treat every weight alone, got "
                f"{self.train.optimizer!r}"
            )
        if self.train.accumulate != 1 or self.train.compile or self.train.channels_last:
            raise ValueError("accumulate, compile and channels_last must be left as they are in a grid")
        if self.train.precision not in ("32-true", "64-true"):
            raise ValueError(f"precision must be 32-true or 64-true in a grid, got {self.train.precision!r}")


@dataclass(frozen=True)
class Trained:
    """One model of a grid.

    Attributes:
        cell: what it was.
        method: trained, in evaluation mode, on the grid's device.
        loss: (epochs,), NT-Xent in nats, mean over each epoch's batches, each before its own step.
    """

    cell: Cell
    method: Method
    loss: NDArray[np.float64]


def alone(cell: Cell, config: GridConfig, *, channels: int, size: int) -> tuple[Method, Affine, TrainConfig]:
    """Return what `training.fit` takes to train one cell alone: fresh method, views, config.

    Raises:
        ValueError: the cell's settings are not tau, strength and seed, or out of range.
    """
    tau, strength, seed = _read(cell)
    train = replace(
        config.train,
        seed_model=config.train.seed_model + seed,
        seed_views=config.train.seed_views + seed,
    )
    with seeded(train.seed_model):
        encoder = models.build("mlp", channels=channels, size=size, width=config.width)
        method = methods.build(
            "simclr", encoder=encoder, d=config.d, head=config.head, hidden=config.hidden, tau=tau
        )
    return method, Affine(strength), train


def train_grid(
    images: NDArray[np.uint8],
    cells: Sequence[Cell],
    config: GridConfig,
    *,
    device: str | torch.device = "cpu",
    progress: Callable[[str, int, int, float], None] = quiet,
) -> list[Trained]:
    """Train one model a cell, all of them in every step, as `fit` would train each alone.

    Weights, batches and views are the same numbers as alone; sums are taken in another order, so the
    results agree to the precision of the config and drift apart with the steps. Views are drawn on the
    CPU, model by model, and made on the device.

    Memory grows with the number of models; there are no checkpoints, and an interrupted grid starts
    anew.

    Args:
        images: uint8 (n, H, H, C), 0 to 255.
        cells: their settings are "tau" (> 0), "strength" (in [0, 1]) and "seed" (>= 0).
        config: what they share.
        device: where they are trained.
        progress: called with ("grid", steps done, steps in all, mean loss of the last step) each epoch.

    Returns:
        The models in the order of `cells`.

    Raises:
        Diverged: a loss is NaN or infinite; names the cell, its settings, the epoch and the step.
        ValueError: images, batch or a cell's settings do not fit.
    """
    train, device = config.train, torch.device(device)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != images.shape[2]:
        raise ValueError(f"images must be uint8 (n, H, H, C), got {images.dtype} {images.shape}")
    if len(images) < train.batch:
        raise ValueError(f"batch must be <= the {len(images)} training images, got {train.batch}")
    if not cells:
        return []
    check(cells)
    dtype = torch.float64 if train.precision == "64-true" else torch.float32
    made = [alone(cell, config, channels=images.shape[3], size=images.shape[1]) for cell in cells]
    trained = [method.to(device, dtype).train() for method, _, _ in made]
    step_of_all = _Step(trained, [float(cell.settings["tau"]) for cell in cells], train)
    pictures = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).contiguous()
    strengths = [views.strength for _, views, _ in made]
    steps = len(images) // train.batch
    losses = []
    for epoch in range(1, train.epochs + 1):
        rngs = [generator(own.seed_views, epoch) for _, _, own in made]
        order = torch.stack([torch.randperm(len(images), generator=rng) for rng in rngs]).to(device)
        found = []
        for step in range(steps):
            batch = pictures[order[:, step * train.batch : (step + 1) * train.batch]].float() / 255
            pair = [many_views(batch, strengths, rngs).to(dtype) for _ in range(2)]
            found.append(step_of_all(pair[0], pair[1], (epoch - 1) * steps + step, steps))
        values = torch.stack(found).double().cpu().numpy()  # (steps, M)
        _refuse_infinite(values, cells, epoch, config)
        losses.append(values.mean(axis=0))
        progress("grid", epoch * steps, train.epochs * steps, float(values[-1].mean()))
    step_of_all.hand_back(trained)
    curves = np.stack(losses, axis=1)  # (M, epochs)
    return [Trained(*entry) for entry in zip(cells, trained, curves, strict=True)]


class _Network(nn.Module):
    """From images to z, with the names that the weights have in a method."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.encoder, self.head = method.encoder, method.head

    def forward(self, images: Tensor) -> Tensor:
        z: Tensor = self.head(self.encoder(images))
        return z


class _Step:
    """Weights and batch statistics of all models, stacked, and one update of them."""

    def __init__(self, trained: Sequence[Method], taus: Sequence[float], config: TrainConfig) -> None:
        self.config = config
        networks = [_Network(method) for method in trained]
        params, self.buffers = stack_module_state(networks)
        # An optimiser that treats every weight alone treats a stack of them as it treats each.
        self.stack = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(w.detach()) for name, w in params.items()}
        )
        self.params = {name.replace("/", "."): w for name, w in self.stack.items()}
        self.optimizer = make_optimizer(config, self.stack)
        first = next(iter(self.params.values()))
        self.taus = torch.tensor(taus, dtype=first.dtype, device=first.device)
        template = deepcopy(networks[0]).to("meta")

        def loss(
            params: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor, tau: Tensor
        ) -> Tensor:
            # Batch norm writes its running statistics into `buffers`, each model into its own.
            z_a, z_b = functional_call(template, (params, buffers), (images,)).chunk(2)
            return nt_xent(z_a, z_b, tau)  # type: ignore[arg-type]  # a number of each model's own

        self.gradients = vmap(grad_and_value(loss))

    def __call__(self, view_a: Tensor, view_b: Tensor, step: int, steps: int) -> Tensor:
        """Update all models; return their losses before it, (M,)."""
        config = self.config
        weights = {name: w.detach() for name, w in self.params.items()}
        images = torch.cat([view_a, view_b], dim=1)  # (M, 2n, C, H, W)
        gradients, losses = self.gradients(weights, self.buffers, images, self.taus)
        for name, w in self.params.items():
            w.grad = gradients[name]
        for group in self.optimizer.param_groups:
            group["lr"] = cosine_schedule(
                step,
                peak=config.learning_rate,
                steps=config.epochs * steps,
                warmup=config.warmup_epochs * steps,
            )
        self.optimizer.step()
        found: Tensor = losses.detach()
        return found

    def hand_back(self, trained: Sequence[Method]) -> None:
        """Put each model's weights and statistics into its own method."""
        for i, method in enumerate(trained):
            state = {name: w.detach()[i] for name, w in {**self.params, **self.buffers}.items()}
            method.load_state_dict(state)
            method.eval()


def _read(cell: Cell) -> tuple[float, float, int]:
    given = cell.settings
    if set(given) != _SETTINGS:
        raise ValueError(
            f"cell {cell.key!r} must have the settings seed, strength and tau, got {', '.join(sorted(given))}"
        )
    tau, strength, seed = given["tau"], given["strength"], given["seed"]
    for name, value in (("tau", tau), ("strength", strength)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name} of cell {cell.key!r} must be a finite number, got {value!r}")
    if tau <= 0:
        raise ValueError(f"tau of cell {cell.key!r} must be > 0, got {tau}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength of cell {cell.key!r} must lie in [0, 1], got {strength}")
    if type(seed) is not int or seed < 0:
        raise ValueError(f"seed of cell {cell.key!r} must be a whole number >= 0, got {seed!r}")
    return float(tau), float(strength), seed


def _refuse_infinite(
    values: NDArray[np.float64], cells: Sequence[Cell], epoch: int, config: GridConfig
) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        step, model = bad[0]
        cell = cells[model]
        raise Diverged(
            f"the loss of cell {cell.key!r} with {cell.text} is {values[step, model]} at epoch {epoch}, step "
            f"{step} of {len(values)}, with {config}; lower learning_rate or raise tau"
        )
