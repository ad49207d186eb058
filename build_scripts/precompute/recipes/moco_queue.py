"""MoCo by the length of its queue and the momentum of its keys."""

from __future__ import annotations

import numpy as np

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, means, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]


def _axis(option: str, values: tuple[float, ...]) -> Axis:
    return Axis(option, {value: {"method_options": {option: value}} for value in values})


QUEUES = (128, 512, 2048, 8192)
KEYS = (0.0, 0.5, 0.9, 0.99, 0.999)
QUEUE = Part(
    Job(method="moco", tau=0.2),
    (
        _axis("queue", QUEUES),
        _axis("momentum", KEYS),
    ),
    seeds=3,
    metrics=TRAINED,
)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return the few-label probe without momentum, and the best, with the momentum's row."""
    few = means(arrays, "digits_few5_h")
    best = np.unravel_index(few.argmax(), few.shape)
    return {
        "few5_h_no_momentum": float(few[:, 0].max()),
        "few5_h_best": float(few.max()),
        "best_queue_row": float(best[0]),
        "best_momentum_row": float(best[1]),
    }


RECIPE = table_recipe(
    name="moco-queue",
    about="MoCo for queues of 128 to 8192 keys and momenta from 0 to 0.999",
    slug="moco-queue",
    presets=presets(QUEUE, (_axis("queue", QUEUES[:2]), _axis("momentum", KEYS[::2]))),
    findings=findings,
    file=__file__,
)
