"""SimCLR: two views of an image find each other among the batch (Chen et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import generator, temperature
from sim_engine.encoders import Layer
from sim_engine.losses.nt_xent import nt_xent
from sim_engine.optim import Adam, Optimizer
from sim_engine.train import _run
from sim_engine.train._run import Augment, Rate, Step


def simclr(
    data: ArrayLike,
    augment: Augment,
    encoder: Layer,
    head: Layer | None = None,
    *,
    steps: int,
    batch_size: int,
    rng: np.random.Generator,
    tau: float = 0.5,
    learning_rate: Rate = 1e-3,
    optimizer: Optimizer | None = None,
) -> Iterator[Step]:
    r"""Train an encoder by NT-Xent, one step at a time.

    $$z_a = g(f(t(x))), \qquad z_b = g(f(t'(x))), \qquad
    \theta \leftarrow \theta - \eta\,\nabla_\theta L_\text{NT-Xent}(z_a, z_b)$$

    with f the encoder, g the head, t and t' two draws of `augment`, and the step that of the optimiser.

    Each step draws N images and two views of each, sends all 2N at once through encoder and head
    (batch statistics are those of all), and follows the gradient of NT-Xent. h, before the head, is
    what is used afterwards; z, after it, is what is compared.

    Args:
        data: images or rows, (images, ...); the network is of their dtype: float32 is quicker.
        augment: `augment(batch, rng)` returns one random view of each of the batch's rows;
            `augment.TrainingViews` makes it of views of images.
        encoder: from a view to h (N, features).
        head: from h to z (N, d); None compares h itself.
        steps: updates; the generator yields steps + 1 states, the untrained one first.
        batch_size: N, images a step, at least 2.
        rng: where the first weights, the batches and the views come from.
        tau: temperature, > 0.
        learning_rate: a constant, or a function from the step to the rate, such as
            `optim.cosine_schedule` with its peak and steps.
        optimizer: Adam where none is given.

    Returns:
        An iterator of `Step`, each made when it is asked for.

    Raises:
        ValueError: an argument is out of its range, or, while it runs, the training diverges or a
            layer does not fit its input.

    Source:
        Chen et al. (2020), arXiv:2002.05709, algorithm 1.

    Examples:
        >>> from sim_engine.encoders import mlp
        >>> rng = np.random.default_rng(0)
        >>> data = rng.normal(size=(64, 8)).astype(np.float32)
        >>> noisy = lambda x, rng: x + 0.3 * rng.standard_normal(x.shape, dtype=np.float32)
        >>> run = simclr(data, noisy, mlp([8, 16, 4]), steps=40, batch_size=32, rng=rng, learning_rate=0.01)
        >>> losses = [step.loss for step in run]
        >>> len(losses), losses[-1] < losses[0] - 0.3
        (41, True)
    """
    array = _run.training_data("data", data, batch_size)
    tau = temperature(tau, array.dtype)
    rates, rng = _run.schedule(learning_rate, steps), generator(rng)
    network, stepper = _run.parts(encoder=encoder, head=head), optimizer or Adam()

    def run() -> Iterator[Step]:
        params, state = network.init(rng, array.dtype)
        memory = stepper.init(params)
        for step, rows in _run.batches(len(array), batch_size, steps, rng):
            views = _run.two_views(array[rows], augment, rng)
            with np.errstate(over="ignore", invalid="ignore"):
                z, state, cache = network.forward(params, state, views)
            _run.check_finite(step, z)
            z_a, z_b = z[:batch_size], z[batch_size:]
            loss, grad_a, grad_b = nt_xent(z_a, z_b, tau)
            rate = rates(step)
            yield Step(step, loss, rate, rows, params, state, z_a, z_b, network)
            grads = network.backward(np.concatenate([grad_a, grad_b]), cache, to_input=False).grads
            params, memory = stepper.step(params, grads, memory, rate)

    return run()
