"""What the device's views draw: the engine's distributions, a generator's numbers, refusals by name."""

import itertools
import json
from collections import Counter
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, ks_2samp

from build_scripts.precompute.device_views import NAMES, SIMCLR, DeviceViews, ViewConfig
from sim_engine.augment.jitter import ORDER

torch.set_num_threads(1)
COUNT = 3000
SIZE = (40, 32)
CONFIG = ViewConfig(names=NAMES, strength=1.0, blur={"kernel": 3}, sobel_p=0.3, noise_p=0.6)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def by_name(all_steps):
    """Return the parameters of every step, by its name."""
    found = {}
    for steps in all_steps:
        for step in steps:
            found.setdefault(step.name, []).append(step.parameters)
    return found


def numbers(parameters, key):
    return np.array([one[key] for one in parameters], dtype=float)


@pytest.fixture(scope="module")
def ours():
    return by_name(DeviceViews(CONFIG).draw(COUNT, SIZE, rng()).steps())


@pytest.fixture(scope="module")
def engine():
    operation, chance = CONFIG.operation(), np.random.default_rng(1)
    return by_name([operation.draw(chance, *SIZE) for _ in range(COUNT)])


def test_steps_have_the_engine_s_names_parameters_and_settings(ours, engine):
    assert ours.keys() == engine.keys()
    for name, drawn in ours.items():
        assert drawn[0].keys() == engine[name][0].keys()
        for key, value in drawn[0].items():
            assert type(value) is type(engine[name][0][key]), (name, key)
        for key in {"size", "antialias", "kernel", "fill"} & drawn[0].keys():
            assert {one[key] for one in drawn} == {engine[name][0][key]}


def alike(a, b):
    return len(set(a)) == len(set(b)) == 1 or ks_2samp(a, b).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "key"),
    [
        *[("resized_crop", key) for key in ("top", "left", "height", "width")],
        *[("jitter_pytorch", key) for key in ("brightness", "contrast", "saturation", "shift")],
        ("gaussian_blur", "sigma"),
        *[("noise", key) for key in ("sigma", "seed")],
        ("rotation", "degrees"),
        *[("cutout", key) for key in ("top", "left", "height", "width")],
    ],
)
def test_parameters_are_distributed_as_the_engine_s(ours, engine, name, key):
    a, b = numbers(ours[name], key), numbers(engine[name], key)
    assert alike(a, b)
    spread = max(b.max() - b.min(), 1e-9)
    assert abs(a.min() - b.min()) < 0.05 * spread
    assert abs(a.max() - b.max()) < 0.05 * spread


def test_area_and_ratio_of_the_boxes_are_distributed_as_the_engine_s(ours, engine):
    def boxes(drawn):
        h, w = numbers(drawn["resized_crop"], "height"), numbers(drawn["resized_crop"], "width")
        return h * w, w / h

    for a, b in zip(boxes(ours), boxes(engine), strict=True):
        assert alike(a, b)


def test_another_strength_would_be_noticed(engine):
    other = DeviceViews(ViewConfig(names=("color",), strength=0.85)).draw(COUNT, SIZE, rng())
    drawn = by_name(other.steps())["jitter_pytorch"]
    assert not alike(numbers(drawn, "contrast"), numbers(engine["jitter_pytorch"], "contrast"))


def test_views_are_chosen_with_their_probability(ours):
    wanted = {"horizontal_flip": 0.5, "jitter_pytorch": 0.8, "grey": 0.2, "gaussian_blur": 0.5}
    wanted |= {"noise": 0.6, "sobel": 0.3}
    for name, p in wanted.items():
        assert abs(len(ours[name]) / COUNT - p) < 4 * (p * (1 - p) / COUNT) ** 0.5, name
    for name in ("resized_crop", "rotation", "cutout"):
        assert len(ours[name]) == COUNT


def test_every_order_of_colours_is_equally_likely(ours):
    counts = Counter(one["order"] for one in ours["jitter_pytorch"])
    assert set(counts) == set(itertools.permutations(ORDER))
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_parameters_of_one_image_are_drawn_apart():
    """Neither from image to image, nor from view to view, nor within a view does one number tell another."""
    shares = {share.name: share for share in DeviceViews(CONFIG).draw(COUNT, SIZE, rng()).shares}
    color, turned = shares["color"], shares["rotation"].values["degrees"]
    columns = [color.values[name] for name in ("brightness", "contrast", "saturation", "shift")]
    columns += [turned[color.rows], turned[color.rows - 1]]
    off = np.abs(np.corrcoef(torch.stack(columns).numpy()) - np.eye(6))
    assert off.max() < 4 / len(color.rows) ** 0.5


def test_a_box_that_never_fits_becomes_the_whole_image():
    config = ViewConfig(names=("crop",), crop={"area": (1.0, 1.0), "ratio": (2.0, 2.0)})
    (share,) = DeviceViews(config).draw(5, (9, 6), rng()).shares
    boxes = torch.stack([share.values[key] for key in ("top", "left", "height", "width")])
    assert boxes.T.tolist() == [[0, 0, 9, 6]] * 5


@pytest.mark.parametrize(
    ("names", "options", "key", "places"),
    [
        (("crop",), {"crop": {"area": (0.25, 0.25), "ratio": (1.0, 1.0)}}, "top", range(3)),
        (("crop",), {"crop": {"area": (0.25, 0.25), "ratio": (1.0, 1.0)}}, "left", range(4)),
        (("cutout",), {}, "top", range(-1, 3)),
        (("cutout",), {}, "left", range(-1, 5)),
        (("rotation",), {"rotation": {"angles": (90.0, 180.0, 270.0)}}, "degrees", (90, 180, 270)),
    ],
)
def test_every_place_and_angle_is_equally_likely(names, options, key, places):
    (share,) = DeviceViews(ViewConfig(names=names, **options)).draw(COUNT, (4, 6), rng()).shares
    counts = Counter(share.values[key].tolist())
    assert set(counts) == set(places)
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_boxes_lie_within_the_smallest_images():
    for size in ((1, 1), (1, 7), (3, 2), (8, 8)):
        (share,) = DeviceViews(ViewConfig(names=("crop",))).draw(500, size, rng()).shares
        for start, side, full in (("top", "height", size[0]), ("left", "width", size[1])):
            assert share.values[start].min() >= 0
            assert share.values[side].min() >= 1
            assert (share.values[start] + share.values[side]).max() <= full


def test_a_generator_decides_everything_and_nothing_else_does():
    views, images = DeviceViews(ViewConfig(names=NAMES)), torch.rand(6, 3, 12, 12, generator=rng(9))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    one = views(images, rng(3))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(one, views(images, rng(3)))
    assert not torch.equal(one, views(images, rng(4)))
    twice = rng(3)
    views(images, twice)
    assert not torch.equal(one, views(images, twice))  # a second view differs from the first


def test_every_image_has_its_own_view():
    same = torch.rand(1, 3, 16, 16, generator=rng(9)).expand(12, -1, -1, -1)
    views = DeviceViews(ViewConfig())(same, rng()).flatten(1)
    assert (torch.cdist(views, views) + torch.eye(12)).min() > 0.1


def test_strength_zero_leaves_the_colours_and_more_changes_more():
    images = torch.rand(64, 3, 16, 16, generator=rng(9))
    change = []
    for strength in (0.0, 0.25, 0.5, 1.0):
        views = DeviceViews(ViewConfig(names=("color",), strength=strength))
        change.append(float((views(images, rng()) - images).square().mean()))
    assert change[0] < 1e-12
    assert change == sorted(change)
    assert change[1] > 1e-4


def test_no_views_are_the_images_themselves():
    images = torch.rand(2, 3, 8, 8, generator=rng())
    assert torch.equal(DeviceViews(ViewConfig(names=()))(images, rng()), images)


def test_a_config_survives_json():
    config = ViewConfig(names=NAMES, strength=0.7, crop={"area": (0.2, 1.0), "size": (8, 8)}, blur_p=0.1)
    assert ViewConfig(**json.loads(json.dumps(asdict(config)))) == config
    assert config.crop.area == (0.2, 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ("crop", "colour")}, "names must be some of crop, .*got 'colour'"),
        ({"names": ("crop", "flip", "crop")}, "at most once, got 'crop' twice"),
        ({"names": "crop"}, "names must be a tuple"),
        ({"strength": 2.6}, "strength: "),
        ({"strength": -0.1}, "strength: "),
        ({"strength": float("nan")}, "strength: "),
        ({"blur_p": 1.1}, r"blur_p must be a probability in \[0, 1\], got 1.1"),
        ({"color_p": float("nan")}, "color_p must be a probability"),
        ({"color_p": "often"}, "color_p must be a probability"),
        ({"crop": {"scale": (0.1, 1)}}, "crop has no setting 'scale'; it has: size, area, ratio, antialias"),
        ({"crop": {"area": (0.5, 0.1)}}, r"crop: area must be \(least, most\)"),
        ({"crop": 0.5}, "crop must be a RandomResizedCrop or a mapping"),
        ({"rotation": {"most": 270}}, "rotation: most must lie in"),
    ],
)
def test_settings_that_make_no_sense_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ViewConfig(**options)


def test_draws_that_cannot_be_are_named():
    views = DeviceViews(ViewConfig(names=SIMCLR))
    with pytest.raises(ValueError, match="generator must be on the CPU"):
        views.draw(2, (8, 8), SimpleNamespace(device=torch.device("cuda")))
    with pytest.raises(ValueError, match="count and size must be >= 1"):
        views.draw(0, (8, 8), rng())
    with pytest.raises(ValueError, match="kernel must be at most 15 for images of 8 x 9, got 17"):
        DeviceViews(ViewConfig(blur={"kernel": 17})).draw(2, (8, 9), rng())
