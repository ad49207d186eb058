"""MoCo: a query finds its key among a queue of earlier keys (He et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import generator, temperature, whole
from sim_engine._tree import Tree
from sim_engine.encoders import Layer
from sim_engine.losses._guard import share
from sim_engine.losses.moco import Queue
from sim_engine.losses.moco import moco as moco_loss
from sim_engine.optim import Adam, Optimizer
from sim_engine.train import _run
from sim_engine.train._run import Augment, Rate, Step


@dataclass(frozen=True, eq=False)
class MocoStep(Step):
    """A step of MoCo; z_a are the batch's queries and z_b its keys.

    Attributes:
        target: parameters of the key encoder, under the names of `params`.
        queue: the earlier keys that `loss` was computed against; this batch's come in afterwards.
    """

    target: Tree
    queue: Queue


def moco(
    data: ArrayLike,
    augment: Augment,
    encoder: Layer,
    head: Layer | None = None,
    *,
    steps: int,
    batch_size: int,
    rng: np.random.Generator,
    queue_size: int = 1024,
    momentum: float = 0.99,
    tau: float = 0.07,
    learning_rate: Rate = 1e-3,
    optimizer: Optimizer | None = None,
) -> Iterator[MocoStep]:
    r"""Train an encoder by InfoNCE against a queue, one step at a time.

    The first view goes through the network and becomes a query; the second goes through the key
    encoder, which follows by $\theta_k \leftarrow m\theta_k + (1-m)\theta_q$ and gets no gradient.
    Then the batch's keys displace the oldest in the queue: the number of negatives does not depend
    on the batch. The paper shuffles batches between devices so that batch norm cannot tell query
    from key; here there is one device, and networks without batch norm are the safe choice.

    Args:
        data: images or rows, (images, ...); the network is of their dtype: float32 is quicker.
        augment: `augment(batch, rng)` returns one random view of each of the batch's rows;
            `augment.TrainingViews` makes it of views of images.
        encoder: from a view to h (N, features).
        head: from h to z (N, d); None compares h itself.
        steps: updates; the generator yields steps + 1 states, the untrained one first.
        batch_size: N, images a step, at least 2.
        rng: where the first weights, the first queue, the batches and the views come from.
        queue_size: K, keys in the queue; random at first.
        momentum: m, in [0, 1]; the paper has .999 for long trainings, short ones want less.
        tau: temperature, > 0; the paper's is .07.
        learning_rate: a constant, or a function from the step to the rate.
        optimizer: Adam where none is given.

    Returns:
        An iterator of `MocoStep`, each made when it is asked for.

    Raises:
        ValueError: an argument is out of its range, or, while it runs, the training diverges or a
            layer does not fit its input.

    Source:
        He, Fan, Wu, Xie, Girshick (2020), arXiv:1911.05722, algorithm 1 and eq. 1-2.

    Examples:
        >>> from sim_engine.encoders import mlp
        >>> rng = np.random.default_rng(0)
        >>> data = rng.normal(size=(64, 8)).astype(np.float32)
        >>> noisy = lambda x, rng: x + 0.3 * rng.standard_normal(x.shape, dtype=np.float32)
        >>> run = moco(data, noisy, mlp([8, 16, 4]), steps=3, batch_size=32, rng=rng, queue_size=80)
        >>> [step.queue.start for step in run]
        [0, 32, 64, 16]
    """
    array = _run.training_data("data", data, batch_size)
    tau, keep = temperature(tau, array.dtype), share("momentum", momentum)
    whole("queue_size", queue_size, least=1)
    rates, rng = _run.schedule(learning_rate, steps), generator(rng)
    network, stepper = _run.parts(encoder=encoder, head=head), optimizer or Adam()

    def run() -> Iterator[MocoStep]:
        params, state = network.init(rng, array.dtype)
        memory, target = stepper.init(params), params
        queue: Queue | None = None
        for step, rows in _run.batches(len(array), batch_size, steps, rng):
            view_q, view_k = np.split(_run.two_views(array[rows], augment, rng), 2)
            with np.errstate(over="ignore", invalid="ignore"):
                k = network.forward(target, state, view_k).y  # by the batch's statistics, as q
                q, state, cache = network.forward(params, state, view_q)
            _run.check_finite(step, q, k)
            if queue is None:
                first = Queue.random(queue_size, q.shape[1], rng)
                queue = Queue(first.keys.astype(array.dtype, copy=False))
            loss = moco_loss(q, k, queue, tau)
            rate = rates(step)
            yield MocoStep(step, loss.value, rate, rows, params, state, q, k, network, target, queue)
            grads = network.backward(loss.grad_q, cache, to_input=False).grads
            params, memory = stepper.step(params, grads, memory, rate)
            target, queue = _run.moving_average(target, params, keep), loss.queue

    return run()
