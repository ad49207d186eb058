"""What a training is told, checked when it is made."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = ["OPTIMIZERS", "PRECISIONS", "TrainConfig"]

OPTIMIZERS = ("adamw", "adam", "sgd", "lars")
PRECISIONS = ("32-true", "bf16-mixed", "64-true")
_LEAST = {"epochs": 1, "batch": 2, "accumulate": 1, "warmup_epochs": 0, "seed_model": 0, "seed_views": 0}


@dataclass(frozen=True)
class TrainConfig:
    """How a method is trained.

    Attributes:
        epochs: passes over the images; epoch 0, before training, is recorded too.
        batch: images an update of the weights, over all processes and all its parts. What fills no
            batch at the end of an epoch is left out of that epoch.
        learning_rate: peak of the schedule: a line up, then half a cosine down to 0.
        optimizer: "adamw", "adam", "sgd" or "lars".
        momentum: of sgd and lars, in [0, 1).
        weight_decay: >= 0; adamw's is decoupled, lars leaves vectors out.
        warmup_epochs: epochs of the line up, at most `epochs`.
        accumulate: parts that a batch is cut into, one after another, their gradients averaged; it
            divides `batch`. Memory is that of one part. Where a loss is a mean over images
            (supervised, byol, simsiam, without batch norm) the result is that of the whole batch.
            Where images are compared with each other (simclr, supcon, clip, barlow_twins, vicreg) it is
            not: each image meets its own part alone, so N, and with it the number of negatives, is
            batch / accumulate. Batch norm's statistics are of one part, too.
        precision: "32-true", "bf16-mixed" or "64-true"; the fabric must have the same. Losses are
            computed in float32 at least.
        compile: whether torch.compile compiles the encoder.
        channels_last: whether images and convolutions lie in memory with the channels last.
        seed_model: of the first weights, for `seeded`, and of whatever layers draw in training.
        seed_views: of batches and views.

    Raises:
        ValueError: the setting, what was wanted, what came.
    """

    epochs: int = 100
    batch: int = 128
    learning_rate: float = 2e-3
    optimizer: str = "adamw"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    warmup_epochs: int = 5
    accumulate: int = 1
    precision: str = "32-true"
    compile: bool = False
    channels_last: bool = False
    seed_model: int = 0
    seed_views: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int":
                least = _LEAST[field.name]
                if type(value) is not int or value < least:
                    raise ValueError(f"{field.name} must be a whole number >= {least}, got {value!r}")
            elif field.type == "bool":
                if type(value) is not bool:
                    raise ValueError(f"{field.name} must be True or False, got {value!r}")
            elif field.type == "float" and (
                isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
            ):
                raise ValueError(f"{field.name} must be a finite number, got {value!r}")
        for name, known in (("optimizer", OPTIMIZERS), ("precision", PRECISIONS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be > 0, got {self.learning_rate}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), got {self.momentum}")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay must be >= 0, got {self.weight_decay}")
        if self.warmup_epochs > self.epochs:
            raise ValueError(f"warmup_epochs must be <= epochs ({self.epochs}), got {self.warmup_epochs}")
        if self.batch % self.accumulate or self.batch // self.accumulate < 2:
            raise ValueError(
                f"accumulate must divide batch ({self.batch}) into equal parts of >= 2 images, "
                f"got {self.accumulate}"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values."""
        return asdict(self)
