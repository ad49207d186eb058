"""A recorded SimCLR training: held-out digits on a circle or a sphere, epoch by epoch."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from sim_engine import data, metrics
from sim_engine.microsim import Choice, Frame, Legend, Readout, Slider, Timeline, microsim

Array = NDArray[np.float64]

RUN = data.load(__file__)
DIGITS = tuple("0123456789")
LABELS = RUN["label"].astype(int)
EPOCHS = len(RUN["loss_2"]) - 1
SURFACES = {"2": "circle", "3": "sphere"}

# The circle is one line, on which points would hide each other: every digit gets a lane of its own.
# The radius of a lane means nothing; the place of an image is its angle.
LANES = 0.46 + 0.05 * np.arange(10)


@microsim
def embedding_training(
    epoch: Annotated[int, Timeline(0, EPOCHS, label="Epoch", fps=8.0)] = EPOCHS,
    dimension: Annotated[
        str,
        Choice(
            {"3": "sphere (3-D)", "2": "circle (2-D)"},
            label="The network writes to a",
            help="Two trainings that differ in nothing but the length of z.",
        ),
    ] = "3",
    yaw: Annotated[
        float, Slider(-180, 180, step=1, digits=0, unit="°", label="Turn", help="Or drag the sphere.", chart=True)
    ] = 20.0,
    pitch: Annotated[
        float, Slider(-90, 90, step=1, digits=0, unit="°", label="Tilt", help="Or drag the sphere.", chart=True)
    ] = 18.0,
    show: Annotated[
        tuple[str, ...],
        Legend(DIGITS, colors=[f"class-{d}" for d in DIGITS], label="Digits shown", chart=True),
    ] = DIGITS,
) -> Frame:
    """SimCLR learns to place digits on a sphere; the labels only colour them.

    Each point is one held-out image at the recorded epoch. NT-Xent saw neither these images nor a label.
    """
    z = RUN[f"z{dimension}"][epoch]
    now = {name: float(RUN[f"{name}_{dimension}"][epoch]) for name in CURVES}
    x, y, depth = place(z)
    flat = 0.0 if dimension == "2" else 1.0
    return Frame(
        tables={
            "points": {
                "x": x,
                "y": y,
                "z": depth,
                "turns": np.full(len(z), flat),
                "digit": LABELS.astype(str),
                "tile": np.arange(len(z)),
            },
            "guide": lanes() if dimension == "2" else graticule(),
            "curves": curves(dimension),
            "now": {
                "epoch": [epoch],
                "loss": [now["loss"]],
                "top1": [100 * now["top1"]],
                "top5": [100 * now["top5"]],
                "epoch_text": [f"epoch {epoch}"],
                "loss_text": [f"{now['loss']:.2f} nats"],
                "top1_text": [f"{100 * now['top1']:.0f} %"],
                "top5_text": [f"{100 * now['top5']:.0f} %"],
            },
        },
        readouts={
            "loss": Readout(now["loss"], "NT-Xent", "nats"),
            "top1": Readout(100 * now["top1"], "positive is nearest", "%", 1),
            "top5": Readout(100 * now["top5"], "positive among nearest 5", "%", 1),
            "alignment": Readout(now["alignment"], "alignment"),
            "uniformity": Readout(now["uniformity"], "uniformity", "nats"),
            "knn": Readout(100 * now["knn"], "kNN accuracy", "%", 1),
        },
        images={"digits": ATLAS},
        alt=describe(epoch, dimension, z, now),
    )


CURVES = ("loss", "top1", "top5", "alignment", "uniformity", "knn")


def place(z: Array) -> tuple[Array, Array, Array]:
    """Coordinates to draw: the sphere as it is, the circle with each digit on its lane."""
    if z.shape[1] == 3:
        return tuple(np.round(z, 4).T)
    lane = LANES[LABELS]
    return np.round(lane * z[:, 0], 4), np.round(lane * z[:, 1], 4), np.zeros(len(z))


def describe(epoch: int, dimension: str, z: Array, now: dict[str, float]) -> str:
    """The sentence under the picture: what is seen at this epoch, with this epoch's numbers."""
    gather = [metrics.mean_vector_length(z[LABELS == d]) for d in range(10)]
    whole = metrics.mean_vector_length(z)
    tight, loose = int(np.argmax(gather)), int(np.argmin(gather))
    spread = (
        "crowd into one part of" if whole > 0.6 else "lean to one side of" if whole > 0.25 else "spread all round"
    )
    return (
        f"Epoch {epoch} of {EPOCHS}: the {len(z)} held-out digits {spread} the {SURFACES[dimension]}; the {tight}s lie "
        f"closest together (mean vector {gather[tight]:.2f} long) and the {loose}s widest apart "
        f"({gather[loose]:.2f}). NT-Xent is {now['loss']:.2f} nats, the positive is the nearest neighbour for "
        f"{100 * now['top1']:.0f} % of the views, and nearest neighbours tell the digit for {100 * now['knn']:.0f} %."
    )


def curves(dimension: str) -> dict[str, Array]:
    """The whole recording, so that the axes hold still: this training, and the other one's loss."""
    other = "2" if dimension == "3" else "3"
    return {
        "epoch": np.arange(EPOCHS + 1),
        "loss": RUN[f"loss_{dimension}"],
        "other": RUN[f"loss_{other}"],
        "top1": 100 * RUN[f"top1_{dimension}"],
        "top5": 100 * RUN[f"top5_{dimension}"],
    }


def lanes() -> dict[str, Array]:
    """The circle and its ten lanes as short strokes."""
    t = np.linspace(0, 2 * np.pi, 73)
    rings = [np.stack([r * np.cos(t), r * np.sin(t), 0 * t], axis=1) for r in (*LANES, 1.0)]
    return strokes(rings, turns=0.0)


def graticule() -> dict[str, Array]:
    """Parallels and meridians every 30 and 45 degrees as short strokes."""
    t = np.linspace(0, 2 * np.pi, 49)
    rings = []
    for latitude in np.radians([-60, -30, 0, 30, 60]):
        r, y = np.cos(latitude), np.sin(latitude)
        rings.append(np.stack([r * np.cos(t), y + 0 * t, r * np.sin(t)], axis=1))
    for longitude in np.radians([0, 45, 90, 135]):
        rings.append(
            np.stack([np.sin(t) * np.cos(longitude), np.cos(t), np.sin(t) * np.sin(longitude)], axis=1)
        )
    return strokes(rings, turns=1.0)


def strokes(rings: list[Array], turns: float) -> dict[str, Array]:
    """Cut closed lines (K, 3) into strokes from one point to the next."""
    start = np.round(np.concatenate([ring[:-1] for ring in rings]), 4)
    end = np.round(np.concatenate([ring[1:] for ring in rings]), 4)
    columns = {f"{axis}1": start[:, i] for i, axis in enumerate("xyz")}
    columns |= {f"{axis}2": end[:, i] for i, axis in enumerate("xyz")}
    return {**columns, "turns": np.full(len(start), turns)}


def atlas(images: NDArray[np.uint8], columns: int = 20) -> NDArray[np.uint8]:
    """All images side by side, `columns` in a row, as one picture."""
    count, side, _ = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * columns, side, side), 0, np.uint8)
    sheet[:count] = images
    sheet = sheet.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
    return np.repeat(sheet[:, :, None], 3, axis=2)


ATLAS = atlas(255 - RUN["image"])
