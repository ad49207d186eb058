"""Where a training runs: device, precision, number of processes, compiler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric

from build_scripts.precompute import recipe
from build_scripts.precompute.training.config import PRECISIONS

__all__ = ["check_compiler", "fabric_for", "seeded"]


def fabric_for(device: str, *, precision: str = "32-true", processes: int = 1) -> Fabric:
    """Return a Fabric: `auto` takes CUDA where there is some, else one thread of the CPU.

    Args:
        device: "auto", "cpu" or "cuda".
        precision: one of `PRECISIONS`.
        processes: how many share each batch; with CUDA, one a GPU. More than one need
            `fabric.launch()`, which starts the command again for each of the others.

    Raises:
        ValueError: no such device or precision, none here, or fewer GPUs than processes.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if type(processes) is not int or processes < 1:
        raise ValueError(f"processes must be a whole number >= 1, got {processes!r}")
    kind = recipe.fabric_for(device).device.type
    if kind == "cuda" and processes > torch.cuda.device_count():
        raise ValueError(
            f"processes must be <= {torch.cuda.device_count()}, the GPUs seen here, got {processes}"
        )
    strategy = "ddp" if processes > 1 else "auto"
    return Fabric(accelerator=kind, devices=processes, strategy=strategy, precision=precision)  # type: ignore[arg-type]


def check_compiler(device: torch.device) -> None:
    """Raise `ValueError` where torch.compile finds no compiler for the device.

    A function of one line is compiled: that asks all that a training would need.
    """
    try:
        torch.compile(_probe)(torch.ones(2, device=device))
    except Exception as error:
        needed = "a C++ compiler such as g++" if device.type == "cpu" else "Triton and a C compiler"
        raise ValueError(
            f"compile=True needs {needed}, and torch.compile fails here on {device.type} "
            f"({type(error).__name__}: {str(error).strip().splitlines()[0]}); or use compile=False"
        ) from error


def _probe(x: torch.Tensor) -> torch.Tensor:
    return (x * 2 + 1).sin()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw first weights from this seed; the CPU's global generator is afterwards what it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
