"""Where held-out images lie on the sphere at every epoch of SimCLR: photographs, and rendered shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from build_scripts.precompute.datasets import Dataset, Split
from build_scripts.precompute.fingerprint import own_and_shared
from build_scripts.precompute.quantise import Exported, quantise
from build_scripts.precompute.recipe import Recipe, Result, Run
from build_scripts.precompute.recipes.image_run import (
    ImageRun,
    Trained,
    a_row_a_training,
    curves,
    each_trained,
    ends,
    load,
    over_trainings,
    rows_of,
)
from build_scripts.precompute.recipes.stage_pictures import moved, stage_pictures
from sim_engine.projection import align_trajectory

__all__ = ["FACTORS", "PHOTOS", "Trajectory", "record_trajectory", "stages"]

# The moments whose h is drawn, in shares of the training.
SHARES = (0.0, 1 / 8, 1 / 4, 1 / 2, 1.0)
# Where an image of the photos was cut is not what it was made from.
NOT_PROBED = ("top", "left")


@dataclass(frozen=True)
class Trajectory(ImageRun):
    """`ImageRun`'s settings with z on the sphere, and the side of the thumbnails in pixels.

    Raises:
        ValueError: as `ImageRun`, or d is not 3.
    """

    thumbnail: int = 24

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.d != 3:
            raise ValueError(f"d must be 3, the sphere that is shown, got {self.d}")
        if self.thumbnail > self.size:
            raise ValueError(f"thumbnail must be <= size ({self.size} pixels), got {self.thumbnail}")


def stages(epochs: int) -> tuple[int, ...]:
    """Return the epochs whose h is drawn: the first, an eighth, a quarter, half, the last."""
    return tuple(sorted({round(share * epochs) for share in SHARES}))


def run(config: Trajectory, run: Run) -> Result:
    """Load the images, and record the trainings."""
    return record_trajectory(config, load(config), run)


def record_trajectory(config: Trajectory, data: Dataset, run: Run) -> Result:
    """Train as often as told, measuring every recorded epoch; the points and pictures are the first's."""
    moments = stages(config.epochs)
    asked = tuple(name for name in data.test.factors if name not in NOT_PROBED)
    arrays: dict[str, Exported] = {}
    told: list[dict[str, float]] = []
    found: list[dict[str, Exported]] = []
    seconds = 0.0
    for own, trained in each_trained(config, data, moments, run, asked):
        if not found:
            arrays = _images(config, data, trained) | _pictures(config, moments, trained)
        lines = curves(trained, own, "_3")
        found.append(lines | _probes(asked, trained))
        read = {f"factor_{name}_h_last": float(trained.records[-1][f"factor_{name}_h"]) for name in asked}
        told.append(ends(lines, "_3") | read)
        seconds += trained.seconds
    arrays |= a_row_a_training(found)
    measured = data.test[rows_of(config, len(data.test))[0]]
    batch = min(config.batch, len(measured))
    metrics = over_trainings(told) | {
        "batch_pairs": config.batch,
        "train_images": len(data.train),
        "held_out_images": len(measured),
        "loss_equal": math.log(2 * config.batch - 1),
        "top1_chance": 1 / (2 * batch - 1),
        "top5_chance": 5 / (2 * batch - 1),
        "label_chance": float(np.bincount(_labels(data.name, measured)).max() / len(measured)),
        "picture_moved": float(arrays["picture_moved"].array.mean()),
        "picture_kl_last": float(arrays["picture_kl"].array[-1]),
    }
    about = data.provenance() | {"classes": list(data.classes)}
    return Result(arrays, metrics, seconds, dataset=about)


def _images(config: Trajectory, data: Dataset, trained: Trained) -> dict[str, Exported]:
    """Return what is known of the shown images: thumbnails, labels, what they were made from."""
    part = data.test[trained.shown]
    found = {
        "image": Exported(_thumbnails(part.images, config.thumbnail), "held-out images, 0 to 255"),
        "label": Exported(
            _labels(data.name, part).astype(np.uint8), "class of each held-out image, as in classes"
        ),
    }
    for name, values in part.factors.items():
        about = f"{name} of each held-out image"
        whole = values.dtype == np.int64
        found[f"factor_{name}"] = (
            Exported(values.astype(np.int16), about) if whole else quantise(values, about)
        )
    return found


def _pictures(config: Trajectory, moments: tuple[int, ...], trained: Trained) -> dict[str, Exported]:
    """Return z at every measured epoch and the t-SNE of h at every stage."""
    z = align_trajectory(np.stack([record["z"] for record in trained.records]))
    drawn = stage_pictures(
        [record["h"] for record in trained.records if "h" in record],
        perplexity=config.perplexity,
        steps=config.picture_steps,
    )
    epochs = np.array([record["epoch"] for record in trained.records], np.int16)
    about = "held-out images on the unit sphere: epoch, image, coordinate; turned onto the epoch before"
    return {
        "epoch": Exported(epochs, "the epochs that were measured", "epochs"),
        "z3": quantise(z, about),
        "stage": Exported(np.array(moments, np.int16), "the epochs whose h is drawn", "epochs"),
        "picture": quantise(
            drawn.y, "t-SNE of h: stage, image, coordinate; each begun and turned at the one before"
        ),
        "picture_kl": Exported(drawn.kl, "divergence of each picture from its features", "nats"),
        "picture_moved": Exported(moved(drawn.y), "mean way of a point to the next picture, over its size"),
    }


def _probes(asked: tuple[str, ...], trained: Trained) -> dict[str, Exported]:
    """Return how well a linear probe reads each factor off z and h, over the measured epochs."""
    found = {}
    for name in asked:
        for end, space in (("_3", "z"), ("_h_3", "h")):
            key = f"factor_{name}" + ("_h" if space == "h" else "")
            values = np.array([float(record[key]) for record in trained.records])
            about = f"{name} read off {space} by a linear probe: accuracy of classes, R² of numbers"
            found[f"reads_{name}{end}"] = Exported(values, about)
    return found


def _labels(name: str, part: Split) -> NDArray[np.int64]:
    if part.labels is None:
        raise ValueError(f"{name} has no labels to colour points by; take another dataset")
    return part.labels


def _thumbnails(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return images (n, H, W, 3) reduced to (n, side, side, 3), each pixel a mean of those it covers."""
    small = [Image.fromarray(image).resize((side, side), Image.Resampling.BOX) for image in images]
    return np.stack([np.asarray(image, np.uint8) for image in small])


def _recipe(dataset: str, what: str, presets: dict[str, Trajectory]) -> Recipe:
    modules, code = own_and_shared(__file__)
    run_any: Any = run
    return Recipe(
        name=f"{dataset}-trajectory",
        about=f"SimCLR on {what} with z on a sphere, every epoch recorded, and t-SNE of h at five stages",
        slug=f"{dataset}-trajectory",
        dataset={},
        modules=modules,
        code=code,
        run=run_any,
        config=presets["cpu"],
        presets=presets,
    )


def _presets(cpu: Trajectory, gpu: Trajectory, count: int, test_count: int) -> dict[str, Trajectory]:
    """Return the three presets; the small one is the CPU's with few images, too short to learn much."""
    tiny = replace(
        cpu,
        count=count,
        test_count=test_count,
        epochs=3,
        batch=32,
        warmup_epochs=1,
        width=4,
        shown=40,
        repeats=2,
        few_labels=3,
        few_label_draws=2,
        view_draws=1,
        perplexity=8.0,
        picture_steps=60,
    )
    return {"cpu": cpu, "gpu": gpu, "small": tiny}


_FACTORS = Trajectory(dataset="factors", count=1500, test_count=480)
_PHOTOS = Trajectory(dataset="photos", count=100, test_count=30)
FACTORS = _recipe(
    "factors",
    "rendered shapes",
    _presets(
        _FACTORS,
        replace(
            _FACTORS, count=20000, test_count=2000, size=48, encoder="resnet18", width=0, hidden=512,
            epochs=150, batch=256, learning_rate=1e-3, warmup_epochs=5,
        ),
        count=96,
        test_count=48,
    ),
)  # fmt: skip
PHOTOS = _recipe(
    "photos",
    "patches of photographs",
    _presets(
        _PHOTOS,
        replace(
            _PHOTOS, count=400, encoder="resnet18", width=0, hidden=512,
            epochs=150, batch=256, learning_rate=1e-3, warmup_epochs=5,
        ),
        count=8,
        test_count=4,
    ),
)  # fmt: skip
