"""The loss that trains the recorded runs is the engine's."""

import numpy as np
import pytest
import torch

from build_scripts.precompute.nt_xent import nt_xent
from sim_engine import losses


@pytest.mark.parametrize("tau", [0.05, 0.5, 2.0])
@pytest.mark.parametrize(("n", "d"), [(2, 2), (7, 3), (120, 2)])
def test_value_and_gradients_equal_the_engine(n, d, tau):
    rng = np.random.default_rng(n * d)
    z_a, z_b = rng.normal(size=(2, n, d)) * 3
    a, b = (torch.tensor(z, requires_grad=True) for z in (z_a, z_b))
    value = nt_xent(a, b, tau)
    value.backward()
    wanted = losses.nt_xent(z_a, z_b, tau)
    np.testing.assert_allclose(value.item(), wanted.value, rtol=1e-12)
    np.testing.assert_allclose(a.grad.numpy(), wanted.grad_a, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(b.grad.numpy(), wanted.grad_b, rtol=1e-9, atol=1e-14)


def test_equal_similarities_give_log_2n_minus_1():
    z = torch.ones(60, 3, dtype=torch.float64)
    np.testing.assert_allclose(nt_xent(z, z, 0.5).item(), np.log(119), rtol=1e-14)
