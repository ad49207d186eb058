"""One training as a row of settings, and its measures: the unit of every sweep."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types
from torch import Tensor

from build_scripts.precompute import datasets, methods, models
from build_scripts.precompute.datasets import Dataset, Split
from build_scripts.precompute.device_views import shift_colours
from build_scripts.precompute.job_views import Views, views_of
from build_scripts.precompute.kept_views import KeptViews
from build_scripts.precompute.measures import (
    Embed,
    Measures,
    as_images,
    embeddings,
    measure,
    spread,
)
from build_scripts.precompute.methods import Method
from build_scripts.precompute.methods.supervised import Supervised
from build_scripts.precompute.recipe import fabric_for
from build_scripts.precompute.training import Epoch, TrainConfig, fit, seeded
from build_scripts.precompute.views import generator
from sim_engine import metrics

__all__ = ["BASELINES", "CURVES", "Job", "run_job", "training_views"]

# Features that need no training: the pixels, their colours alone, an untrained encoder.
BASELINES = ("raw", "histogram", "random")
# What `curve` records of every epoch.
CURVES = ("curve_loss_train", "curve_spread_z", "curve_knn")
_BINS = 8  # a channel, of a colour histogram


@dataclass(frozen=True)
class Job:
    """Everything that decides one training and what is measured of it.

    Attributes:
        dataset, dataset_options: for `datasets.load`.
        train_on: train on the first so many images, 0 for all.
        encoder, width: for `models.build`; width 0 is the encoder's own.
        method, method_options: for `methods.build`, or one of the baselines.
        head, d, hidden: the projection head.
        tau: temperature, > 0.
        views, strength, view_options: for `views_of`.
        epochs, batch, learning_rate, optimizer, weight_decay, warmup_epochs: for `TrainConfig`.
        labels: labels a class that a supervised method trains on; 0 for all.
        few_labels, few_label_draws, probe, factors, view_draws, neighbours: for `Measures`; probe is
            False, True, or "h" or "z" for one alone.
        measure_tau: temperature of the measured loss; 0 for `tau`.
        measure_views, measure_strength: of the views that are measured; () for `views`, negative for
            `strength`. What is to be compared must be measured on the same views.
        hue, brightness: shift of the colours of the test images, 0 and 1 for none. Probes and kNN learn
            from training images as they are, so that a colour which they learned misleads them.
        curve: also record every epoch, the first before any step: the loss, the spread of z, its kNN.
        shown: keep z of the first so many test images, 0 for none.
        seed: of weights, batches and views. The data's own seed is in `dataset_options`.
        device: as the command's `--device`.

    Raises:
        ValueError: a number out of range, with what was wanted.
    """

    dataset: str = "digits"
    dataset_options: Mapping[str, Any] = field(default_factory=dict)
    train_on: int = 0
    encoder: str = "mlp"
    width: int = 0
    method: str = "simclr"
    method_options: Mapping[str, Any] = field(default_factory=dict)
    head: str = "nonlinear"
    d: int = 32
    hidden: int = 64
    tau: float = 0.5
    views: tuple[str, ...] = ("digit",)
    strength: float = 0.5
    view_options: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 60
    batch: int = 128
    learning_rate: float = 2e-3
    optimizer: str = "adamw"
    weight_decay: float = 1e-4
    warmup_epochs: int = 2
    labels: int = 0
    few_labels: tuple[int, ...] = (5,)
    few_label_draws: int = 5
    probe: bool | str = False
    factors: tuple[str, ...] = ()
    view_draws: int = 2
    neighbours: int = 15
    measure_tau: float = 0.0
    measure_views: tuple[str, ...] = ()
    measure_strength: float = -1.0
    hue: float = 0.0
    brightness: float = 1.0
    curve: bool = False
    shown: int = 0
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, least in (("epochs", 0), ("batch", 2), ("d", 1), ("hidden", 1), ("train_on", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
        if not (isinstance(self.tau, int | float) and 0 < self.tau < math.inf):
            raise ValueError(f"tau must be > 0 and finite, got {self.tau!r}")
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must lie in [0, 1], got {self.strength!r}")
        if self.probe not in (False, True, "h", "z"):
            raise ValueError(f"probe must be true, false, 'h' or 'z', got {self.probe!r}")

    def settings(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values."""
        ready: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return ready

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Job:
        """Return the job of JSON-ready settings.

        Raises:
            ValueError: an unknown setting.
        """
        known = {f.name for f in fields(cls)}
        unknown = set(settings) - known
        if unknown:
            raise ValueError(
                f"no setting {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}"
            )
        ready: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
        return cls(**ready)

    def with_(self, **changes: Any) -> Job:
        """Return the job with settings changed; mappings are merged, not replaced."""
        for name in ("dataset_options", "method_options", "view_options"):
            if name in changes:
                changes[name] = {**getattr(self, name), **changes[name]}
        unknown = set(changes) - {f.name for f in fields(self)}
        if unknown:
            raise ValueError(f"no setting {', '.join(sorted(unknown))}")
        return replace(self, **changes)


def run_job(
    settings: Mapping[str, Any], trained: tuple[Method, list[dict[str, Any]]] | None = None
) -> dict[str, NDArray[Any] | float]:
    """Train as the settings say, and return every measure by name.

    Loss and retrieval are those of held-out batches of `Measures.batch` pairs, whatever `batch` was, so
    that trainings with different batches can be compared.

    Besides `measures.measure`'s names: `loss_train` (nats, mean over the last epoch's batches; NaN
    where nothing is trained), for a supervised method `accuracy`, with `curve` the arrays
    `curve_loss_train`, `curve_spread_z` and `curve_knn` (epochs + 1,), and with `shown` the
    array `z` (shown, d).

    Args:
        settings: of a `Job`, JSON-ready, so that a worker elsewhere can be sent them.
        trained: method and records of these settings, where they were trained with others at once; None
            trains here.

    Raises:
        ValueError: a setting is wrong.
        Diverged: the loss is NaN or infinite.
    """
    job = Job.of(settings)
    fabric = fabric_for(job.device)
    data = _dataset(job.dataset, json.dumps(dict(job.dataset_options), sort_keys=True))
    train = data.train[: job.train_on] if job.train_on else data.train
    views = KeptViews(views_of(job.views, job.strength, dict(job.view_options)), training_views(job))
    found: dict[str, NDArray[Any] | float] = {}
    if job.method in ("raw", "histogram"):
        embed: Embed = _pixels if job.method == "raw" else _histogram
    else:
        method, records = trained or _trained(job, train, data.test, views, fabric)
        embed = method.embed
        losses = np.array([record["loss_train"] for record in records])
        found["loss_train"] = float(losses[-1]) if len(losses) else float("nan")
        if job.curve:
            found |= {name: np.array([r[name] for r in records]) for name in CURVES}
        if isinstance(method, Supervised):
            found["accuracy"] = _accuracy(method, data.test, fabric.device)
    test = _shifted(data.test, job.hue, job.brightness)
    strength = job.strength if job.measure_strength < 0 else job.measure_strength
    names = job.measure_views or job.views
    of = _decides(job, "test", names, strength, [job.hue, job.brightness])
    measured = KeptViews(views_of(names, strength, dict(job.view_options)), of)
    wanted = Measures(
        tau=job.measure_tau or job.tau,
        view_draws=job.view_draws,
        neighbours=job.neighbours,
        few_labels=job.few_labels,
        few_label_draws=job.few_label_draws,
        probe=job.probe,
        factors=job.factors,
    )
    found |= measure(embed, train, test, measured, wanted, fabric.device)
    if job.shown:
        found["z"] = embeddings(embed, as_images(test.images[: job.shown], fabric.device))[1]
    return found


def training_views(job: Job) -> str:
    """Return what decides the views that a job trains on: jobs of one text make them once in a process."""
    rows = [job.method, job.labels] if job.labels else []  # a few images of each class
    return _decides(job, "train", job.views, job.strength, [job.train_on, rows, job.batch, job.seed])


def _decides(job: Job, part: str, names: tuple[str, ...], strength: float, images: list[Any]) -> str:
    """Return what decides views, as a text; `images` is what else decides which come, in which order."""
    data = [job.dataset, dict(job.dataset_options), part, images]
    return json.dumps([data, names, strength, dict(job.view_options), job.device])


@torch.no_grad()
def _accuracy(method: Supervised, test: Split, device: torch.device) -> float:
    """Return the share of test images whose class the network itself names."""
    if test.labels is None:
        raise ValueError("supervised needs labels to be measured by")
    images = as_images(test.images, device)
    named = torch.cat([method.classify(chunk).argmax(dim=1) for chunk in torch.split(images, 512)])
    return float((named.cpu().numpy() == test.labels).mean())


@lru_cache(maxsize=4)
def _dataset(name: str, options: str) -> Dataset:
    return datasets.load(name, **json.loads(options))


def _trained(
    job: Job, train: Split, test: Split, views: Views, fabric: Any
) -> tuple[Method, list[dict[str, Any]]]:
    """Return the trained method, and a record for every epoch."""
    count, height, _, channels = train.images.shape
    options = dict(job.method_options)
    if job.method == "supervised":
        options["classes"] = len(np.unique(_labels(job, train)))
    with seeded(job.seed):
        encoder = models.build(job.encoder, channels=channels, size=height, width=job.width or None)
        d = encoder.features if job.head == "none" else job.d
        method = methods.build(
            job.method, encoder=encoder, d=d, head=job.head, hidden=job.hidden, tau=job.tau, **options
        )
    images, labels = train.images, None
    if method.needs_labels:
        known = _labels(job, train)
        rows = _few(known, job.labels, job.seed) if job.labels else np.arange(count)
        images, labels = images[rows], known[rows]
    if job.method == "random" or job.epochs == 0:
        method.to(fabric.device)
        return method, []
    config = TrainConfig(
        epochs=job.epochs,
        batch=min(job.batch, len(images)),
        learning_rate=job.learning_rate,
        optimizer=job.optimizer,
        weight_decay=job.weight_decay,
        warmup_epochs=min(job.warmup_epochs, job.epochs - 1),
        seed_model=job.seed,
        seed_views=job.seed + 1,
    )

    def record(now: Method, epoch: Epoch) -> dict[str, Any]:
        found = {"loss_train": epoch.loss}
        return found | _moment(job, now, epoch, train, test, fabric.device) if job.curve else found

    first = _first_loss(method, images, labels, views, config, fabric.device) if job.curve else math.nan
    records = fit(method, images, views, config, fabric, labels=labels, record=record)
    if job.curve:
        records[0]["curve_loss_train"] = first
    return method, records


def _moment(
    job: Job, method: Method, epoch: Epoch, train: Split, test: Split, device: torch.device
) -> dict[str, float]:
    """Return an epoch's point of every curve."""
    with threadpool_limits(1):
        z, z_train = (embeddings(method.embed, as_images(s.images, device))[1] for s in (test, train))
        found = {"curve_loss_train": epoch.loss, "curve_spread_z": spread(z)}
        if train.labels is None or test.labels is None:
            raise ValueError(f"{job.dataset} has no labels, so there is no curve of kNN")
        knn = metrics.knn_accuracy(z_train, train.labels, z, test.labels, k=job.neighbours)
        return found | {"curve_knn": knn}


@torch.no_grad()
def _first_loss(
    method: Method,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    views: Views,
    config: TrainConfig,
    device: torch.device,
) -> float:
    """Return the loss as the first epoch would meet it, on a copy that takes no step."""
    fresh = copy.deepcopy(method).to(device).train()
    rng = generator(config.seed_views, 0)
    order = torch.randperm(len(images), generator=rng).numpy()
    values = []
    for rows in order[: len(order) // config.batch * config.batch].reshape(-1, config.batch):
        batch = as_images(images[rows], device)
        known = None if labels is None else torch.from_numpy(labels[rows]).to(device)
        values.append(float(fresh.loss(views(batch, rng), views(batch, rng), known)))
    return float(np.mean(values))


def _labels(job: Job, train: Split) -> NDArray[np.int64]:
    if train.labels is None:
        raise ValueError(f"{job.method} needs labels, and {job.dataset} has none to train on")
    return train.labels


def _few(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.intp]:
    """Return rows of `count` images of every class, drawn."""
    rng = np.random.default_rng(seed)
    rows = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        if len(own) < count:
            raise ValueError(f"labels must be <= {len(own)}, the images of class {label}, got {count}")
        rows.append(rng.choice(own, count, replace=False))
    return np.concatenate(rows)


def _pixels(images: Tensor) -> tuple[Tensor, Tensor]:
    flat = images.flatten(1)
    return flat, flat - flat.mean(dim=1, keepdim=True)


def _histogram(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the histogram of every channel, side by side: what an image's colours are, and not where."""
    flat = images.flatten(2)
    edges = (flat * _BINS).long().clamp(0, _BINS - 1)
    counts = torch.nn.functional.one_hot(edges, _BINS).sum(dim=2).flatten(1).float() / flat.shape[2]
    return counts, counts.sqrt()  # the cosine of the roots is the Bhattacharyya coefficient


def _shifted(part: Split, hue: float, brightness: float) -> Split:
    """Return the part with all hues turned and all levels multiplied alike, in whole levels."""
    if not hue and brightness == 1.0:
        return part
    levels = shift_colours(as_images(part.images), hue, brightness).mul(255).round().to(torch.uint8)
    return replace(part, images=levels.permute(0, 2, 3, 1).contiguous().numpy())
