"""NT-Xent of one anchor: what temperature, batch size and the positive's similarity do to it."""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine import data, floors, losses, sphere
from sim_engine.microsim import Choice, Frame, Readout, Slider, microsim

Array = NDArray[np.float64]
Table = dict[str, ArrayLike]

EDGES = np.linspace(-1.0, 1.0, 41)
POSITIVES = np.linspace(-1.0, 1.0, 81)
BATCH_SIZES = [2**k for k in range(1, 13)]
REFERENCE_TAUS = (0.2, 1.0)
HARDEST = 0.1
# Cosines between views of different held-out digits, at even levels from 0 to 1 of probability.
MEASURED = data.load(__file__)["negatives_3"]


@lru_cache(maxsize=32)
def angle_below(dimension: int) -> tuple[Array, Array]:
    """Probability that a random direction's cosine is below that of each angle, angles falling."""
    # The angle's standard deviation is about 1/√d; beyond 8 of them nothing is left.
    reach = min(np.pi / 2, 8 / np.sqrt(dimension))
    angle = np.linspace(np.pi / 2 + reach, np.pi / 2 - reach, 2001)
    return sphere.cosine_cdf(np.cos(angle), dimension), angle


@lru_cache(maxsize=32)
def random_directions(count: int, dimension: int) -> Array:
    """Cosines of `count` random directions to the anchor: even quantiles, so no draw and no seed."""
    probability, angle = angle_below(dimension)
    return np.cos(np.interp((np.arange(count) + 0.5) / count, probability, angle))


@lru_cache(maxsize=32)
def measured(count: int) -> Array:
    """Cosines of `count` negatives that are spread as the trained encoder's: even quantiles again."""
    levels = np.linspace(0.0, 1.0, len(MEASURED))
    return np.interp((np.arange(count) + 0.5) / count, levels, MEASURED)


def negatives(source: str, batch_size: int, positive: float, dimension: int) -> Array:
    """Similarities of the 2(N − 1) negatives to the anchor, in rising order."""
    count = 2 * (batch_size - 1)
    if source == "collapsed":
        return np.full(count, positive)
    if source == "simplex":
        # N points can all be equally far from one another, at this cosine and no smaller one.
        return np.full(count, -1 / (batch_size - 1))
    if source == "digits":
        return measured(count)
    return random_directions(count, dimension)


def log_sum(similarities: Array, tau: float) -> float:
    """Logarithm of the sum of exp(s/τ); the largest term is taken out, so that no τ overflows."""
    largest = similarities.max()
    return float(largest / tau + np.log(np.exp((similarities - largest) / tau).sum()))


@lru_cache(maxsize=512)
def log_negatives(source: str, batch_size: int, positive: float, dimension: int, tau: float) -> float:
    """`log_sum` of a source's negatives; moving the positive or N finds most of them here again."""
    return log_sum(negatives(source, batch_size, positive, dimension), tau)


def anchor_loss(positive: float | Array, log_of_negatives: float | Array, tau: float) -> Array:
    """NT-Xent of one anchor, in nats, from its positive and the `log_sum` of its negatives."""
    return np.logaddexp(0.0, log_of_negatives - np.divide(positive, tau))


def hardness(count: int) -> Array:
    """How much of each negative, in rising order, belongs to the hardest tenth: 0, 1, or a part."""
    return np.clip(np.arange(1, count + 1) - (1 - HARDEST) * count, 0.0, 1.0)


@microsim
def nt_xent_explorer(
    tau: Annotated[
        float,
        Slider(0.02, 1.0, log=True, digits=3, label="Temperature τ", help="Divides every similarity."),
    ] = 0.07,
    batch_size: Annotated[
        int,
        Slider(2, 4096, log=True, label="Batch size N", unit="pairs", help="Gives 2(N − 1) negatives."),
    ] = 256,
    positive: Annotated[
        float,
        Slider(
            -1.0,
            1.0,
            step=0.01,
            label="Positive’s similarity",
            help="Cosine between the two views of one image.",
        ),
    ] = 0.8,
    source: Annotated[
        str,
        Choice(
            {"sphere": "random", "digits": "real", "simplex": "far apart", "collapsed": "collapsed"},
            label="Negatives are",
            help="Drawn in the first picture. Real: measured on digits, after the recorded 3-D training.",
        ),
    ] = "sphere",
    dimension: Annotated[
        int,
        Slider(2, 512, log=True, label="Dimension d", help="Of random negatives; no others have a d to set."),
    ] = 16,
) -> Frame:
    r"""NT-Xent of one anchor, taken apart.

    $\ell = -\log\frac{e^{s^+/\tau}}{e^{s^+/\tau} + \sum_k e^{s_k/\tau}}$ over 2(N − 1) negatives $s_k$.
    """
    # Collapsed negatives alone follow the positive, and random ones alone have a dimension.
    place = (positive if source == "collapsed" else 0.0, dimension if source == "sphere" else 0)
    similarities = negatives(source, batch_size, *place)
    count = len(similarities)
    loss = float(anchor_loss(positive, log_negatives(source, batch_size, *place, tau), tau))
    weights = losses.negative_weights(similarities, tau).astype(np.float64)
    hard_share = float(weights @ hardness(count))
    probability = float(np.exp(-loss))
    chance = floors.equal(batch_size)

    def along_positive(s: float | Array, t: float) -> Array:
        if source == "collapsed":  # whatever the positive is, the loss stays what it is
            return np.full(np.shape(s), chance)
        return anchor_loss(s, log_negatives(source, batch_size, *place, t), t)

    def at_batch(n: int) -> float:
        return float(anchor_loss(positive, log_negatives(source, n, *place, tau), tau))

    return Frame(
        tables={
            "bins": histogram(similarities, weights),
            "by_similarity": {
                "positive": POSITIVES,
                "loss": along_positive(POSITIVES, tau),
            },
            "references": {
                "positive": np.tile(POSITIVES, len(REFERENCE_TAUS)),
                "tau": np.repeat(REFERENCE_TAUS, len(POSITIVES)),
                "loss": np.concatenate([along_positive(POSITIVES, t) for t in REFERENCE_TAUS]),
            },
            "reference_labels": (
                {"positive": [1.0], "loss": [chance], "text": ["the same at every τ"], "below": [False]}
                if source == "collapsed"
                else reference_labels(along_positive, tau, chance)
            ),
            "by_batch": {
                "batch_size": BATCH_SIZES,
                "loss": [at_batch(n) for n in BATCH_SIZES],
                "chance": [floors.equal(n) for n in BATCH_SIZES],
            },
            "point": {
                "positive": [positive],
                "batch_size": [batch_size],
                "loss": [loss],
                "chance": [chance],
                "loss_text": [f"{short(loss)} nats".replace("under", "<")],
                "chance_text": [f"log(2N − 1) = {chance:.2f}"],
                "positive_text": [f"positive {signed(positive)}"],
                "negatives_text": [f"{count:,} negatives, the hardest tenth stands out"],
                "pull_text": [f"the hardest tenth takes {100 * hard_share:.0f}% of the push"],
            },
        },
        readouts={
            "loss": Readout(loss, "NT-Xent", "nats"),
            "negative_count": Readout(count, "negatives", digits=0),
            "log_numerator": Readout(positive / tau, "log numerator", "nats"),
            "log_denominator": Readout(positive / tau + loss, "log denominator", "nats"),
            "probability": Readout(100 * probability, "positive’s probability", "%", 1),
            "chance": Readout(chance, "log(2N − 1)", "nats"),
            "hard_share": Readout(100 * hard_share, "hardest tenth’s share", "%", 1),
        },
        alt=describe(tau, positive, source, dimension, loss, chance, probability, hard_share, count),
    )


def reference_labels(loss_at: Callable[[float, float], Array], tau: float, chance: float) -> Table:
    """Where the grey curves are named, clear of the curve of the current τ, or not at all.

    Args:
        loss_at: loss as a function of the positive's similarity and the temperature.
        tau, chance: the current temperature, and log(2N − 1).
    """
    low, high = REFERENCE_TAUS
    left, right, wide = -0.97, 1.0, 0.27

    # Above log(2N − 1) too, whose dashed line runs close by.
    high_at = max(float(loss_at(right, high)), chance)

    def over(s: float, height: float | Array) -> Array:
        # On the axis of the picture, heights are log(1 + loss).
        return (1 + loss_at(s, tau)) / (1 + height)

    free_above = over(left, loss_at(left, low)) < 1.03 or over(left + wide, loss_at(left, low)) > 1.6
    free_below = not 0.5 < over(right - wide, loss_at(right, low)) < 1.5
    free_high = over(right - wide, high_at) < 0.95 or over(right, high_at) > 1.9
    at, below = (left, False) if free_above else (right, bool(loss_at(right, low) > 1))
    rows = [
        (at, float(loss_at(at, low)), f"τ = {low:g}" if free_above or free_below else "", below),
        (right, high_at, f"τ = {high:g}" if free_high else "", False),
    ]
    return {name: [row[i] for row in rows] for i, name in enumerate(("positive", "loss", "text", "below"))}


def histogram(similarities: Array, weights: Array) -> Table:
    """Bars of the negatives and of their push, each over its own peak, parted at the hardest tenth."""
    hard = hardness(len(similarities))
    columns: Table = {"start": EDGES[:-1], "end": EDGES[1:]}
    for name, weight in (("count", np.full(len(weights), 1 / len(weights))), ("push", weights)):
        whole = np.histogram(similarities, EDGES, weights=weight)[0]
        easy = np.histogram(similarities, EDGES, weights=weight * (1 - hard))[0]
        columns[f"{name}_easy"] = easy / whole.max()
        columns[f"{name}_all"] = whole / whole.max()
    return columns


def describe(
    tau: float,
    positive: float,
    source: str,
    dimension: int,
    loss: float,
    chance: float,
    probability: float,
    hard_share: float,
    count: int,
) -> str:
    """The sentence under the picture."""
    where = {
        "sphere": f"{count:,} negatives in random directions of {dimension} dimensions",
        "digits": f"{count:,} negatives measured on digits after training in 3-D",
        "simplex": f"{count:,} negatives as far from one another as can be",
        "collapsed": f"{count:,} negatives exactly as similar as the positive",
    }[source]
    against = "the same as" if abs(loss - chance) < 0.005 else "below" if loss < chance else "above"
    return (
        f"At temperature {tau:.3g}, a positive at similarity {signed(positive)} among {where} costs "
        f"{short(loss)} nats, {against} the log(2N − 1) = {chance:.2f} of equal similarities: the softmax "
        f"gives the positive {percent(probability)}, and the hardest tenth of the negatives takes "
        f"{100 * hard_share:.0f}% of the push."
    )


def short(loss: float) -> str:
    """A loss to three figures; a tiny one as a bound."""
    if loss < 0.001:
        return "under 0.001"
    return f"{loss:.3f}" if loss < 1 else f"{loss:.2f}" if loss < 10 else f"{loss:.1f}"


def percent(share: float) -> str:
    """A share in per cent to three figures; a tiny one as a bound."""
    return f"{100 * share:.3g}%" if share >= 1e-5 else "less than 0.001%"


def signed(value: float) -> str:
    """A similarity to two decimals, with a true minus."""
    return f"{value:.2f}".replace("-", "−")
