"""What an encoder is worth: every measure of the book, on images it never trained on.

The numbers are `sim_engine.metrics`'s; this module only makes the embeddings that they take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types
from torch import Tensor

from build_scripts.precompute.datasets import Split
from build_scripts.precompute.datasets.base import ANGLES
from sim_engine import metrics
from sim_engine.losses import nt_xent_value

__all__ = [
    "ALTERED",
    "LEAST_SPREAD",
    "PROBE_L2",
    "Embed",
    "Measures",
    "altered",
    "as_images",
    "embeddings",
    "factor_score",
    "measure",
    "spread",
    "standardised",
]

Float64 = NDArray[np.float64]
# Images (n, C, H, W), float32, 0 to 1, to h and z.
Embed = Callable[[Tensor], tuple[Tensor, Tensor]]
ViewsOf = Callable[[Tensor, torch.Generator], Tensor]

_CHUNK = 512
# Of the standardised features; scikit-learn's C = 10.
PROBE_L2 = 0.1
# Rows nearer to their mean than this share of their length have collapsed: they have no rank but 1.
# 0.1 is a hundredth of the mean square; untrained networks keep about 0.2.
LEAST_SPREAD = 0.1
# Share of the widest column's spread that a column has at least, to a probe.
LEAST_SCALE = 0.01
# What a probe can be asked of images that were altered for it, and how many answers there are: turned by
# which quarter, with noise or not, in grey or not.
ALTERED = {"turned": 4, "corrupted": 2, "greyed": 2}
CORRUPTION = 0.1


@dataclass(frozen=True)
class Measures:
    """Which measures are taken, and how.

    Attributes:
        tau: temperature of the held-out NT-Xent, > 0.
        batch: N of the held-out batches in which the loss and the retrieval are taken.
        view_draws: how many fixed pairs of views of every test image.
        neighbours: k of the kNN.
        few_labels: labels a class of the few-label probes, one probe for each number.
        few_label_draws: how many random sets of labels.
        probe: also the probe with all labels, of h and z; "h" or "z" of one alone.
        factors: names of the factors that are probed in h and z: the dataset's, or of `ALTERED`.
        seed: of views, batches and label draws; the same for all that is to be compared.
    """

    tau: float = 0.5
    batch: int = 128
    view_draws: int = 2
    neighbours: int = 15
    few_labels: tuple[int, ...] = (5,)
    few_label_draws: int = 5
    probe: bool | str = False
    factors: tuple[str, ...] = ()
    seed: int = 2


def as_images(images: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """Return uint8 (n, H, W, C) as float32 (n, C, H, W), 0 to 1, on the device."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).contiguous().float() / 255


def embeddings(embed: Embed, images: Tensor) -> tuple[Float64, Float64]:
    """Return h (n, features) and unit z (n, d) in float64, image by image alike whatever n is."""
    parts = [embed(chunk) for chunk in torch.split(images, _CHUNK)]
    h, z = (torch.cat([part[i] for part in parts]).double().cpu().numpy() for i in range(2))
    # A row of zeros (a dead network, a black image) has no direction; it keeps its length of 0.
    length = np.linalg.norm(z, axis=1, keepdims=True)
    return h, z / np.where(length > 0, length, 1.0)


def measure(
    embed: Embed, train: Split, test: Split, views: ViewsOf, wanted: Measures, device: torch.device | str
) -> dict[str, float]:
    """Return every measure by name.

    Args:
        embed: gives h and z of images, in evaluation mode and without gradient.
        train: the reference of kNN and probes. Its labels are used here and nowhere else.
        test: what is measured, never trained on.
        views: makes random views, as in training.
        wanted: which measures, and how.
        device: where `embed` wants its images.

    Returns:
        `loss` (nats), `top1`, `top5`, `alignment`, `uniformity` (nats), `mean_vector`, `spread_z`,
        `rank_z`, `rank_h`; where there are labels `knn`, `knn_h`, `few<k>`, `few<k>_std`, `few<k>_h`,
        `few<k>_h_std`, `chance`, and with `probe` also `probe`, `probe_h`; for every factor
        `factor_<name>`, `factor_<name>_h` and `chance_<name>`. Shares lie in [0, 1].

    Raises:
        ValueError: the test part is smaller than two, or an unknown factor is asked for.
    """
    if len(test) < 2:
        raise ValueError(f"the test part must hold >= 2 images, got {len(test)}")
    unknown = set(wanted.factors) - set(test.factors) - set(ALTERED)
    if unknown:
        known = ", ".join([*test.factors, *ALTERED])
        raise ValueError(f"no factor {', '.join(sorted(unknown))}; there are: {known}")
    # One thread: the same sums on any number of cores.
    with threadpool_limits(1), torch.no_grad():
        seen = as_images(test.images, device)
        h, z = embeddings(embed, seen)
        found = _geometry(embed, seen, h, z, views, wanted)
        h_train, z_train = embeddings(embed, as_images(train.images, device))
        spaces = {"": (z_train, z), "_h": (h_train, h)}
        if test.labels is not None and train.labels is not None:
            found["chance"] = _chance(test.labels)
            for end, (reference, rows) in spaces.items():
                found |= _labelled(reference, train.labels, rows, test.labels, wanted, end)
        for name in wanted.factors:
            if name in ALTERED:
                found |= _altered_scores(embed, name, train, test, wanted.seed, device)
                continue
            found[f"chance_{name}"] = _chance(test.factors[name])
            for end, (reference, rows) in spaces.items():
                answers, truth = (_numbers(name, part.factors[name]) for part in (train, test))
                found[f"factor_{name}{end}"] = factor_score(reference, answers, rows, truth)
    return found


def altered(images: Tensor, name: str, rng: np.random.Generator) -> tuple[Tensor, NDArray[np.int64]]:
    """Return the images, each altered or not as drawn, and how: class 0 is as it was.

    Args:
        images: (n, C, H, W), 0 to 1; square, where they are turned.
        name: "turned" by 0 to 3 quarters, "corrupted" by normal noise of deviation 0.1, "greyed": luma.
        rng: draws the classes, in equal numbers but for the remainder, and the noise.

    Source:
        Chen et al. (2020), arXiv:2002.05709, table 3.
    """
    n = len(images)
    classes = rng.permutation(np.arange(n, dtype=np.int64) % ALTERED[name])
    out = images.clone()
    if name == "turned":
        for quarters in (1, 2, 3):
            rows = torch.from_numpy(np.flatnonzero(classes == quarters)).to(images.device)
            out[rows] = torch.rot90(images[rows], quarters, (2, 3))
        return out, classes
    rows = torch.from_numpy(np.flatnonzero(classes)).to(images.device)
    if name == "corrupted":
        noise = torch.from_numpy(rng.standard_normal(tuple(images[rows].shape), np.float32))
        out[rows] = (images[rows] + CORRUPTION * noise.to(images)).clamp(0, 1)
    else:
        weight = images.new_tensor([0.299, 0.587, 0.114])[None, :, None, None]
        out[rows] = (images[rows] * weight).sum(dim=1, keepdim=True).expand_as(images[rows])
    return out, classes


def _altered_scores(
    embed: Embed, name: str, train: Split, test: Split, seed: int, device: torch.device | str
) -> dict[str, float]:
    """Return how well probes of h and z tell what was done to an image, and chance."""
    answers, spaces = [], []
    for i, part in enumerate((train, test)):
        changed, classes = altered(as_images(part.images, device), name, np.random.default_rng([seed, i]))
        answers.append(classes)
        spaces.append(embeddings(embed, changed))
    (known, truth), ((h_train, z_train), (h, z)) = answers, spaces
    return {
        f"chance_{name}": _chance(truth),
        f"factor_{name}": factor_score(z_train, known, z, truth),
        f"factor_{name}_h": factor_score(h_train, known, h, truth),
    }


def _geometry(
    embed: Embed, seen: Tensor, h: Float64, z: Float64, views: ViewsOf, wanted: Measures
) -> dict[str, float]:
    """Return what is known without any label, from fixed views of the test images."""
    batch = min(wanted.batch, len(z))
    rows = np.random.default_rng(wanted.seed).permutation(len(z))
    batches = rows[: len(rows) // batch * batch].reshape(-1, batch)
    pairs = []
    for draw in range(wanted.view_draws):
        rng = torch.Generator().manual_seed(1000 * wanted.seed + draw)
        pairs.append([embeddings(embed, views(seen, rng))[1] for _ in range(2)])
    shares: dict[str, list[float]] = {"loss": [], "top1": [], "top5": [], "alignment": []}
    for z_a, z_b in pairs:
        shares["alignment"].append(metrics.alignment(*_alive(z_a, z_b)))
        for part in batches:
            a, b = _alive(z_a[part], z_b[part])
            shares["loss"].append(nt_xent_value(a, b, wanted.tau))
            shares["top1"].append(metrics.positive_retrieval(a, b, k=1))
            shares["top5"].append(metrics.positive_retrieval(a, b, k=min(5, 2 * batch - 1)))
    alive = _alive(z)[0]
    return {name: float(np.mean(values)) for name, values in shares.items()} | {
        "uniformity": metrics.uniformity(alive),
        "mean_vector": metrics.mean_vector_length(alive),
        "spread_z": spread(alive),
        "rank_z": _rank(z),
        "rank_h": _rank(h),
    }


def _alive(*z: Float64) -> list[Float64]:
    """Give rows without a direction one, the same for all: to a cosine they are then one point."""
    out = []
    for rows in z:
        rows = rows.copy()
        rows[~rows.any(axis=1), 0] = 1.0
        out.append(rows)
    return out


def spread(z: Float64) -> float:
    r"""Return the spread of unit rows z (n, d): $\sqrt d$ times the mean standard deviation of a column.

    1 for directions without preference, 0 where all are one point.

    Source:
        Chen, He (2021), arXiv:2011.10566, section 4.1: the std of a healthy z nears 1 / sqrt(d).
    """
    return float(np.sqrt(z.shape[1]) * z.std(axis=0).mean())


def _rank(rows: Float64) -> float:
    """Return the effective rank of the centred rows; 1 where all are nearly one point.

    Nearly: their distance from their mean is below `LEAST_SPREAD` of their length (root mean squares).
    What is left then is noise, whose own rank may be high.
    """
    centred = rows - rows.mean(axis=0)
    length, distance = (float(np.sqrt((values**2).sum(axis=1).mean())) for values in (rows, centred))
    return metrics.effective_rank(centred) if distance > max(LEAST_SPREAD * length, 1e-9) else 1.0


def _labelled(
    reference: Float64,
    labels: NDArray[np.int64],
    rows: Float64,
    truth: NDArray[np.int64],
    wanted: Measures,
    end: str,
) -> dict[str, float]:
    # Cosines need a direction; a probe takes features as they are.
    found = {
        f"knn{end}": metrics.knn_accuracy(*_pair(reference, labels), *_pair(rows, truth), k=wanted.neighbours)
    }
    reference, rows = standardised(reference, rows)
    for count in wanted.few_labels:
        rng = np.random.default_rng(wanted.seed)
        few = metrics.few_label_probe(
            reference,
            labels,
            rows,
            truth,
            per_class=count,
            rng=rng,
            draws=wanted.few_label_draws,
            l2=PROBE_L2,
        )
        found |= {f"few{count}{end}": few.mean, f"few{count}{end}_std": few.spread}
    if wanted.probe is True or wanted.probe == ("h" if end else "z"):
        found[f"probe{end}"] = metrics.linear_probe(reference, labels, rows, truth, l2=PROBE_L2)
    return found


def _pair(rows: Float64, labels: NDArray[np.int64]) -> tuple[Float64, NDArray[np.int64]]:
    return _alive(rows)[0], labels


def standardised(reference: Float64, rows: Float64) -> tuple[Float64, Float64]:
    """Scale both by the reference's mean and spread, so that h and z meet one penalty.

    A column that is nearly constant in the reference, such as a unit that hardly fires, is scaled as if its
    spread were `LEAST_SCALE` of the widest's: a test image in which it fires would else decide everything.
    """
    mean, spread = reference.mean(axis=0), reference.std(axis=0)
    spread = np.maximum(spread, max(LEAST_SCALE * spread.max(), 1e-9))
    return (reference - mean) / spread, (rows - mean) / spread


def factor_score(
    reference: Float64, known: NDArray[Any], rows: Float64, truth: NDArray[Any], *, ridge: float = 1e-3
) -> float:
    """Return how well a linear probe reads a factor: accuracy of classes, else R² of a ridge regression.

    R² of several numbers is that of all together: 1 - error / variance, each summed over them. Chance
    is the share of the largest class, or 0.

    Args:
        reference, rows: training and test features, (n, d) and (m, d).
        known, truth: their factor, int64 (n,) and (m,), or float64 (n, k) and (m, k).
        ridge: weight of the penalty, times n, on standardised features.

    Returns:
        At most 1; R² is below 0 where the mean would have been better.
    """
    reference, rows = standardised(reference, rows)
    if known.dtype == np.int64:
        return metrics.linear_probe(reference, known, rows, truth, l2=PROBE_L2)
    mean = known.mean(axis=0)
    system = reference.T @ reference + ridge * len(reference) * np.eye(reference.shape[1])
    weights = np.linalg.solve(system, reference.T @ (known - mean))
    error = ((rows @ weights + mean - truth) ** 2).sum()
    return float(1 - error / ((truth - truth.mean(axis=0)) ** 2).sum())


def _chance(values: NDArray[Any]) -> float:
    """Return the share of the largest class; 0, the R² of the mean, for numbers."""
    if values.dtype != np.int64:
        return 0.0
    return float(np.unique(values, return_counts=True)[1].max() / len(values))


def _numbers(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return classes as they are, a number as (n, 1), an angle as cosine and sine, (n, 2)."""
    if values.dtype == np.int64:
        return values
    if name in ANGLES:
        return np.stack([np.cos(np.radians(values)), np.sin(np.radians(values))], axis=1)
    return values[:, None]
