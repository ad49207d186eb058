"""Every operation at its edges: dtypes, one pixel, batches, and input that is refused by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sim_engine import augment

# Each operation with parameters that suit an image of any size.
CALLS = {
    "brightness": {"factor": 1.3},
    "brightness_added": {"delta": -0.2},
    "contrast": {"factor": 1.6},
    "contrast_by_channel": {"factor": 0.4},
    "cutout": {"top": 0, "left": -1, "height": 1, "width": 3},
    "gaussian_blur": {"sigma": 1.0, "kernel": 1},
    "grey": {},
    "horizontal_flip": {},
    "hue": {"shift": 0.3},
    "jitter_pytorch": {"brightness": 1.2, "contrast": 0.5, "saturation": 1.5, "shift": -0.1},
    "jitter_tensorflow": {"delta": 0.2, "contrast": 0.5, "saturation": 1.5, "shift": -0.1},
    "noise": {"sigma": 0.1, "seed": 4},
    "resized_crop": {"top": 0, "left": 0, "height": 1, "width": 1, "size": (2, 3)},
    "rotation": {"degrees": 30.0},
    "saturation": {"factor": 1.7},
    "saturation_hsv": {"factor": 1.7},
    "sobel": {},
}
every = pytest.mark.parametrize("name", CALLS)
sides = st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))


def call(name, image, **changed):
    return getattr(augment, name)(image, **{**CALLS[name], **changed})


def test_every_operation_is_tried():
    from sim_engine.augment._apply import OPERATIONS

    assert set(CALLS) == set(OPERATIONS)


@every
@given(image=st.one_of(hnp.arrays(t, sides, elements=st.floats(0, 1, width=16)) for t in ("f2", "f4", "f8")))
def test_floats_stay_in_range_and_keep_their_precision(name, image):
    view = call(name, image)
    assert view.dtype == np.result_type(image.dtype, np.float32)
    assert view.min() >= 0
    assert view.max() <= 1
    assert view.shape == ((2, 3, 3) if name == "resized_crop" else image.shape)


@every
@given(image=hnp.arrays(np.uint8, sides, elements=st.sampled_from([0, 1, 127, 254, 255])))
def test_levels_are_those_of_the_floats(name, image):
    got = call(name, image)
    assert got.dtype == np.uint8
    # float32 holds a level to 3e-5; where that decides between two levels, either is the nearest.
    assert np.abs(got - call(name, image / 255.0) * 255).max() <= 0.5 + 1e-3


@every
def test_a_batch_is_its_images(name, rng):
    batch = rng.random((3, 4, 5, 3))
    got = call(name, batch)
    for i in range(3):
        np.testing.assert_allclose(got[i], call(name, batch[i]), atol=1e-12)


@every
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3), np.int64), "image must be uint8, or floats in .0, 1., got dtype int64"),
        (np.zeros((4, 4, 3), bool), "image must be uint8, or floats in .0, 1., got dtype bool"),
        (np.zeros((4, 4, 3), complex), "image must be uint8, or floats in .0, 1., got dtype complex128"),
        ([["a"]], "image must be uint8, or floats"),
        (None, "image must be uint8, or floats"),
        ([[[0.0, 0.0, 0.0]], [[0.0]]], "image must be an array of numbers, got rows of different lengths"),
        (np.zeros((4, 4), np.uint8), "image must have shape .H, W, 3. or .N, H, W, 3., got .4, 4."),
        (np.zeros((4, 4, 1), np.uint8), "image must have shape"),
        (np.zeros((4, 4, 4), np.uint8), "image must have shape"),
        (np.zeros((3, 4, 5), np.uint8), "image must have shape"),
        (np.zeros((1, 2, 4, 4, 3), np.uint8), "image must have shape"),
        (np.zeros((0, 4, 3), np.uint8), "image must not be empty"),
        (np.zeros((0, 4, 4, 3), np.uint8), "image must not be empty"),
        (np.full((4, 4, 3), np.nan), r"image must be finite, got nan at \[0, 0, 0, 0\]"),
        (np.full((4, 4, 3), np.inf), "image must be finite, got inf"),
        (
            np.full((4, 4, 3), 200.0),
            "image must lie in .0, 1. when it holds floats, got 200; divide levels by 255",
        ),
        (np.full((4, 4, 3), -0.1), "image must lie in .0, 1. when it holds floats, got -0.1"),
    ],
)
def test_images_are_checked(name, image, message):
    with pytest.raises(ValueError, match=message):
        call(name, image)


# Parameters that are one number an image, and a value that each refuses.
NUMBERS = [
    ("brightness", "factor", -0.1),
    ("brightness_added", "delta", 1e7),
    ("contrast", "factor", -0.1),
    ("contrast_by_channel", "factor", -0.1),
    ("cutout", "top", 0.5),
    ("cutout", "height", -1),
    ("gaussian_blur", "sigma", 0.0),
    ("hue", "shift", -1e7),
    ("jitter_pytorch", "brightness", -0.1),
    ("jitter_pytorch", "saturation", -0.1),
    ("jitter_tensorflow", "contrast", -0.1),
    ("jitter_tensorflow", "shift", 1e7),
    ("noise", "sigma", -0.1),
    ("resized_crop", "left", -1),
    ("rotation", "degrees", 1e7),
    ("saturation", "factor", -0.1),
    ("saturation_hsv", "factor", -0.1),
]


@pytest.mark.parametrize(("name", "parameter", "refused"), NUMBERS)
def test_parameters_are_checked(name, parameter, refused):
    image = np.zeros((2, 4, 4, 3), np.uint8)
    bad = [
        refused,
        np.nan,
        -np.inf,
        "1",
        None,
        [1.0, 1.0, 1.0],
        [[1.0], [1.0]],
        [1.0, [1.0]],
        [1.0, refused],
        1j,
    ]
    for value in bad:
        with pytest.raises(ValueError, match=f"^{parameter} must"):
            call(name, image, **{parameter: value})


@pytest.mark.parametrize("name", ["cutout", "rotation"])
@pytest.mark.parametrize("fill", [-0.1, 1.1, 128, np.nan])
def test_fill_is_checked(name, fill):
    with pytest.raises(ValueError, match=r"^fill must"):
        call(name, np.zeros((4, 4, 3), np.uint8), fill=fill)


@pytest.mark.parametrize(
    "name", ["brightness", "contrast", "saturation", "contrast_by_channel", "saturation_hsv"]
)
@pytest.mark.parametrize("factor", [0.0, 1e-30, 1e6])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_extreme_factors_stay_finite(name, factor, dtype, rng):
    image = rng.integers(0, 2, (3, 3, 3)).astype(dtype)
    image[0, 0] = [0, 0, 0] if dtype is np.uint8 else [0, 1e-30, 1e-38]
    assert np.isfinite(call(name, image, factor=factor)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: augment.RandomBrightness(-1), "most must lie in"),
        (lambda: augment.RandomContrast(np.nan), "most must be finite"),
        (lambda: augment.RandomSaturation("strong"), "most must hold real numbers"),
        (lambda: augment.RandomHue(0.6), "most must lie in .0, 0.5., got 0.6"),
        (lambda: augment.RandomGrey(1.1), "p must lie in"),
        (lambda: augment.RandomHorizontalFlip(-0.1), "p must lie in"),
        (lambda: augment.RandomGaussianBlur((2.0, 0.1)), "sigma must be .least, most."),
        (lambda: augment.RandomGaussianBlur((0.0, 1.0)), "sigma must lie in"),
        (lambda: augment.RandomGaussianBlur(kernel=4), "kernel must be odd, got 4"),
        (lambda: augment.RandomNoise((-1.0, 1.0)), "sigma must lie in"),
        (lambda: augment.RandomRotation(200.0), "most must lie in"),
        (lambda: augment.RandomRotation(angles=()), "angles must not be empty"),
        (lambda: augment.RandomRotation(fill=2.0), "fill must lie in"),
        (lambda: augment.RandomCutout(1.5), "side must lie in"),
        (lambda: augment.RandomCutout(fill=-1.0), "fill must lie in"),
    ],
)
def test_draws_are_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_defaults_are_the_papers():
    assert {
        make().most for make in (augment.RandomBrightness, augment.RandomContrast, augment.RandomSaturation)
    } == {0.8}
    assert augment.RandomHue().most == 0.2
    assert augment.RandomGrey().p == 0.2
    assert augment.RandomHorizontalFlip().p == 0.5
    assert augment.RandomGaussianBlur().sigma == (0.1, 2.0)
    assert augment.RandomResizedCrop().area == (0.08, 1.0)
    assert augment.RandomResizedCrop().ratio == (3 / 4, 4 / 3)
    assert augment.RandomColourJitter() == augment.RandomColourJitter(1.0, "tensorflow")
    assert augment.simclr() == augment.simclr(1.0, size=None, blur=True, listing="tensorflow")
    assert augment.RandomCutout().side == 0.5  # of DeVries and Taylor, on CIFAR-10
    assert augment.RandomNodeDrop().part == 0.2  # of You et al.


def test_the_ends_of_each_range_are_allowed():
    rng = np.random.default_rng(0)
    at_ends = [
        (augment.RandomGaussianBlur(kernel=1), "kernel", 1),
        (augment.RandomRotation(180.0, fill=1.0), "fill", 1.0),
        (augment.RandomCutout(1.0, fill=1.0), "height", 8),
        (augment.RandomCutout(0.0, fill=0.0), "height", 0),
    ]
    for operation, name, value in at_ends:
        assert operation.draw(rng, 8, 8)[0].parameters[name] == value
    for refused in ({"fill": 1.01}, {"side": 1.01}):
        with pytest.raises(ValueError, match="must lie in"):
            augment.RandomCutout(**refused)
