"""What a recipe is, and what every run of one shares: device, checkpoints, progress, manifest."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.fingerprint import fingerprint
from build_scripts.precompute.quantise import Exported

__all__ = ["Recipe", "Result", "device_name", "fabric_for", "manifest"]

ROOT = Path(__file__).resolve().parents[2]
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Result:
    """What a recipe made: stored arrays, metrics for the manifest, seconds of work."""

    arrays: Mapping[str, Exported]
    metrics: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class Run:
    """Where and how a recipe is run.

    Attributes:
        fabric: device and precision.
        work: folder of the checkpoints.
        progress: called with (what, done, total, loss in nats).
    """

    fabric: Fabric
    work: Path
    progress: Callable[[str, int, int, float], None] = field(default=lambda what, done, total, loss: None)


@dataclass(frozen=True)
class Recipe:
    """A named way to make one data folder.

    Attributes:
        name: what the command line calls it.
        about: one sentence.
        slug: the sim whose data it makes.
        dataset: name, sha256, licence and source of what it is trained on.
        config: its own settings, with which the book's data is made.
        modules: files that decide the numbers; part of the recipe's hash.
        run: the work.
    """

    name: str
    about: str
    slug: str
    dataset: Mapping[str, Any]
    modules: tuple[str, ...]
    run: Callable[[SimclrConfig, Run], Result]
    config: SimclrConfig = field(default_factory=SimclrConfig)

    @property
    def folder(self) -> Path:
        """The committed data folder."""
        return ROOT / "sims" / self.slug / "data"

    def sha256(self, config: SimclrConfig) -> str:
        """Return the hash of the recipe with these settings."""
        here = Path(__file__).parent
        return fingerprint(config.as_dict(), [here / f"{module}.py" for module in self.modules])


def fabric_for(device: str) -> Fabric:
    """Return a Fabric on one device: `auto` takes CUDA where there is some, else the CPU.

    Raises:
        ValueError: no such device, or none here.
    """
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device cuda was asked for, but torch {torch.__version__} sees no CUDA here; "
            "use --device cpu, or install a CUDA build of torch on a machine with an NVIDIA GPU"
        )
    chosen = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    if chosen == "cpu":
        # One thread: the sums' order, and so the result, does not depend on the number of cores.
        torch.set_num_threads(1)
    return Fabric(accelerator=chosen, devices=1, precision="32-true")


def device_name(device: torch.device) -> str:
    """Return the device in words, such as 'cpu (x86_64, 1 thread)' or a GPU's name."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"cpu ({platform.machine()}, {torch.get_num_threads()} thread)"


def manifest(recipe: Recipe, config: SimclrConfig, result: Result, device: torch.device) -> dict[str, Any]:
    """Return the manifest of a result, but for its arrays."""
    packages = ("numpy", "torch", "kornia", "lightning-fabric", "scikit-learn")
    return {
        "recipe": recipe.name,
        "recipe_sha256": recipe.sha256(config),
        "config": config.as_dict(),
        "dataset": dict(recipe.dataset),
        "seeds": config.seeds(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "device": device_name(device),
        "wall_time_s": round(result.seconds, 1),
        "written": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
        "metrics": dict(result.metrics),
    }
