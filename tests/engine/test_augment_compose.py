"""Composition: probabilities, what is reported, replay, and a batch as its images one by one."""

import json
import math
import time

import numpy as np
import pytest

from sim_engine import augment
from sim_engine.augment import Fixed, Step, compose, simclr
from sim_engine.augment._apply import OPERATIONS

EVERYTHING = compose(
    augment.RandomResizedCrop(size=(12, 10)),
    augment.RandomHorizontalFlip(),
    (augment.RandomBrightness(), 0.5),
    (augment.RandomContrast(), 0.5),
    (augment.RandomSaturation(), 0.5),
    (augment.RandomHue(), 0.5),
    (augment.RandomColourJitter(0.5, "pytorch"), 0.5),
    augment.RandomGrey(0.3),
    (augment.RandomGaussianBlur(kernel=3), 0.5),
    (augment.RandomRotation(), 0.5),
    (augment.RandomCutout(), 0.5),
    (augment.RandomNoise(), 0.5),
    (Fixed("sobel"), 0.2),
)
OPERATIONS_TO_DRAW = [EVERYTHING, simclr(), simclr(0.5, size=(9, 8), blur=False, listing="pytorch")]


@pytest.fixture
def batch(rng):
    return rng.integers(0, 256, (20, 15, 11, 3), dtype=np.uint8)


def test_every_function_of_images_can_be_a_step():
    functions = {n for n in augment.__all__ if callable(getattr(augment, n)) and n[0].islower()}
    others = {"colour_distortion", "compose", "edge_drop", "feature_mask", "graph_view", "kernel_size"}
    others |= {"node_drop", "replay", "replay_each", "simclr", "view", "views"}
    assert set(OPERATIONS) == functions - others
    for name, function in OPERATIONS.items():
        assert function is getattr(augment, name)


@pytest.mark.parametrize("operation", OPERATIONS_TO_DRAW)
def test_the_steps_make_the_view_again_also_after_json(batch, operation):
    rng = np.random.default_rng(8)
    for image in batch:
        drawn = augment.view(image, operation, rng)
        assert drawn.image.dtype == np.uint8
        np.testing.assert_array_equal(augment.replay(image, drawn.steps), drawn.image)
        told = json.loads(json.dumps([[s.name, dict(s.parameters)] for s in drawn.steps]))
        again = augment.replay(image, [Step(name, parameters) for name, parameters in told])
        np.testing.assert_array_equal(again, drawn.image)


@pytest.mark.parametrize("operation", OPERATIONS_TO_DRAW)
def test_a_batch_is_its_images_one_by_one(batch, operation):
    x = batch / 255.0
    together = augment.views(x, operation, np.random.default_rng(8))
    rng = np.random.default_rng(8)
    for i, image in enumerate(x):
        alone = augment.view(image, operation, rng)
        assert together.steps[i] == alone.steps
        np.testing.assert_allclose(together.images[i], alone.image, atol=1e-12)
    np.testing.assert_array_equal(augment.replay_each(x, together.steps), together.images)
    assert len({names(steps) for steps in together.steps}) > 3  # so the groups were many


def names(steps):
    return tuple(step.name for step in steps)


def test_a_view_is_the_functions_one_after_another(rng):
    image = rng.random((15, 11, 3))
    drawn = augment.view(image, EVERYTHING, rng)
    assert len(drawn.steps) > 3
    wanted = image
    for step in drawn.steps:
        wanted = getattr(augment, step.name)(wanted, **step.parameters)
    np.testing.assert_allclose(drawn.image, wanted, atol=1e-12)


def test_levels_are_rounded_once_at_the_end():
    image = np.full((1, 1, 3), 101, np.uint8)
    halves = [Step("brightness", {"factor": 0.5}), Step("brightness", {"factor": 2.0})]
    np.testing.assert_array_equal(augment.replay(image, halves), image)
    each = augment.brightness(augment.brightness(image, 0.5), 2.0)
    assert (each != image).any()


def test_simclr_has_the_papers_order_and_probabilities():
    rng, n = np.random.default_rng(6), 3000
    drawn = [names(simclr().draw(rng, 96, 96)) for _ in range(n)]
    order = ["resized_crop", "horizontal_flip", "jitter_tensorflow", "grey", "gaussian_blur"]
    # Hoeffding: a mean of n draws is off by more than this with a chance below 1e-6.
    bound = math.sqrt(math.log(2e6) / (2 * n))
    for name, p in zip(order, (1.0, 0.5, 0.8, 0.2, 0.5), strict=True):
        share = sum(name in steps for steps in drawn) / n
        assert abs(share - p) < bound
        assert (share == 1) == (p == 1)
    assert all(sorted(steps, key=order.index) == list(steps) for steps in drawn)
    assert not any("gaussian_blur" in names(simclr(blur=False).draw(rng, 96, 96)) for _ in range(60))


def test_the_kernel_of_the_blur_is_of_the_view_not_of_the_image():
    operation = compose(augment.RandomResizedCrop(size=(40, 40)), augment.RandomGaussianBlur())
    steps = operation.draw(np.random.default_rng(0), 224, 224)
    assert steps[1].parameters["kernel"] == augment.kernel_size(40) == 5
    nested = compose((operation, 1.0), augment.RandomCutout(0.5))
    assert nested.draw(np.random.default_rng(0), 224, 224)[2].parameters["height"] == 20


def test_probability_of_a_stage_covers_it_as_a_whole():
    both = compose(Fixed("grey"), Fixed("sobel"))
    rng = np.random.default_rng(0)
    seen = {names(compose((both, 0.5)).draw(rng, 4, 4)) for _ in range(40)}
    assert seen == {(), ("grey", "sobel")}
    assert compose((both, 0.0)).draw(rng, 4, 4) == ()
    assert names(compose((both, 1.0)).draw(rng, 4, 4)) == ("grey", "sobel")


def test_the_same_generator_gives_the_same_view_and_another_another(batch):
    image = batch[0]
    one, two, other = (augment.view(image, simclr(), np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.image, two.image)
    assert one.steps == two.steps
    assert one.steps != other.steps


def test_no_operation_touches_its_input(batch):
    before = batch.copy()
    batch.flags.writeable = False
    drawn = augment.views(batch, EVERYTHING, np.random.default_rng(0))
    np.testing.assert_array_equal(batch, before)
    assert not np.shares_memory(drawn.images, batch)
    x = batch / 255.0
    x.flags.writeable = False
    for steps in ([], [Step("horizontal_flip")], [Step("cutout", dict(top=0, left=0, height=1, width=1))]):
        assert not np.shares_memory(augment.replay(x[0], steps), x)


def test_simclr_of_a_96_pixel_image_takes_far_less_than_20_ms(rng):
    image = rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)
    whole = compose(
        augment.RandomResizedCrop(),
        Fixed("horizontal_flip"),
        augment.RandomColourJitter(),
        Fixed("grey"),
        augment.RandomGaussianBlur(),
    )
    taken = []
    for _ in range(15):
        start = time.process_time()
        augment.view(image, whole, rng)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.02


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: augment.replay(x[0], [Step("blurr")]),
            "a step must be one of brightness, .*, got 'blurr'",
        ),
        (lambda x: augment.replay(x[0], [Step("hue", {"turn": 1})]), "a step hue takes shift, got turn"),
        (lambda x: augment.replay(x[0], [Step("hue")]), "a step hue takes shift, got nothing"),
        (lambda x: augment.replay(x, []), "image must be one image"),
        (lambda x: augment.view(x, simclr(), np.random.default_rng(0)), "image must be one image"),
        (lambda x: augment.views(x[0], simclr(), np.random.default_rng(0)), "images must be .N, H, W, 3."),
        (lambda x: augment.replay_each(x, [[]]), "steps must be one sequence for each of 2 images, got 1"),
        (
            lambda x: augment.replay_each(
                x, [[], [Step("resized_crop", dict(top=0, left=0, height=2, width=2, size=(3, 3)))]]
            ),
            r"the views of a batch must have the same sides, got \(3, 3\) and \(4, 4\)",
        ),
        (lambda x: compose((Fixed("grey"), 1.5)), "the probability of stage 0 must lie in"),
        (lambda x: compose(Fixed("grey"), "grey"), "stage 1 must be an operation"),
        (lambda x: compose((Fixed("grey"), "often")), "the probability of stage 0 must hold real numbers"),
        (lambda x: compose((Fixed("grey"), 0.5, 1)), "stage 0 must be an operation"),
        (lambda x: augment.view(x[0], simclr(), 3), "rng must be a numpy.random.Generator, got 3"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((2, 4, 4, 3), np.uint8))


GRAPH_DRAWS = (augment.RandomEdgeDrop, augment.RandomFeatureMask, augment.RandomNodeDrop)
OF_IMAGES = [getattr(augment, name) for name in augment.__all__ if name.startswith("Random")]
OF_IMAGES = [make for make in OF_IMAGES if make not in GRAPH_DRAWS]


@pytest.mark.parametrize("draw", [*(make() for make in OF_IMAGES), simclr()], ids=lambda d: type(d).__name__)
def test_a_draw_wants_a_generator_and_not_a_seed(draw):
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got 3"):
        draw.draw(3, 8, 8)


@pytest.mark.parametrize("make", GRAPH_DRAWS)
def test_a_draw_of_a_graph_wants_a_generator_and_not_a_seed(make):
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got 3"):
        make().draw(3, np.zeros((0, 2), int), np.ones((2, 1)))
