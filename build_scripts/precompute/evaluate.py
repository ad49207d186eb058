"""What an encoder is worth after an epoch, always on the same held-out images, views and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types
from torch import Tensor

from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.digits import WHITE, Digits
from build_scripts.precompute.model import SimCLR
from build_scripts.precompute.simclr import Epoch
from build_scripts.precompute.views import generator, random_views
from sim_engine.losses import nt_xent_value
from sim_engine.metrics import alignment, knn_accuracy, positive_retrieval, uniformity

__all__ = ["HIST_EDGES", "Probe", "as_tensor"]

Float64 = NDArray[np.float64]

HIST_EDGES = np.linspace(-1.0, 1.0, 41)


def as_tensor(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Return images (n, 8, 8), 0 to 16, as float32 (n, 1, 8, 8), 0 to 1."""
    return torch.from_numpy(images.astype(np.float32) / WHITE)[:, None].to(device)


@dataclass(frozen=True)
class _Draw:
    """One labelled set: rows of the training images, `few_labels` of every class."""

    rows: NDArray[np.intp]
    labels: NDArray[np.uint8]


class Probe:
    """Fixed held-out views and label draws; `measure` holds a model against them.

    Args:
        train: the training images and their labels: the kNN's and the probe's reference.
        held_out: the probe images and their labels.
        config: batch, tau, strength, neighbours, label draws, seed.
        device: where the model is.
    """

    def __init__(self, train: Digits, held_out: Digits, config: SimclrConfig, device: torch.device) -> None:
        self.train, self.held_out, self.config = train, held_out, config
        self._train_images = as_tensor(train.images, device)
        self._images = as_tensor(held_out.images, device)
        seed = config.seed_evaluation
        self._views = [
            tuple(
                random_views(self._images, config.strength, generator(seed, draw, side)) for side in range(2)
            )
            for draw in range(config.view_draws)
        ]
        rng = np.random.default_rng(seed)
        rows = rng.permutation(len(held_out.labels))
        whole = len(rows) // config.batch * config.batch
        self._batches = rows[:whole].reshape(-1, config.batch)
        self._draws = [_draw(train.labels, config.few_labels, rng) for _ in range(config.few_label_draws)]

    def measure(self, epoch: Epoch) -> dict[str, Tensor]:
        """Return the epoch's record: z of the probe images, and every metric, as float64 tensors."""
        # One thread: the same sums on any number of cores, and none waits for another on these small arrays.
        with torch.no_grad(), threadpool_limits(1):
            return self._measure(epoch)

    def negatives(self, epoch: Epoch) -> Float64:
        """Return the cosines of all ordered pairs of views of different images within a batch, unsorted."""
        with torch.no_grad(), threadpool_limits(1):
            batches = self._batched(self._pairs(epoch.model))
            return np.concatenate([_negatives(*pair) for pair in batches])

    def _measure(self, epoch: Epoch) -> dict[str, Tensor]:
        model, config = epoch.model, self.config
        h_train, z_train = _embed(model, self._train_images)
        h, z = _embed(model, self._images)
        pairs = self._pairs(model)
        batches = self._batched(pairs)
        record: dict[str, float | Float64] = {
            "z": z,
            "loss_train": epoch.loss,
            "loss": float(np.mean([nt_xent_value(*pair, config.tau) for pair in batches])),
            "top1": float(np.mean([positive_retrieval(*pair, k=1) for pair in batches])),
            "top5": float(np.mean([positive_retrieval(*pair, k=5) for pair in batches])),
            "alignment": float(np.mean([alignment(*pair) for pair in pairs])),
            "uniformity": uniformity(z),
            "knn": self._knn(z_train, z),
            "knn_h": self._knn(h_train, h),
            "negatives_hist": np.sum([_histogram(_negatives(*pair)) for pair in batches], axis=0),
            "positives_hist": np.sum([_histogram((a * b).sum(axis=1)) for a, b in pairs], axis=0),
        }
        for name, reference, rows in (("few_label", z_train, z), ("few_label_h", h_train, h)):
            shares = [self._few_label(draw, reference, rows) for draw in self._draws]
            record |= {name: float(np.mean(shares)), f"{name}_std": float(np.std(shares))}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in record.items()}

    def _pairs(self, model: SimCLR) -> list[tuple[Float64, Float64]]:
        return [(_embed(model, view_a)[1], _embed(model, view_b)[1]) for view_a, view_b in self._views]

    def _batched(self, pairs: list[tuple[Float64, Float64]]) -> list[tuple[Float64, Float64]]:
        return [(z_a[rows], z_b[rows]) for z_a, z_b in pairs for rows in self._batches]

    def _knn(self, reference: Float64, rows: Float64) -> float:
        return knn_accuracy(
            reference, self.train.labels, rows, self.held_out.labels, k=self.config.neighbours
        )

    def _few_label(self, draw: _Draw, reference: Float64, rows: Float64) -> float:
        # Scaled by the unlabelled training features, so that h and z meet one penalty.
        mean, spread = reference.mean(axis=0), reference.std(axis=0) + 1e-12
        classifier = LogisticRegression(C=10.0, max_iter=5000)
        classifier.fit((reference[draw.rows] - mean) / spread, draw.labels)
        return float(classifier.score((rows - mean) / spread, self.held_out.labels))


def _draw(labels: NDArray[np.uint8], count: int, rng: np.random.Generator) -> _Draw:
    classes = np.unique(labels)
    fewest = min(int((labels == c).sum()) for c in classes)
    if fewest < count:
        raise ValueError(f"few_labels must be <= {fewest}, the smallest class in training, got {count}")
    rows = np.concatenate([rng.choice(np.flatnonzero(labels == c), count, replace=False) for c in classes])
    return _Draw(rows, labels[rows])


def _embed(model: SimCLR, images: Tensor) -> tuple[Float64, Float64]:
    """Return h and unit z in float64, on the CPU."""
    h = model.encoder(images)
    z = model.project(h).cpu().numpy().astype(np.float64)
    # Unit to float64's precision, not float32's.
    return h.cpu().numpy().astype(np.float64), z / np.linalg.norm(z, axis=1, keepdims=True)


def _negatives(z_a: Float64, z_b: Float64) -> Float64:
    """Return the cosines of all ordered pairs of views of different images, (2N (2N - 2),)."""
    z = np.concatenate([z_a, z_b])
    image = np.tile(np.arange(len(z_a)), 2)
    cosines: Float64 = np.clip((z @ z.T)[image[:, None] != image[None, :]], -1.0, 1.0)
    return cosines


def _histogram(cosines: Float64) -> Float64:
    return np.histogram(np.clip(cosines, -1.0, 1.0), HIST_EDGES)[0].astype(np.float64)
