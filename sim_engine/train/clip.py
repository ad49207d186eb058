"""CLIP: images and texts of one thing find each other across two encoders (Radford et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, generator, temperature
from sim_engine._tree import Tree, branch, leaf
from sim_engine.encoders import Layer, Sequential
from sim_engine.losses.clip import clip as clip_loss
from sim_engine.losses.clip import clip_log_scale
from sim_engine.optim import Adam, Optimizer
from sim_engine.train import _run
from sim_engine.train._run import Augment, Rate, Rows


@dataclass(frozen=True, eq=False)
class ClipStep:
    """A training of CLIP after some updates, seen on its next batch.

    Attributes:
        step: updates made so far; 0 is the untrained networks.
        loss: of this batch, in nats, before the next update.
        learning_rate: of the next update; 0 in the last step, after which there is none.
        batch: (N,), which pairs were drawn.
        params: under the names `image` and `text`, and `log_scale` (1,).
        state: the networks' batch statistics, this batch included.
        z_image, z_text: (N, d), the batch's embeddings, any length of row.
        network: the two networks, of parts `image` and `text`, which stand side by side.
    """

    step: int
    loss: float
    learning_rate: float
    batch: Rows
    params: Tree
    state: Tree
    z_image: Array
    z_text: Array
    network: Sequential

    @property
    def tau(self) -> float:
        """The temperature, 1 / exp(log_scale), without unit; infinite where that is beyond a float."""
        with np.errstate(over="ignore"):
            return float(np.exp(-np.float64(leaf(self.params, "log_scale", (1,))[0])))

    def embed_images(self, x: ArrayLike) -> Array:
        """Return embeddings (N, d) of images like the training's; each row stands alone.

        Raises:
            ValueError: x is not finite, or does not fit the network.
        """
        return _run.through(self.network, ["image"], self.params, self.state, x)

    def embed_texts(self, x: ArrayLike) -> Array:
        """Return embeddings (N, d) of texts like the training's; each row stands alone.

        Raises:
            ValueError: x is not finite, or does not fit the network.
        """
        return _run.through(self.network, ["text"], self.params, self.state, x)


def clip(
    images: ArrayLike,
    texts: ArrayLike,
    image_encoder: Layer,
    text_encoder: Layer,
    *,
    steps: int,
    batch_size: int,
    rng: np.random.Generator,
    augment: Augment | None = None,
    tau: float = 0.07,
    learning_rate: Rate = 1e-3,
    optimizer: Optimizer | None = None,
) -> Iterator[ClipStep]:
    r"""Train two encoders by CLIP's symmetric loss, one step at a time; the temperature is learned.

    Each pair's partner is found among the batch's, images among texts and texts among images. The
    logarithm of the scale, $t = \log(1/\tau)$, is a parameter like the others and never exceeds
    log 100. Weight decay, where the optimiser has one, falls on it too.

    Args:
        images: (pairs, ...).
        texts: (pairs, ...), such as counts of words; row i belongs to row i of the images.
        image_encoder: from images to z (N, d).
        text_encoder: from texts to z (N, d).
        steps: updates; the generator yields steps + 1 states, the untrained one first.
        batch_size: N, pairs a step, at least 2.
        rng: where the first weights, the batches and the views come from.
        augment: `augment(batch, rng)` returns one random view of each image; None takes them as they are.
        tau: temperature at the start, at least .01; the paper's is .07.
        learning_rate: a constant, or a function from the step to the rate.
        optimizer: Adam where none is given.

    Returns:
        An iterator of `ClipStep`, each made when it is asked for.

    Raises:
        ValueError: an argument is out of its range, or, while it runs, the training diverges, a layer
            does not fit its input, or the two embeddings differ in length.

    Source:
        Radford et al. (2021), arXiv:2103.00020, figure 3 and section 2.5.

    Examples:
        >>> from sim_engine.encoders import mlp
        >>> rng = np.random.default_rng(0)
        >>> images, texts = rng.normal(size=(64, 8)), rng.normal(size=(64, 5))
        >>> run = clip(images, texts, mlp([8, 4]), mlp([5, 4]), steps=40, batch_size=32, rng=rng)
        >>> steps = list(run)
        >>> steps[-1].loss < steps[0].loss, round(steps[0].tau, 2)
        (True, 0.07)
    """
    seen, read = (_run.training_data(n, a, batch_size) for n, a in (("images", images), ("texts", texts)))
    if len(seen) != len(read):
        raise ValueError(f"images and texts must be pairs, row i of both, got {len(seen)} and {len(read)}")
    dtype = np.result_type(seen, read)
    seen, read = seen.astype(dtype, copy=False), read.astype(dtype, copy=False)
    if temperature(tau) < 0.01:
        raise ValueError(f"tau must be at least 0.01, since the scale never exceeds 100, got {tau}")
    rates, rng = _run.schedule(learning_rate, steps), generator(rng)
    network, stepper = Sequential({"image": image_encoder, "text": text_encoder}), optimizer or Adam()

    def run() -> Iterator[ClipStep]:
        params, state = network.init(rng, dtype)
        params = {**params, "log_scale": np.full(1, -math.log(tau), dtype)}
        memory = stepper.init(params)
        for step, rows in _run.batches(len(seen), batch_size, steps, rng):
            view = seen[rows] if augment is None else _run.view(seen[rows], augment, rng)
            results = []
            with np.errstate(over="ignore", invalid="ignore"):
                for (name, layer), x in zip(network.layers.items(), (view, read[rows]), strict=True):
                    results.append(layer.forward(branch(params, name), branch(state, name), x))
            (z_image, state_image, cache_image), (z_text, state_text, cache_text) = results
            state = {"image": state_image, "text": state_text}
            _run.check_finite(step, z_image, z_text)
            log_scale = float(leaf(params, "log_scale", (1,))[0])
            loss = clip_loss(z_image, z_text, log_scale)
            rate = rates(step)
            yield ClipStep(step, loss.value, rate, rows, params, state, z_image, z_text, network)
            grads: Tree = {
                "image": image_encoder.backward(loss.grad_image, cache_image, to_input=False).grads,
                "text": text_encoder.backward(loss.grad_text, cache_text, to_input=False).grads,
                "log_scale": np.full(1, loss.grad_log_scale, dtype),
            }
            params, memory = stepper.step(params, grads, memory, rate)
            scale = clip_log_scale(float(leaf(params, "log_scale", (1,))[0]))
            params = {**params, "log_scale": np.full(1, scale, dtype)}

    return run()
