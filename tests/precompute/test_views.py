"""Views: nothing at strength 0, more at more, the same from the same generator."""

import numpy as np
import pytest
import torch

from build_scripts.precompute import digits
from build_scripts.precompute.evaluate import as_tensor
from build_scripts.precompute.views import generator, random_views


@pytest.fixture(scope="module")
def images():
    return as_tensor(digits.load().images[:64], torch.device("cpu"))


def test_strength_zero_changes_nothing(images):
    np.testing.assert_allclose(random_views(images, 0.0, generator(0)).numpy(), images.numpy(), atol=1e-5)


def test_change_grows_with_strength(images):
    views = [random_views(images, s, generator(0)) for s in (0.1, 0.3, 0.6, 1)]
    change = [float((view - images).square().mean()) for view in views]
    assert change == sorted(change)
    assert change[0] > 0


def test_a_view_depends_on_the_whole_seed_and_on_nothing_else(images):
    torch.manual_seed(1)
    one = random_views(images, 0.5, generator(3, 4))
    torch.manual_seed(2)
    assert torch.equal(one, random_views(images, 0.5, generator(3, 4)))
    assert not torch.equal(one, random_views(images, 0.5, generator(4, 3)))
    assert not torch.equal(one, random_views(images, 0.5, generator(3, 5)))


def test_every_image_has_its_own_change(images):
    same = images[:1].expand(8, -1, -1, -1)
    views = random_views(same, 0.5, generator(0))
    distances = torch.cdist(views.flatten(1), views.flatten(1)) + torch.eye(8)
    assert distances.min() > 0.1
