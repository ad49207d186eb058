"""One figure of a recorded training, to look at before it is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from build_scripts.look.mpl import book_style
from build_scripts.look.tokens import CLASSES
from sim_engine.data import Recorded

__all__ = ["report"]

# One marker a digit, so that colour is not alone.
MARKERS = "os^vDPX<>*"


def report(folder: Path, out: Path) -> None:
    """Draw the embedding at five epochs, the curves, and the cosines of the last epoch, to `out`.

    Args:
        folder: a data folder of digits-trajectory with 2-D and 3-D.
        out: .png, .svg or .pdf.

    Raises:
        ValueError: the folder lacks the arrays, or they do not match their manifest.
    """
    recorded = Recorded(folder)
    missing = {"z2", "z3"} - set(recorded)
    if missing:
        raise ValueError(f"a report needs z2 and z3, {folder} lacks {', '.join(sorted(missing))}")
    mpl.use("Agg")
    with book_style() as color:
        figure = Figure(figsize=(13, 13.5))
        axes = figure.subplots(4, 5)
        last = len(recorded["z2"]) - 1
        epochs = [0, round(last * 0.04), round(last * 0.1), round(last * 0.3), last]
        for row, d in enumerate((2, 3)):
            for column, epoch in enumerate(epochs):
                _scatter(axes[row, column], recorded[f"z{d}"][epoch], recorded["label"], color)
                knn = recorded[f"knn_{d}"][epoch]
                axes[row, column].set_title(f"{d}-D, epoch {epoch}: kNN {knn:.2f}")
            _curves(axes[row + 2], recorded, d, color)
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out)


def _scatter(ax: Any, z: NDArray[np.float64], label: NDArray[np.uint8], color: dict[str, str]) -> None:
    ax.set(aspect="equal", xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(turn), np.sin(turn), color=color["rule"], linewidth=0.8)
    flat = z.shape[1] == 2
    # On the circle points hide one another: spread them a little, outwards only.
    radius = 1 + 0.18 * np.random.default_rng(0).random(len(z)) if flat else np.ones(len(z))
    for digit, name in enumerate(CLASSES):
        mine = label == digit
        behind = np.zeros(mine.sum(), bool) if flat else z[mine, 2] < 0
        for rows, alpha in ((behind, 0.18), (~behind, 0.85)):
            points = z[mine][rows, :2] * radius[mine][rows, None]
            ax.scatter(
                points[:, 0],
                points[:, 1],
                s=14,
                marker=MARKERS[digit],
                color=color[name],
                alpha=alpha,
                linewidths=0,
            )
    if flat:
        for digit in range(10):
            mean = z[label == digit].mean(axis=0)
            ax.text(*(0.78 * mean / np.linalg.norm(mean)), str(digit), ha="center", va="center", weight=600)


def _curves(axes: Any, recorded: Recorded, d: int, color: dict[str, str]) -> None:
    epoch = np.arange(len(recorded[f"loss_{d}"]))
    loss, retrieval, spread, probe, cosines = axes
    loss.plot(epoch, recorded[f"loss_train_{d}"], color=color["ink-faint"], label="training")
    loss.plot(epoch, recorded[f"loss_{d}"], color=color["loss"], label="held out")
    loss.axhline(recorded.metrics["loss_equal"], color=color["rule"], linestyle="--")
    loss.set_title(f"{d}-D: NT-Xent, nats")
    retrieval.plot(epoch, recorded[f"top1_{d}"], color=color["positive"], label="top 1")
    retrieval.plot(epoch, recorded[f"top5_{d}"], color=color["anchor"], label="top 5")
    retrieval.set_title("Positive retrieval")
    spread.plot(epoch, recorded[f"alignment_{d}"], color=color["alignment"], label="alignment")
    spread.plot(epoch, recorded[f"uniformity_{d}"], color=color["uniformity"], label="uniformity, nats")
    spread.set_title("Alignment and uniformity")
    probes = (("few_label", "accent", "few labels, z"), ("few_label_h", "ink-soft", "few labels, h"))
    for name, line, text in probes:
        mean, std = recorded[f"{name}_{d}"], recorded[f"{name}_std_{d}"]
        probe.plot(epoch, mean, color=color[line], label=text)
        probe.fill_between(epoch, mean - std, mean + std, color=color[line], alpha=0.15, linewidth=0)
    probe.plot(epoch, recorded[f"knn_{d}"], color=color["good"], label="kNN, z")
    probe.plot(epoch, recorded[f"knn_h_{d}"], color=color["ink-faint"], linestyle="--", label="kNN, h")
    probe.set_title("Accuracy")
    edges = recorded["hist_edges"]
    for name, line in (("negatives", "negative"), ("positives", "positive")):
        counts = recorded[f"{name}_hist_{d}"]
        cosines.stairs(counts / counts.sum(), edges, color=color[line], fill=True, alpha=0.6, label=name)
    cosines.set_title("Cosines, last epoch")
    for ax in axes:
        ax.legend()
    for ax in axes[:4]:
        ax.set_xlabel("epoch")
