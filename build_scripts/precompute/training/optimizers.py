"""The optimisers by name; each makes the step of its namesake in `sim_engine.optim`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from build_scripts.precompute.training.config import TrainConfig

__all__ = ["Lars", "make_optimizer"]

# SimCLR's (Chen et al. 2020, its code): each layer's step is this share of the layer's own size.
_TRUST = 1e-3


class Lars(Optimizer):
    r"""Momentum over gradients that are scaled layer by layer.

    $$\lambda = \eta\,\frac{\lVert w\rVert}{\lVert g\rVert + \beta\lVert w\rVert}, \quad
    v \leftarrow \mu v + \gamma\lambda(g + \beta w), \quad w \leftarrow w - v$$

    Vectors (biases, batch norm's scale and shift) get neither the decay nor the scaling.

    Args:
        params: what is trained.
        lr: the rate $\gamma$, >= 0.
        momentum: $\mu$, in [0, 1).
        weight_decay: $\beta$, >= 0.
        trust: $\eta$, > 0.

    Source:
        You, Gitman, Ginsburg (2017), arXiv:1708.03888, algorithm 1; `sim_engine.optim.Lars`.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        *,
        momentum: float = 0.9,
        weight_decay: float = 1e-6,
        trust: float = _TRUST,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust": trust}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Make one step along the gradients; a closure is not supported."""
        if closure is not None:
            raise ValueError("Lars takes no closure; compute the gradients before the step")
        for group in self.param_groups:
            decay = group["weight_decay"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                g, rate = w.grad, torch.as_tensor(group["lr"], dtype=w.dtype, device=w.device)
                if w.ndim > 1:
                    size_w, size_g = w.norm(), w.grad.norm()
                    scaled = rate * group["trust"] * size_w / (size_g + decay * size_w)
                    # On the device: asking whether a size is 0 would wait for it.
                    rate = torch.where((size_w > 0) & (size_g > 0), scaled, rate)
                    g = g + decay * w
                state = self.state[w]
                if not state:
                    state["velocity"] = torch.zeros_like(w)
                state["velocity"].mul_(group["momentum"]).add_(rate * g)
                w.sub_(state["velocity"])


def make_optimizer(config: TrainConfig, module: nn.Module) -> Optimizer:
    """Return the optimiser of a config over all weights of a module that are trained."""
    params = [w for w in module.parameters() if w.requires_grad]
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "adamw":
        return AdamW(params, rate, weight_decay=decay)
    if config.optimizer == "adam":
        return Adam(params, rate, weight_decay=decay)
    if config.optimizer == "sgd":
        return SGD(params, rate, momentum=config.momentum, weight_decay=decay)
    return Lars(params, rate, momentum=config.momentum, weight_decay=decay)
