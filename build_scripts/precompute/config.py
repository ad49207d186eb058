"""What a run is told: every number that decides its result, checked when it is made."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = ["SimclrConfig"]


@dataclass(frozen=True)
class SimclrConfig:
    """SimCLR on the digits, once for every dimension of z.

    Attributes:
        epochs: passes over the training images; epoch 0, before training, is recorded too.
        batch: N, images a step, so 2N views. The rest of an epoch that fills no batch is left out.
        tau: temperature of NT-Xent, > 0.
        strength: s in [0, 1], scales every random change of a view.
        learning_rate: peak of the schedule (linear warm-up, then half a cosine).
        warmup_epochs: epochs of the warm-up.
        weight_decay: of AdamW.
        width: channels of the first convolution.
        features: length of h.
        hidden: width of the projection head's hidden layer.
        dimensions: lengths of z, one training each.
        held_out: probe images, never trained on.
        view_draws: how many fixed pairs of views of every probe image the evaluation uses.
        neighbours: k of the kNN.
        few_labels: labels a class of the few-label probe.
        few_label_draws: how many random sets of them.
        seed_split, seed_model, seed_views, seed_evaluation: the split; the first weights; batches and
            views in training; the views, batches and label draws of the evaluation.

    Raises:
        ValueError: the setting, what was wanted, what came.
    """

    epochs: int = 50
    batch: int = 120
    tau: float = 0.5
    strength: float = 0.5
    learning_rate: float = 2e-3
    warmup_epochs: int = 5
    weight_decay: float = 1e-4
    width: int = 32
    features: int = 128
    hidden: int = 128
    dimensions: tuple[int, ...] = (2, 3)
    held_out: int = 360
    view_draws: int = 4
    neighbours: int = 15
    few_labels: int = 5
    few_label_draws: int = 10
    seed_split: int = 0
    seed_model: int = 0
    seed_views: int = 1
    seed_evaluation: int = 2

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch": 2, "width": 1, "features": 1, "hidden": 1, "neighbours": 1}
        least |= {"held_out": 20, "few_labels": 1, "few_label_draws": 1, "view_draws": 1, "warmup_epochs": 0}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "dimensions":
                if not value or any(type(d) is not int or d < 2 for d in value):
                    raise ValueError(f"dimensions must be whole numbers >= 2, got {value!r}")
            elif field.type == "int":
                bound = least.get(field.name, 0)
                if type(value) is not int or value < bound:
                    raise ValueError(f"{field.name} must be a whole number >= {bound}, got {value!r}")
            elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"{field.name} must be a finite number, got {value!r}")
        for name in ("tau", "learning_rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must lie in [0, 1], got {self.strength}")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay must be >= 0, got {self.weight_decay}")
        if self.held_out < self.batch:
            raise ValueError(
                f"held_out must be >= batch ({self.batch}): the held-out loss uses batches of "
                f"that size, got {self.held_out}"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values."""
        return asdict(self) | {"dimensions": list(self.dimensions)}

    def seeds(self) -> dict[str, int]:
        """Return the seeds alone, by short name."""
        return {
            f.name.removeprefix("seed_"): getattr(self, f.name) for f in fields(self) if "seed_" in f.name
        }
