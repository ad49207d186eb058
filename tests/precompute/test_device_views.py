"""Views on the device: pixel for pixel what sim_engine.augment makes of the same drawn parameters."""

import itertools

import numpy as np
import pytest
import torch

from build_scripts.precompute.device_views import (
    NAMES,
    SIMCLR,
    DeviceViews,
    Drawn,
    Share,
    ViewConfig,
    shift_colours,
)
from sim_engine.augment import brightness, hue, replay_each

torch.set_num_threads(1)
# In float64 both sides do the same sums up to their order. The noise alone is kept in float32: its
# numbers reach 5 standard deviations of 0.1, and half a unit in the last place of 0.5 is 3e-8.
EXACT = {torch.float64: 1e-12, torch.float32: 2e-5}
NOISE = 1e-7
EACH = [(name,) for name in NAMES]


def pictures(count=48, size=(20, 24), channels=3):
    """Random colours, a third of them with grey, black, white and pure pixels, where hue has its ties."""
    rng = np.random.default_rng(5)
    images = rng.random((count, *size, channels))
    images[::3, ::2] = images[::3, ::2].round()
    images[1::3, 1::3] = images[1::3, 1::3, :, :1]
    return images


def as_tensor(images, dtype=torch.float64):
    return torch.tensor(images.transpose(0, 3, 1, 2), dtype=dtype)


def as_array(views):
    return views.permute(0, 2, 3, 1).numpy()


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", EXACT, ids=str)
@pytest.mark.parametrize("names", [*EACH, SIMCLR, NAMES, NAMES[::-1]], ids="-".join)
def test_a_view_is_the_engine_s_replay_of_what_was_drawn(names, dtype):
    images = as_tensor(pictures(), dtype)
    views = DeviceViews(ViewConfig(names=names, strength=1.0))
    drawn = views.draw(len(images), (20, 24), rng())
    wanted = replay_each(as_array(images), drawn.steps())
    # float32: a coordinate of 24 pixels has 1e-6 of rounding, the strongest contrast multiplies by 1.8,
    # Sobel adds eight pixels. 2e-5 is a two-hundredth of a level of uint8.
    tolerance = EXACT[dtype] + (NOISE if "noise" in names else 0.0)
    made = as_array(views.apply(images, drawn))
    np.testing.assert_allclose(made, wanted, rtol=0, atol=tolerance)
    assert np.abs(made - as_array(images)).max() > 0.1


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(7, 5), (40, 31), (3, 60), (1, 1)])
def test_a_crop_to_another_size_is_the_engine_s(size, antialias):
    crop = {"size": size, "antialias": antialias}
    views = DeviceViews(ViewConfig(names=("crop", "flip"), crop=crop))
    images = as_tensor(pictures())
    drawn = views.draw(len(images), (20, 24), rng())
    made = views.apply(images, drawn)
    assert made.shape == (len(images), 3, *size)
    np.testing.assert_allclose(as_array(made), replay_each(as_array(images), drawn.steps()), atol=1e-12)


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("rotation",), {"rotation": {"angles": (90.0, 180.0, 270.0)}}),
        (("rotation",), {"rotation": {"most": 180.0, "fill": 0.7}}),
        (("cutout",), {"cutout": {"side": 0.9, "fill": 0.2}}),
        (("cutout",), {"cutout": {"side": 0.0}}),
        (("blur",), {"blur": {"kernel": 9}, "blur_p": 1.0}),
        (("blur",), {"blur": {"sigma": (1e-6, 1e-5), "kernel": 3}, "blur_p": 1.0}),
        (("color",), {"strength": 2.5, "color_p": 1.0}),
        (("sobel", "color"), {"sobel_p": 0.5}),
    ],
)
def test_every_setting_means_what_it_means_in_the_engine(names, options):
    images = as_tensor(pictures(size=(24, 24)))
    views = DeviceViews(ViewConfig(names=names, **options))
    drawn = views.draw(len(images), (24, 24), rng())
    wanted = replay_each(as_array(images), drawn.steps())
    np.testing.assert_allclose(as_array(views.apply(images, drawn)), wanted, rtol=0, atol=1e-12)


def test_colours_follow_every_one_of_the_24_orders():
    orders = torch.tensor(list(itertools.permutations(range(4))))
    values = {name: torch.full((24,), 1.7, dtype=torch.float64) for name in ("brightness", "contrast")}
    values |= {"saturation": torch.full((24,), 0.4, dtype=torch.float64), "order": orders}
    values["shift"] = torch.full((24,), 0.15, dtype=torch.float64)
    drawn = Drawn(24, (20, 24), (Share("color", torch.arange(24), values, {}),))
    images = as_tensor(np.repeat(pictures(1), 24, axis=0))
    made = as_array(DeviceViews(ViewConfig(names=("color",))).apply(images, drawn))
    np.testing.assert_allclose(made, replay_each(as_array(images), drawn.steps()), atol=1e-12)
    assert len(np.unique(made.reshape(24, -1).round(6), axis=0)) > 12  # the order matters


def test_levels_agree_but_for_a_rounding():
    levels = (pictures() * 255).round().astype(np.uint8)
    views = DeviceViews(ViewConfig(strength=1.0))
    drawn = views.draw(len(levels), (20, 24), rng())
    made = (as_array(views.apply(as_tensor(levels, torch.float32) / 255, drawn)) * 255).round()
    apart = np.abs(made - replay_each(levels, drawn.steps()).astype(float))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3


def test_images_that_chance_left_out_stay_to_the_last_bit():
    images = as_tensor(pictures(), torch.float32)
    views = DeviceViews(ViewConfig(names=("color",), color_p=0.5, strength=1.0))
    drawn = views.draw(len(images), (20, 24), rng())
    made = views.apply(images, drawn)
    chosen = torch.isin(torch.arange(len(images)), drawn.shares[0].rows)
    assert 10 < chosen.sum() < 38
    assert torch.equal(made[~chosen], images[~chosen])
    assert (made[chosen] != images[chosen]).flatten(1).any(dim=1).all()


@pytest.mark.parametrize("names", [("crop",), SIMCLR, NAMES], ids="-".join)
def test_digits_of_one_channel_skip_the_colour_views_and_match_the_engine(names):
    images = pictures(size=(8, 8), channels=1)
    views = DeviceViews(ViewConfig(names=names, strength=1.0))
    drawn = views.draw(len(images), (8, 8), rng())
    steps = drawn.steps(channels=1)
    assert not {step.name for own in steps for step in own} & {"jitter_pytorch", "grey"}
    wanted = replay_each(np.repeat(images, 3, axis=3), steps)[..., :1]
    made = views.apply(as_tensor(images), drawn)
    np.testing.assert_allclose(as_array(made), wanted, rtol=0, atol=1e-12 + NOISE)


def test_colour_views_leave_one_channel_as_it_is():
    images = as_tensor(pictures(size=(8, 8), channels=1), torch.float32)
    views = DeviceViews(ViewConfig(names=("color", "grey"), strength=2.5))
    assert torch.equal(views(images, rng()), images)


def test_the_caller_s_images_precision_and_gradients_are_left_alone():
    images = as_tensor(pictures(), torch.float32).requires_grad_()
    before = images.detach().clone()
    views = DeviceViews(ViewConfig(names=NAMES))
    drawn = views.draw(len(images), (20, 24), rng())
    made = views.apply(images, drawn)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        lower = views.apply(images, drawn)
    assert torch.equal(made, lower)
    assert lower.dtype == torch.float32
    assert not made.requires_grad
    assert torch.equal(images.detach(), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("names", [*EACH, SIMCLR, NAMES], ids="-".join)
def test_a_gpu_makes_the_same_views(names):
    images = as_tensor(pictures(), torch.float32)
    views = DeviceViews(ViewConfig(names=names))
    drawn = views.draw(len(images), (20, 24), rng())
    # A blur by convolution may be computed in TF32 there, with 10 bits: a quarter of a level.
    tolerance = 1e-3 if "blur" in names else 2e-5
    torch.testing.assert_close(
        views.apply(images.cuda(), drawn).cpu(), views.apply(images, drawn), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize(("turns", "factor"), [(0.0, 1.0), (0.3, 1.0), (-0.5, 0.6), (1 / 3, 1.5)])
def test_shifted_colours_are_the_engine_s_hue_then_brightness(turns, factor):
    images = pictures()
    wanted = brightness(hue(images, turns), factor)
    made = shift_colours(as_tensor(images), turns, factor)
    np.testing.assert_allclose(as_array(made), wanted, rtol=0, atol=1e-12)


def test_shifted_brightness_works_on_one_channel_and_hue_does_not():
    images = as_tensor(pictures(channels=1))
    torch.testing.assert_close(shift_colours(images, 0.0, 0.5), images / 2)
    with pytest.raises(ValueError, match="hue must be 0 for images of one channel"):
        shift_colours(images, 0.1, 1.0)


@pytest.mark.parametrize(
    ("turns", "factor", "name"),
    [(float("nan"), 1, "hue"), (0, -0.1, "brightness"), (0, float("inf"), "brightness")],
)
def test_shifts_out_of_range_are_named(turns, factor, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        shift_colours(as_tensor(pictures()), turns, factor)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "divide levels by 255"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.float16), "float32 or float64"),
        (torch.zeros(2, 8, 8, 3), r"must be \(n, 1 or 3, H, W\)"),
        (torch.zeros(3, 8, 8), r"must be \(n, 1 or 3, H, W\)"),
        (torch.zeros(0, 3, 8, 8), "n >= 1"),
    ],
)
def test_images_of_another_kind_are_refused(images, message):
    views = DeviceViews(ViewConfig())
    for use in (lambda: views(images, rng()), lambda: shift_colours(images, 0.0, 1.0)):
        with pytest.raises(ValueError, match=message):
            use()


def test_parameters_drawn_for_other_images_are_refused():
    views = DeviceViews(ViewConfig())
    drawn = views.draw(4, (8, 8), rng())
    for shape in ((5, 3, 8, 8), (4, 3, 8, 9)):
        with pytest.raises(ValueError, match="drawn must be for the images"):
            views.apply(torch.zeros(shape), drawn)
