"""Results that are more than a tuple: nobody can write to them, and comparing two never compares arrays."""

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
