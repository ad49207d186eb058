"""A recorded SimCLR training: held-out digits on a circle or a sphere, epoch by epoch."""

from functools import cache
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine import data, metrics, similarity
from sim_engine.microsim import Choice, Frame, Legend, Readout, Slider, Timeline, microsim

Array = NDArray[np.float64]
Table = dict[str, ArrayLike]

RUN = data.load(__file__)
DIGITS = tuple("0123456789")
LABELS = RUN["label"].astype(int)
EPOCHS = len(RUN["loss_2"]) - 1
CURVES = ("loss", "top1", "top5", "alignment", "uniformity", "knn")
SURFACES = {"2": "circle", "3": "sphere"}

# (10, images): times the images' rows it gives each digit's mean row.
MEMBERS = (np.arange(10)[:, None] == LABELS) / np.bincount(LABELS, minlength=10)[:, None]

# The circle is one line, on which points would hide each other: every digit gets a lane of its own.
# The radius of a lane means nothing; the place of an image is its angle.
LANES = 0.44 + 0.055 * np.arange(10)


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
        float,
        Slider(-180, 180, step=1, digits=0, unit="°", label="Turn", help="Or drag the sphere.", chart=True),
    ] = 20.0,
    pitch: Annotated[
        float,
        Slider(-90, 90, step=1, digits=0, unit="°", label="Tilt", chart=True),
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
    return Frame(
        tables={
            "points": {
                **place(z),
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
                "loss_text": [f"{now['loss']:.2f} nats"],
                "note": ["angle: z|ring: digit" if dimension == "2" else "drag|to turn"],
            },
            "names": names(dimension, now),
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


def place(z: Array) -> Table:
    """Where to draw: the sphere as it is, the circle with each digit on its lane."""
    if z.shape[1] == 3:
        return spots(z, flat=False)
    return spots(LANES[LABELS, None] * z, flat=True)


def spots(at: Array, end: str = "", *, flat: bool) -> Table:
    """Columns for points (K, 2 or 3): what turns with the sphere, or what stays as it is."""
    x, y = at[:, 0].round(4), at[:, 1].round(4)
    none = np.zeros(len(at))
    turning = (none, none, none) if flat else (x, y, at[:, 2].round(4))
    staying = (x, y) if flat else (none, none)
    names = ("x", "y", "z", "flat_x", "flat_y")
    return {f"{n}{end}": column for n, column in zip(names, turning + staying, strict=True)} | {
        "flat": np.full(len(at), float(flat))
    }


def describe(epoch: int, dimension: str, z: Array, now: dict[str, float]) -> str:
    """The sentence under the picture: what is seen at this epoch, with this epoch's numbers."""
    whole = metrics.mean_vector_length(z)
    surface = SURFACES[dimension]
    if whole > 0.97:
        seen = f"lie almost on one point of the {surface}"
    else:
        gather = np.linalg.norm(MEMBERS @ similarity.normalize(z).u, axis=1)
        even, crowded = whole < 0.25, whole > 0.6
        how = "spread round" if even else "crowd on one side of" if crowded else "lean to one side of"
        tight, loose = int(np.argmax(gather)), int(np.argmin(gather))
        seen = f"{how} the {surface}, the {tight}s closest together and the {loose}s most scattered"
    rings = ", each digit drawn on a ring of its own" if dimension == "2" else ""
    return (
        f"Epoch {epoch} of {EPOCHS}: the {len(z)} held-out digits {seen}{rings}. "
        f"NT-Xent is {now['loss']:.2f} nats (equal similarities: {RUN.metrics['loss_equal']:.2f}), "
        f"the positive is the nearest neighbour of {100 * now['top1']:.0f}% of the views, "
        f"and the nearest images tell {100 * now['knn']:.0f}% of the digits."
    )


@cache
def curves(dimension: str) -> dict[str, Array]:
    """The whole recording, so that the axes hold still: this training, and the other one's loss."""
    other = "2" if dimension == "3" else "3"
    return {
        "epoch": np.arange(EPOCHS + 1),
        "loss": RUN[f"loss_{dimension}"],
        "other": RUN[f"loss_{other}"],
        "chance": np.full(EPOCHS + 1, RUN.metrics["loss_equal"]),
        "top1": 100 * RUN[f"top1_{dimension}"],
        "top5": 100 * RUN[f"top5_{dimension}"],
    }


def names(dimension: str, now: dict[str, float]) -> Table:
    """What each line is, and where it says so: clear of the line, short of where the cursor rests."""
    lines = curves(dimension)
    at = EPOCHS * 4 // 5
    window = slice(at - EPOCHS // 3, at + 1)
    other = SURFACES["2" if dimension == "3" else "3"]
    under = bool(lines["other"][at] < lines["loss"][at])
    rows = [
        ("loss", "chance", f"log(2N − 1) = {RUN.metrics['loss_equal']:.2f}", True),
        ("loss", "other", f"on the {other}", under),
        ("share", "top5", f"among the nearest 5: {100 * now['top5']:.0f}%", False),
        ("share", "top1", f"the nearest: {100 * now['top1']:.0f}%", False),
    ]
    return {
        "band": [band for band, *_ in rows],
        "epoch": [at] * len(rows),
        "value": [float((np.min if below else np.max)(lines[line][window])) for _, line, _, below in rows],
        "text": [text for _, _, text, _ in rows],
        "below": [below for *_, below in rows],
    }


@cache
def lanes() -> Table:
    """The circle and its ten lanes as short strokes."""
    t = np.linspace(0, 2 * np.pi, 73)
    rings = [np.stack([r * np.cos(t), r * np.sin(t), 0 * t], axis=1) for r in (*LANES, 1.0)]
    return strokes(rings, flat=True)


@cache
def graticule() -> Table:
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
    t = np.linspace(0, 2 * np.pi, 91)
    outline = strokes([np.stack([np.cos(t), np.sin(t), 0 * t], axis=1)], flat=True)
    grid = strokes(rings, flat=False)
    return {name: np.concatenate([outline[name], grid[name]]) for name in grid}


def strokes(rings: list[Array], *, flat: bool) -> Table:
    """Cut closed lines (K, 3) into strokes from one point to the next."""
    start, end = np.concatenate([ring[:-1] for ring in rings]), np.concatenate([ring[1:] for ring in rings])
    return spots(start, "1", flat=flat) | spots(end, "2", flat=flat)


def atlas(images: NDArray[np.uint8], columns: int = 20) -> NDArray[np.uint8]:
    """All images side by side, `columns` in a row, as one picture."""
    count, side, _ = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * columns, side, side), 0, np.uint8)
    sheet[:count] = images
    sheet = sheet.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
    return np.repeat(sheet[:, :, None], 3, axis=2)


ATLAS = atlas(255 - RUN["image"])
