"""BYOL: predict what a slow copy of oneself makes of the other view; no negatives (Grill et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import generator
from sim_engine._tree import Tree
from sim_engine.encoders import Layer
from sim_engine.losses._guard import share
from sim_engine.losses.regression import byol as byol_loss
from sim_engine.optim import Adam, Optimizer
from sim_engine.train import _run
from sim_engine.train._run import Augment, Rate, Step


@dataclass(frozen=True, eq=False)
class ByolStep(Step):
    """A step of BYOL; z_a and z_b are the online network's, before its predictor.

    Attributes:
        target: parameters of the target network, under the names `encoder` and `head`.
        momentum: share of the target that the coming update of the target keeps.
    """

    target: Tree
    momentum: float


def byol(
    data: ArrayLike,
    augment: Augment,
    encoder: Layer,
    head: Layer | None,
    predictor: Layer | None,
    *,
    steps: int,
    batch_size: int,
    rng: np.random.Generator,
    momentum: float = 0.99,
    stop_gradient: bool = True,
    learning_rate: Rate = 1e-3,
    optimizer: Optimizer | None = None,
) -> Iterator[ByolStep]:
    r"""Train an encoder by BYOL's regression, one step at a time.

    The online network has encoder, head and predictor; the target network encoder and head alone,
    and follows by $\xi \leftarrow m\xi + (1-m)\theta$, $m_t = 1 - (1-m_0)(\cos(\pi t/T) + 1)/2$. Each
    view's prediction is compared with the other view's target, through which no gradient passes.

    With `momentum` 0 the target is the network itself with its gradient stopped (SimSiam). Without
    `stop_gradient` it is the network itself and learns too; that loss is least when all embeddings
    are one, and without a predictor nothing hinders it: the network collapses.

    Args:
        data: images or rows, (images, ...); the network is of their dtype: float32 is quicker.
        augment: `augment(batch, rng)` returns one random view of each of the batch's rows;
            `augment.TrainingViews` makes it of views of images.
        encoder: from a view to h (N, features).
        head: from h to z (N, d); None compares h itself.
        predictor: from z to a prediction of the other z, (N, d); None predicts z as it is.
        steps: updates T; the generator yields steps + 1 states, the untrained one first.
        batch_size: N, images a step, at least 2.
        rng: where the first weights, the batches and the views come from.
        momentum: $m_0$, in [0, 1]; the paper has .996 for 1000 epochs, short trainings want less.
            At 0 it stays 0.
        stop_gradient: whether the target learns by average alone.
        learning_rate: a constant, or a function from the step to the rate.
        optimizer: Adam where none is given.

    Returns:
        An iterator of `ByolStep`, each made when it is asked for.

    Raises:
        ValueError: an argument is out of its range, or, while it runs, the training diverges or a
            layer does not fit its input.

    Source:
        Grill et al. (2020), arXiv:2006.07733, eq. 1-2 and section 3.3 (the schedule of m); Chen & He
        (2021), arXiv:2011.10566, section 4 (what stops collapse).

    Examples:
        >>> from sim_engine.encoders import mlp
        >>> rng = np.random.default_rng(0)
        >>> data = rng.normal(size=(64, 8)).astype(np.float32)
        >>> noisy = lambda x, rng: x + 0.3 * rng.standard_normal(x.shape, dtype=np.float32)
        >>> run = byol(data, noisy, mlp([8, 16, 4]), None, mlp([4, 4]), steps=30, batch_size=32, rng=rng)
        >>> steps = list(run)
        >>> steps[-1].loss < steps[0].loss, round(steps[-1].momentum, 3)
        (True, 1.0)
    """
    array = _run.training_data("data", data, batch_size)
    base = share("momentum", momentum)
    rates, rng = _run.schedule(learning_rate, steps), generator(rng)
    network = _run.parts(encoder=encoder, head=head, predictor=predictor)
    trunk, stepper = _run.parts(encoder=encoder, head=head), optimizer or Adam()
    guess = _run.parts(predictor=predictor) if predictor is not None else None

    def run() -> Iterator[ByolStep]:
        params, state = network.init(rng, array.dtype)
        memory = stepper.init(params)
        target: Tree = {name: params[name] for name in trunk.layers if name in params}
        for step, rows in _run.batches(len(array), batch_size, steps, rng):
            views = _run.two_views(array[rows], augment, rng)
            with np.errstate(over="ignore", invalid="ignore"):
                z, after, trunk_cache = trunk.forward(params, state, views)
                p, guess_cache = z, None
                if guess is not None:
                    p, guessed, guess_cache = guess.forward(params, state, z)
                    after = {**after, **guessed}
                aim = trunk.forward(target, state, views).y if stop_gradient else z
            state = after
            _run.check_finite(step, z, p, aim)
            halves = [half for both in (p, aim) for half in np.split(both, 2)]
            loss = byol_loss(*halves)
            rate = rates(step)
            keep = 1 - (1 - base) * (math.cos(math.pi * step / steps) + 1) / 2 if base else 0.0
            z_a, z_b = np.split(z, 2)
            yield ByolStep(step, loss.value, rate, rows, params, state, z_a, z_b, network, target, keep)
            grad = np.concatenate([loss.grad_p_a, loss.grad_p_b])
            grads: Tree = {}
            if guess is not None:
                back, grads = guess.backward(grad, guess_cache)
                grad = grad if back is None else back
            if not stop_gradient:
                # The distance is symmetric: exchanged, it gives the targets' gradient.
                p_a, p_b, aim_a, aim_b = halves
                other = byol_loss(aim_a, aim_b, p_a, p_b)
                grad = grad + np.concatenate([other.grad_p_a, other.grad_p_b])
            grads = {**trunk.backward(grad, trunk_cache, to_input=False).grads, **grads}
            params, memory = stepper.step(params, grads, memory, rate)
            online = {name: params[name] for name in target}
            target = _run.moving_average(target, online, keep) if stop_gradient else online

    return run()
