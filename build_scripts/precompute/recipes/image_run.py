"""One SimCLR training on images, measured as it goes: what the trajectory and report recipes share."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from build_scripts.precompute import datasets, methods, models
from build_scripts.precompute.datasets import Dataset
from build_scripts.precompute.job_views import Views, views_of
from build_scripts.precompute.measures import Measures, as_images, embeddings, measure
from build_scripts.precompute.methods import Method
from build_scripts.precompute.quantise import Exported
from build_scripts.precompute.recipe import Run
from build_scripts.precompute.training import Epoch, TrainConfig, fit, seeded
from build_scripts.precompute.views import generator

__all__ = [
    "CURVES",
    "ImageRun",
    "Trained",
    "a_row_a_training",
    "curves",
    "each_trained",
    "ends",
    "load",
    "over_trainings",
    "rows_of",
    "train",
]

# What is measured at a recorded epoch: name of the measure to the exported name, unit and meaning.
CURVES = {
    "loss_train": ("loss_train", "nats", "NT-Xent, mean over the epoch's training batches"),
    "loss": ("loss", "nats", "NT-Xent of held-out views, in batches of N pairs"),
    "top1": ("top1", "", "share of held-out views whose positive is the nearest of the other 2N - 1"),
    "top5": ("top5", "", "share of held-out views whose positive is among the 5 nearest of 2N - 1"),
    "alignment": ("alignment", "", "mean squared distance between two views of a held-out image"),
    "uniformity": ("uniformity", "nats", "uniformity (t = 2) of z of the held-out images"),
    "rank_h": ("rank_h", "", "effective rank of h of the held-out images"),
    "knn": ("knn", "", "share of held-out images that the kNN in z classes rightly"),
    "knn_h": ("knn_h", "", "share of held-out images that the kNN in h classes rightly"),
    "few{}": ("few_label", "", "share classed rightly from a few labels a class on z, mean over draws"),
    "few{}_std": ("few_label_std", "", "standard deviation of few_label over draws"),
    "few{}_h": ("few_label_h", "", "share classed rightly from a few labels a class on h, mean over draws"),
    "few{}_h_std": ("few_label_h_std", "", "standard deviation of few_label_h over draws"),
}
# Batches over which the loss before any training is taken, at most.
_FIRST = 16
_LEAST = {"width": 0, "hidden": 0, "warmup_epochs": 0, "measured": 0, "picture_steps": 1, "shown": 4}


@dataclass(frozen=True)
class ImageRun:
    """The settings of a few trainings on images that differ in their seeds, and of what is measured of them.

    Attributes:
        dataset: for `datasets.load`.
        size, count, test_count: of a dataset that is rendered or cut: pixels a side, and images of each
            part (photos: of each photograph). A published set has its own.
        epochs, batch, learning_rate, optimizer, weight_decay, warmup_epochs: for `TrainConfig`.
        encoder, width: for `models.build`; width 0 is the encoder's own.
        d, hidden: of the nonlinear head; hidden 0 is as wide as h.
        tau: temperature, > 0.
        views, strength: for `views_of`.
        every: epochs from one measurement to the next; the first, the last and the stages always are.
        measured: held-out images of the curves, drawn; 0 for all.
        shown: held-out images of the pictures, drawn; the first of those measured.
        few_labels, few_label_draws, view_draws, neighbours: for `Measures`.
        perplexity, picture_steps: of the t-SNE of every stage.
        repeats: trainings; each has the seeds of weights and of views of the one before, and one more.
        accumulate, precision: for `TrainConfig`. With accumulate above 1, NT-Xent compares the images of a
            part alone.
        seed_data, seed_model, seed_views, seed_measures: of the images and which are shown, the first
            weights, batches and views, and the draws of the measures.

    Raises:
        ValueError: a number out of range, with what was wanted.
    """

    TAKES: ClassVar[tuple[str, ...]] = ("processes", "precision", "compile", "download")

    dataset: str = "factors"
    size: int = 32
    count: int = 1000
    test_count: int = 240
    epochs: int = 40
    batch: int = 128
    learning_rate: float = 2e-3
    optimizer: str = "adamw"
    weight_decay: float = 1e-4
    warmup_epochs: int = 3
    encoder: str = "conv"
    width: int = 16
    d: int = 3
    hidden: int = 64
    tau: float = 0.5
    views: tuple[str, ...] = ("crop", "flip", "color", "grey", "noise")
    strength: float = 0.5
    every: int = 1
    measured: int = 0
    shown: int = 240
    few_labels: int = 5
    few_label_draws: int = 5
    view_draws: int = 2
    neighbours: int = 15
    perplexity: float = 30.0
    picture_steps: int = 500
    seed_data: int = 0
    seed_model: int = 0
    seed_views: int = 1
    seed_measures: int = 2
    repeats: int = 3
    accumulate: int = 1
    precision: str = "32-true"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name.startswith("seed_") else _LEAST.get(field.name, 1)
            if field.type == "int" and (type(value) is not int or value < least):
                raise ValueError(f"{field.name} must be a whole number >= {least}, got {value!r}")
        for name in ("tau", "perplexity"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 < value < math.inf):
                raise ValueError(f"{name} must be > 0 and finite, got {value!r}")
        if not 1 < self.perplexity < self.shown - 1:
            raise ValueError(
                f"perplexity must lie between 1 and shown - 1 = {self.shown - 1}, got {self.perplexity}"
            )
        if self.measured and self.measured < self.shown:
            raise ValueError(
                f"measured must be >= shown ({self.shown}), whose images are among them, or 0 for all, "
                f"got {self.measured}"
            )
        self.training()

    def training(self) -> TrainConfig:
        """Return what `fit` is told."""
        return TrainConfig(
            epochs=self.epochs,
            batch=self.batch,
            learning_rate=self.learning_rate,
            optimizer=self.optimizer,
            weight_decay=self.weight_decay,
            warmup_epochs=self.warmup_epochs,
            accumulate=self.accumulate,
            precision=self.precision,
            seed_model=self.seed_model,
            seed_views=self.seed_views,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values; accumulate and precision where they are not the usual.

        So the hash of data that was made before there were these two still holds.
        """
        ready: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        usual = {f.name: f.default for f in fields(self) if f.name in ("accumulate", "precision")}
        return {name: value for name, value in ready.items() if (name, value) not in usual.items()}

    def each(self) -> list[Self]:
        """Return the settings of every training."""
        seeds = [(self.seed_model + i, self.seed_views + i) for i in range(self.repeats)]
        return [replace(self, seed_model=model, seed_views=views) for model, views in seeds]

    def seeds(self) -> dict[str, int]:
        """Return the seeds of the first training by short name, and the number of trainings."""
        own = {name[5:]: value for name, value in asdict(self).items() if name[:5] == "seed_"}
        return own | {"repeats": self.repeats}


AnyRun = TypeVar("AnyRun", bound=ImageRun)


@dataclass(frozen=True)
class Trained:
    """A training that has ended.

    Attributes:
        method: the trained network.
        records: one an epoch that was measured, epoch 0 first: every measure by name, `epoch`,
            `loss_train`, `z` (shown, d), and at a stage `h` (shown, features).
        shown: rows of the test part that z and h are of.
        seconds: of training and measuring, those before an interruption included.
    """

    method: Method
    records: list[dict[str, Any]]
    shown: NDArray[np.intp]
    seconds: float


def load(config: ImageRun) -> Dataset:
    """Return the dataset of the settings.

    Raises:
        ValueError: it cannot be had, with the way to get it.
    """
    made = {"size": config.size, "count": config.count, "test_count": config.test_count}
    options = {**made, "seed": config.seed_data} if config.dataset in ("factors", "photos") else {}
    return datasets.load(config.dataset, **options)


def build(config: ImageRun, channels: int, size: int) -> Method:
    """Return the network of the settings with its first weights."""
    with seeded(config.seed_model):
        encoder = models.build(config.encoder, channels=channels, size=size, width=config.width or None)
        return methods.build(
            "simclr", encoder=encoder, d=config.d, hidden=config.hidden or None, tau=config.tau
        )


def rows_of(config: ImageRun, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which of `count` held-out images are measured, and which are shown, both rising.

    Raises:
        ValueError: more are to be shown or measured than there are.
    """
    for name in ("shown", "measured"):
        if getattr(config, name) > count:
            raise ValueError(f"{name} must be <= {count}, the held-out images, got {getattr(config, name)}")
    drawn = np.random.default_rng(config.seed_data).permutation(count)
    return np.sort(drawn[: config.measured or count]), np.sort(drawn[: config.shown])


def train(
    config: ImageRun, data: Dataset, stages: tuple[int, ...], run: Run, factors: tuple[str, ...] = ()
) -> Trained:
    """Train SimCLR on the unlabelled images, or on the training part where there are none.

    Labels and factors are read by the measures alone.

    Args:
        config: the settings.
        data: what `load` gave.
        stages: epochs at which h of the shown images is kept.
        run: device, folder of the checkpoint, progress.
        factors: names of the factors that a linear probe is asked for, at every measured epoch.

    Raises:
        Diverged: the loss is NaN or infinite.
        ValueError: a setting does not fit the data.
    """
    source = data.train if data.unlabelled is None else data.unlabelled
    images = np.ascontiguousarray(source.images)
    measured, shown = rows_of(config, len(data.test))
    test, pictured = data.test[measured], data.test.images[shown]
    views = views_of(config.views, config.strength, {})
    wanted = Measures(
        tau=config.tau,
        batch=config.batch,
        view_draws=config.view_draws,
        neighbours=config.neighbours,
        few_labels=(config.few_labels,),
        few_label_draws=config.few_label_draws,
        factors=factors,
        seed=config.seed_measures,
    )
    device = run.fabric.device
    size, channels = images.shape[1], images.shape[3]
    told = replace(
        config.training(),
        compile=run.compile,
        # On a GPU convolutions are faster so; the numbers are the same but for the order of sums.
        channels_last=device.type == "cuda" and config.encoder != "mlp",
    )

    def record(method: Method, epoch: Epoch) -> dict[str, Any]:
        began = time.perf_counter()
        number = epoch.number
        found: dict[str, Any] = {"epoch": number, "loss_train": epoch.loss}
        if number == 0:
            found["loss_train"] = _first_loss(images, views, config, device)
        if number % config.every == 0 or number in (*stages, config.epochs):
            found |= measure(method.embed, data.train, test, views, wanted, device)
            h, z = embeddings(method.embed, as_images(pictured, device))
            found["z"] = z
            if number in stages:
                found["h"] = h
        return {**found, "seconds": epoch.seconds + time.perf_counter() - began}

    method = build(config, channels, size)
    records = fit(
        method,
        images,
        views,
        told,
        run.fabric,
        work=run.work,
        record=record,
        progress=run.progress,
        what=config.dataset,
    )
    seconds = sum(record["seconds"] for record in records)
    return Trained(method, [record for record in records if "z" in record], shown, seconds)


@torch.no_grad()
def _first_loss(images: NDArray[np.uint8], views: Views, config: ImageRun, device: torch.device) -> float:
    """Return the loss as an epoch would meet it, of a network of its own that takes no step.

    One that was set up for several processes would wait for them in its batch norm.
    """
    fresh = build(config, images.shape[3], images.shape[1]).to(device).train()
    rng = generator(config.seed_views, 0)
    order = torch.randperm(len(images), generator=rng).numpy()
    losses = []
    for step in range(min(_FIRST, len(images) // config.batch)):
        batch = as_images(images[order[step * config.batch : (step + 1) * config.batch]], device)
        losses.append(float(fresh.loss(views(batch, rng), views(batch, rng))))
    return float(np.mean(losses))


def curves(trained: Trained, config: ImageRun, end: str = "") -> dict[str, Exported]:
    """Return an array over the measured epochs for every curve, its name followed by `end`."""
    found = {}
    for measure_name, (name, unit, about) in CURVES.items():
        values = [float(record[measure_name.format(config.few_labels)]) for record in trained.records]
        found[f"{name}{end}"] = Exported(np.array(values), about, unit)
    return found


def each_trained(
    config: AnyRun, data: Dataset, stages: tuple[int, ...], run: Run, factors: tuple[str, ...] = ()
) -> Iterator[tuple[AnyRun, Trained]]:
    """Yield every training's settings and what came of it; each has its own folder of checkpoints."""
    for i, own in enumerate(config.each()):
        yield own, train(own, data, stages, replace(run, work=run.work / f"training-{i}"), factors)


def a_row_a_training(found: list[dict[str, Exported]]) -> dict[str, Exported]:
    """Return the arrays of all trainings, those of one name as rows of one."""
    return {
        name: Exported(
            np.stack([own[name].array for own in found]), f"{first.about}; a row a training", first.unit
        )
        for name, first in found[0].items()
    }


def over_trainings(told: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every number over the trainings, and as `..._std` its standard deviation.

    A number that is itself a spread over draws of labels is left out: `_std` means one thing.
    """
    found: dict[str, float] = {}
    for name in told[0]:
        if "_std" not in name:
            values = [own[name] for own in told]
            found |= {name: float(np.mean(values)), f"{name}_std": float(np.std(values))}
    return found


def ends(arrays: dict[str, Exported], end: str = "") -> dict[str, float]:
    """Return the first and the last value of every curve, for the manifest."""
    return {
        f"{name}{end}_{when}": float(arrays[f"{name}{end}"].array[row])
        for name, _, _ in CURVES.values()
        for when, row in (("first", 0), ("last", -1))
    }
