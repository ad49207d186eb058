"""Views handed to a training: floats out, draws kept, grey stays grey, and three steps of each method."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_sample_images

from sim_engine import augment, encoders, train
from sim_engine.augment import TrainingViews, simclr


@pytest.fixture(scope="module")
def photographs():
    """48 tiles of 16 pixels out of two photographs, levels."""
    china, flower = load_sample_images().images
    tiles = [
        p[i : i + 16, j : j + 16] for p in (china, flower) for i in (80, 200, 320) for j in range(0, 512, 64)
    ]
    return np.stack(tiles)


@pytest.fixture(scope="module")
def digits():
    """(64, 8, 8, 1), in [0, 1]."""
    return (load_digits().images[:64, :, :, None] / 16).astype(np.float32)


def trainings(data, views, channels, rng):
    def common():
        return {"steps": 3, "batch_size": 8, "rng": rng, "learning_rate": 0.01}

    def encoder():
        return encoders.conv_net([channels, 6, 8])

    yield train.simclr(data, views, encoder(), encoders.mlp([8, 4]), **common())
    yield train.byol(data, views, encoder(), None, encoders.mlp([8, 8]), **common())
    yield train.moco(data, views, encoder(), encoders.mlp([8, 4]), queue_size=16, **common())


@pytest.mark.parametrize("method", [0, 1, 2], ids=["simclr", "byol", "moco"])
def test_three_steps_on_photographs_whose_views_can_be_made_again(photographs, method, rng):
    data = photographs.astype(np.float32) / np.float32(255)
    views = TrainingViews(simclr(0.5))
    run = list(trainings(data, views, 3, rng))[method]
    weights = []
    for step in run:
        assert np.isfinite(step.loss)
        weights.append(step.params["encoder"]["conv0"]["weight"])
        first, second = views.drawn
        assert first.steps != second.steps
        # Step's embeddings are of exactly the views that are kept, and these are those of their steps.
        for drawn in (first, second):
            again = augment.replay_each(data[step.batch], drawn.steps)
            np.testing.assert_array_equal(again, drawn.images)
            assert drawn.images.dtype == np.float32
        both = np.concatenate([first.images, second.images])
        if method == 0:
            z = step.network.forward(step.params, step.state, both).y
            np.testing.assert_allclose(z, np.concatenate([step.z_a, step.z_b]), atol=1e-5)
    assert len(weights) == 4
    assert all((a != b).any() for a, b in pairwise(weights))


@pytest.mark.parametrize("method", [0, 1, 2], ids=["simclr", "byol", "moco"])
def test_three_steps_on_digits_of_one_channel(digits, method, rng):
    operation = augment.compose(
        augment.RandomResizedCrop(area=(0.5, 1.0)),
        augment.RandomRotation(15),
        augment.RandomColourJitter(0.5),
        augment.RandomGrey(0.2),
        (augment.RandomGaussianBlur(kernel=3), 0.5),
        augment.RandomCutout(0.3, fill=0.0),
        (augment.Fixed("sobel"), 0.2),
    )
    views = TrainingViews(operation)
    run = list(trainings(digits, views, 1, rng))[method]
    losses = [step.loss for step in run]
    assert len(losses) == 4
    assert np.isfinite(losses).all()
    assert views.drawn[0].images.shape == (8, 8, 8, 3)


def test_grey_is_seen_as_three_equal_channels(digits):
    views = TrainingViews(simclr(blur=False))
    one = views(digits, np.random.default_rng(4))
    assert one.shape == digits.shape
    assert one.dtype == np.float32
    three = augment.views(np.repeat(digits, 3, axis=3), simclr(blur=False), np.random.default_rng(4))
    np.testing.assert_array_equal(one, three.images[..., :1])
    np.testing.assert_array_equal(views.drawn[0].images, three.images)


def test_levels_and_floats_give_the_same_views(photographs):
    from_levels = TrainingViews(simclr())(photographs, np.random.default_rng(4))
    x = photographs.astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(from_levels, TrainingViews(simclr())(x, np.random.default_rng(4)))
    np.testing.assert_array_equal(from_levels, augment.views(x, simclr(), np.random.default_rng(4)).images)
    assert from_levels.dtype == np.float32
    assert TrainingViews(simclr())(x.astype(np.float64), np.random.default_rng(4)).dtype == np.float64
    assert 0 <= from_levels.min() <= from_levels.max() <= 1


def test_as_many_draws_are_kept_as_were_asked_for(digits, rng):
    views = TrainingViews(simclr(), keep=3)
    assert views.drawn == ()
    made = [views(digits[:2], rng) for _ in range(5)]
    assert len(views.drawn) == 3
    for drawn, wanted in zip(views.drawn, made[2:], strict=True):
        np.testing.assert_array_equal(drawn.images[..., :1], wanted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, rng: TrainingViews("crop"), "operation must have a draw, .* got 'crop'"),
        (lambda x, rng: TrainingViews(simclr(), keep=0), "keep must be at least 1, got 0"),
        (
            lambda x, rng: TrainingViews(simclr())(x[..., 0], rng),
            r"images must be .N, H, W, 3., or .N, H, W, 1. if",
        ),
        (lambda x, rng: TrainingViews(simclr())(x.reshape(64, 64), rng), r"got shape \(64, 64\)"),
        (
            lambda x, rng: TrainingViews(simclr())(16 * x, rng),
            r"images must lie in \[0, 1\] .* got 16; a training",
        ),
        (lambda x, rng: TrainingViews(simclr())(x - 1, rng), r"image must lie in \[0, 1\]"),
        (lambda x, rng: TrainingViews(simclr())(x, 3), "rng must be a numpy.random.Generator"),
        (lambda x, rng: TrainingViews(augment.RandomNoise())(x, rng), "must stay grey, .* such as noise"),
        (
            lambda x, rng: next(
                train.simclr(
                    np.zeros((8, 8, 8, 3), np.uint8) + np.uint8(200),
                    TrainingViews(simclr()),
                    encoders.conv_net([3, 4]),
                    steps=1,
                    batch_size=4,
                    rng=rng,
                )
            ),
            r"divide it by its largest level first \(255 for uint8\)",
        ),
    ],
)
def test_mistakes_are_named(digits, rng, call, message):
    with pytest.raises(ValueError, match=message):
        call(digits, rng)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-0.3, 0.3), (0.08, 1.0), (1.0, 1.0), (0.1, 2.0)])
def test_a_number_is_the_generators_own_uniform(ends):
    """The stream of a seed is that of `rng.uniform`, bit for bit."""
    from sim_engine.augment._step import uniform

    ours, numpys = np.random.default_rng(6), np.random.default_rng(6)
    for _ in range(2000):
        assert uniform(ours, *ends) == numpys.uniform(*ends)
