"""Results are frozen and equal only to themselves; defaults are the papers'."""

import dataclasses

import numpy as np
import pytest

from sim_engine import losses

Z = np.eye(3) + 0.1

RESULTS = [
    losses.triplet(Z, Z, -Z),
    losses.triplet_views(Z, Z),
    losses.clip(Z, Z, 0.0),
    losses.normalized_mse(Z, Z),
    losses.byol(Z, Z, Z, Z),
    losses.moco(Z, Z, losses.Queue(np.eye(3))),
    losses.dino_cross_entropy(Z, Z, Z[0]),
    losses.dino(Z, Z, Z, Z, Z[0]),
]


@pytest.mark.parametrize("result", [*RESULTS, losses.Queue(np.eye(3))], ids=lambda r: type(r).__name__)
def test_frozen_and_equal_only_to_itself(result):
    first = dataclasses.fields(result)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(result, first, None)
    assert result != dataclasses.replace(result)
    assert len({result, result}) == 1


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: type(r).__name__)
def test_the_value_is_a_plain_number(result):
    assert type(result.value) is float


WIDE = np.random.default_rng(3).normal(size=(4, 6, 3))
A, B, C, D = WIDE
QUEUE = losses.Queue.random(7, 3, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("by_default", "as_in_the_paper"),
    [
        (lambda: losses.triplet(A, B, C), lambda: losses.triplet(A, B, C, 0.2)),
        (lambda: losses.triplet_views(A, B), lambda: losses.triplet_views(A, B, 0.2, select="nearest")),
        (lambda: losses.barlow_twins(A, B), lambda: losses.barlow_twins(A, B, lam=0.0051, eps=1e-5)),
        (
            lambda: losses.vicreg(A / 9, B / 9),
            lambda: losses.vicreg(A / 9, B / 9, invariance=25, variance=25, covariance=1, gamma=1, eps=1e-4),
        ),
        (
            lambda: losses.align_uniform(A, B),
            lambda: losses.align_uniform(A, B, align_weight=1, uniform_weight=1, alpha=2, t=2),
        ),
        (lambda: losses.moco(A, B, QUEUE), lambda: losses.moco(A, B, QUEUE, 0.07)),
        (
            lambda: losses.dino_cross_entropy(A, B, C[0]),
            lambda: losses.dino_cross_entropy(A, B, C[0], tau_student=0.1, tau_teacher=0.04),
        ),
        (
            lambda: losses.dino(A, B, C, D, C[0]),
            lambda: losses.dino(A, B, C, D, C[0], tau_student=0.1, tau_teacher=0.04),
        ),
    ],
)
def test_defaults_are_the_papers(by_default, as_in_the_paper):
    assert by_default().value == as_in_the_paper().value != 0


def test_defaults_of_state_are_the_papers():
    moved = losses.dino(A, B, C, D, C[0]).center
    np.testing.assert_array_equal(moved, losses.update_center(C[0], np.concatenate([C, D]), momentum=0.9))
    np.testing.assert_array_equal(moved, losses.update_center(C[0], np.concatenate([C, D])))
    slow = losses.momentum_update({"w": A}, {"w": B})["w"]
    np.testing.assert_array_equal(slow, losses.momentum_update({"w": A}, {"w": B}, 0.999)["w"])
    assert losses.Queue(QUEUE.keys).start == 0
