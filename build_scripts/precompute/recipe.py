"""What a recipe is, and what every run of one shares: device, checkpoints, progress, manifest."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric

from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.fingerprint import fingerprint
from build_scripts.precompute.quantise import Exported

__all__ = ["Recipe", "Result", "Run", "Settings", "device_name", "fabric_for", "manifest"]

ROOT = Path(__file__).resolve().parents[2]
DEVICES = ("auto", "cpu", "cuda")


class Settings(Protocol):
    """What every recipe's settings can do: a frozen dataclass that checks itself.

    A class attribute TAKES names the options of the command that say how it is run: "scheduler" and
    "workers", or "processes", "precision", "compile" and "download".
    """

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values."""

    def seeds(self) -> dict[str, int]:
        """Return the seeds alone, by short name."""


@dataclass(frozen=True)
class Result:
    """What a recipe made.

    Attributes:
        arrays: stored arrays by name.
        metrics: numbers for the manifest.
        seconds: of work, those of a killed run included; of a sweep, the sum over its cells.
        dataset: what was trained on, where the recipe itself does not know it.
    """

    arrays: Mapping[str, Exported]
    metrics: Mapping[str, float]
    seconds: float
    dataset: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """Where and how a recipe is run.

    Attributes:
        fabric: device and precision.
        work: folder of the checkpoints and of the finished cells.
        progress: called with (what, done, total, loss in nats or NaN).
        scheduler: of a sweep's cells: "serial", "grid", "local", the address of a Dask scheduler, or
            "auto": grid on CUDA, else serial.
        workers: processes of a "local" scheduler.
        compile: whether a single training's encoder is compiled.
    """

    fabric: Fabric
    work: Path
    progress: Callable[[str, int, int, float], None] = field(default=lambda what, done, total, loss: None)
    scheduler: str = "auto"
    workers: int = 2
    compile: bool = False

    @property
    def device(self) -> str:
        """`cpu` or `cuda`."""
        return str(self.fabric.device.type)


@dataclass(frozen=True)
class Recipe:
    """A named way to make one data folder.

    Attributes:
        name: what the command line calls it.
        about: one sentence.
        slug: the sim whose data it makes.
        dataset: name, sha256, licence and source of what it is trained on.
        modules: files of this folder that are part of the recipe's hash, without `.py`: where the hash
            differs, the data must be made again.
        code: files that decide the numbers too, and are shared with other recipes. Where they differ,
            the small preset says whether the data still holds.
        run: the work.
        config: its own settings, with which the book's data is made on a CPU.
        presets: further settings by name: "gpu" for a GPU, "small" for a check in seconds.
        findings: what the metrics are computed from the arrays by, where arrays decide them; for `verify`.
    """

    name: str
    about: str
    slug: str
    dataset: Mapping[str, Any]
    modules: tuple[str, ...]
    run: Callable[[Any, Run], Result]
    config: Settings = field(default_factory=SimclrConfig)
    presets: Mapping[str, Settings] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    findings: Callable[[Mapping[str, Any]], Mapping[str, float]] | None = None

    @property
    def folder(self) -> Path:
        """The committed data folder."""
        return ROOT / "sims" / self.slug / "data"

    def preset(self, name: str) -> Settings:
        """Return the settings of a preset; "cpu" is `config`.

        Raises:
            ValueError: the recipe has no such preset.
        """
        presets = {"cpu": self.config, **self.presets}
        if name not in presets:
            raise ValueError(f"{self.name} has no preset {name!r}; there are: {', '.join(presets)}")
        return presets[name]

    def sha256(self, config: Settings) -> str:
        """Return the hash of the recipe with these settings."""
        return fingerprint(config.as_dict(), _files(self.modules))

    def code_sha256(self) -> str:
        """Return the hash of all code that decides the numbers."""
        return fingerprint({}, _files((*self.modules, *self.code)))

    def hashes(self, config: Settings) -> dict[str, str]:
        """Return both hashes by their names in the manifest."""
        return {"recipe_sha256": self.sha256(config), "code_sha256": self.code_sha256()}


def _files(modules: tuple[str, ...]) -> list[Path]:
    return [Path(__file__).parent / f"{module}.py" for module in modules]


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


def manifest(
    recipe: Recipe,
    hashes: Mapping[str, str],
    preset: str,
    config: Settings,
    result: Result,
    device: torch.device,
) -> dict[str, Any]:
    """Return the manifest of a result, but for its arrays.

    Args:
        hashes: what `Recipe.hashes` gave before the run, of the code that was loaded; the files may
            have been edited since.
        preset: name of the preset that `config` is or began from.
    """
    packages = ("numpy", "torch", "kornia", "lightning-fabric", "scikit-learn")
    return {
        "recipe": recipe.name,
        **hashes,
        "preset": preset,
        "config": config.as_dict(),
        "dataset": dict(recipe.dataset or result.dataset),
        "seeds": config.seeds(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "device": device_name(device),
        "wall_time_s": round(result.seconds, 1),
        "written": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
        "metrics": dict(result.metrics),
    }
