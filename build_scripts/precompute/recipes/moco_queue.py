"""MoCo by the length of its queue and the momentum of its keys."""

from __future__ import annotations

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, means, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE", "own_key_share"]


def _axis(option: str, values: tuple[float, ...]) -> Axis:
    return Axis(option, {value: {"method_options": {option: value}} for value in values})


# Not longer than the training images are many: an image's own earlier keys would be its negatives.
QUEUES = (128, 512, 1024)
KEYS = (0.0, 0.9, 0.99, 0.999)
IMAGES = 1437
QUEUE = Part(
    Job(method="moco", tau=0.2),
    (
        _axis("queue", QUEUES),
        _axis("momentum", KEYS),
    ),
    seeds=3,
    metrics=TRAINED,
)


def own_key_share(queue: int, batch: int, images: int) -> float:
    """Return the share of queries that meet an earlier key of their own image in the queue.

    Each epoch takes floor(images / batch) batches of a new order. After s of them the queue holds
    queue - s batch keys of the epoch before, and an image is among those with that share of the images.

    Args:
        queue: keys, a multiple of `batch`, at most an epoch's.
        batch: N.
        images: training images.
    """
    steps = images // batch
    return sum(max(0, queue - s * batch) for s in range(steps)) / images / steps


def findings(arrays: Arrays) -> dict[str, float]:
    """Return for every queue the best momentum by the few-label probe of h, and what none and most give.

    `own_key_share_...` is `own_key_share`, computed.
    """
    few, spread = means(arrays, "digits_few5_h"), arrays["digits_few5_h"].std(axis=-1)
    # The small preset has every other momentum.
    keys = KEYS if few.shape[1] == len(KEYS) else KEYS[::2]
    told: dict[str, float] = {}
    for i, queue in enumerate(QUEUES[: len(few)]):
        best = int(few[i].argmax())
        told |= {
            f"few5_h_queue_{queue}_momentum_{keys[0]:g}": float(few[i, 0]),
            f"few5_h_queue_{queue}_momentum_{keys[-1]:g}": float(few[i, -1]),
            f"few5_h_queue_{queue}_best": float(few[i, best]),
            f"few5_h_queue_{queue}_best_std": float(spread[i, best]),
            f"few5_h_queue_{queue}_best_momentum": keys[best],
            f"few5_h_queue_{queue}_gain_over_no_momentum": float(few[i, best] - few[i, 0]),
            f"own_key_share_queue_{queue}": own_key_share(queue, QUEUE.base.batch, IMAGES),
        }
    return told


RECIPE = table_recipe(
    name="moco-queue",
    about="MoCo for queues of 128 to 1024 keys and momenta from 0 to 0.999",
    slug="moco-queue",
    presets=presets(QUEUE, (_axis("queue", QUEUES[:2]), _axis("momentum", KEYS[::2]))),
    findings=findings,
    file=__file__,
)
