"""MoCo by the length of its queue and the momentum of its keys."""

from __future__ import annotations

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, means, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE", "own_keys"]


def _axis(option: str, values: tuple[float, ...]) -> Axis:
    return Axis(option, {value: {"method_options": {option: value}} for value in values})


# The longest two exceed the 1437 training images: see `own_keys`.
QUEUES = (128, 512, 2048, 8192)
KEYS = (0.0, 0.5, 0.9, 0.99, 0.999)
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


def own_keys(queue: int, batch: int, images: int) -> float:
    """Return how many earlier keys of its own image a query meets in a full queue, in the mean.

    They are negatives that ought to be positives. Each epoch takes floor(images / batch) batches of a new
    order: this epoch's keys hold none of a query's image, an earlier epoch's hold one with the share of
    the images that it took.

    Args:
        queue: K, a multiple of `batch`.
        batch: N.
        images: training images.
    """
    steps = images // batch
    earlier = [max(0, queue - step * batch) for step in range(steps)]
    return sum(earlier) / steps / images


def findings(arrays: Arrays) -> dict[str, float]:
    """Return, for every queue, what no momentum and the best one give, and how stale the negatives are.

    `few5_h` is the few-label probe of h, `knn` and `top1` are of z; means over seeds, `_std` over seeds.
    `gain` is the best momentum against none. `own_keys_queue_<K>` is `own_keys`, computed.
    """
    found = {name: means(arrays, f"digits_{name}") for name in ("few5_h", "knn", "top1")}
    # The small preset has every other momentum.
    keys = KEYS if found["knn"].shape[1] == len(KEYS) else KEYS[::2]
    told: dict[str, float] = {}
    for i, queue in enumerate(QUEUES[: len(found["knn"])]):
        for name, values in found.items():
            best = int(values[i].argmax())
            told |= {
                f"{name}_queue_{queue}_momentum_0": float(values[i, 0]),
                f"{name}_queue_{queue}_best": float(values[i, best]),
                f"{name}_queue_{queue}_best_std": float(arrays[f"digits_{name}"][i, best].std()),
                f"{name}_queue_{queue}_best_momentum": keys[best],
                f"{name}_queue_{queue}_gain": float(values[i, best] - values[i, 0]),
            }
        told[f"own_keys_queue_{queue}"] = own_keys(queue, QUEUE.base.batch, IMAGES)
    return told


RECIPE = table_recipe(
    name="moco-queue",
    about="MoCo for queues of 128 to 8192 keys and momenta from 0 to 0.999",
    slug="moco-queue",
    presets=presets(QUEUE, (_axis("queue", QUEUES[:2]), _axis("momentum", KEYS[::2]))),
    findings=findings,
    file=__file__,
)
