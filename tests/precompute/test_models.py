"""Encoders, heads and predictors: counted by hand, equal to the engine's, refused by name."""

import numpy as np
import pytest
import torch
from torch import nn

from build_scripts.precompute.models import HEADS, NAMES, build, head, predictor
from build_scripts.precompute.models.resnet import BasicBlock, Bottleneck
from sim_engine.encoders import conv_net, mlp

torch.set_num_threads(1)


def count(module):
    return sum(p.numel() for p in module.parameters())


def seeded(make):
    torch.manual_seed(0)
    return make()


def resnet(name, size=32, **options):
    return seeded(lambda: build(name, channels=3, size=size, width=4, **options))


# The stems: 7 · 7 · 3 · 64 weights, and 3 · 3 · 3 · 64. The published totals have a layer of 1000 classes.
STEM, SMALL_STEM = 9408, 1728
PUBLISHED = {
    "resnet18": 11_689_512 - (512 * 1000 + 1000),
    "resnet50": 25_557_032 - (2048 * 1000 + 1000),
}


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("size", [32, 64])
def test_resnets_have_the_published_number_of_parameters(name, size):
    wanted = PUBLISHED[name] - (STEM - SMALL_STEM if size < 64 else 0)
    encoder = build(name, channels=3, size=size)
    assert count(encoder) == wanted
    assert encoder.features == {"resnet18": 512, "resnet50": 2048}[name]


def test_the_small_encoders_parameters_are_counted_by_hand():
    assert count(build("mlp", channels=3, size=8, width=10)) == 192 * 10 + 10 + 10 * 10 + 10
    norms = 2 * (5 + 10 + 20)
    assert count(build("conv", channels=1, size=8, width=5)) == 9 * (5 + 5 * 10 + 10 * 20) + norms


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 32)])
def test_h_has_the_promised_length_and_is_not_negative(name, channels, size):
    encoder = seeded(lambda: build(name, channels=channels, size=size, width=4))
    images = torch.rand(2, channels, size, size)
    h = encoder(images)
    assert h.shape == (2, encoder.features)
    assert encoder.features == {"mlp": 4, "conv": 16, "resnet18": 32, "resnet50": 128}[name]
    assert h.min() >= 0
    assert h.std(dim=0).max() > 1e-3


@pytest.mark.parametrize(("name", "features"), [("mlp", 256), ("conv", 128)])
def test_the_usual_widths(name, features):
    assert build(name, channels=3, size=32).features == features


@pytest.mark.parametrize(
    ("size", "sides"), [(32, [32, 16, 8, 4]), (63, [63, 32, 16, 8]), (64, [16, 8, 4, 2])]
)
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_stem_follows_the_size(name, size, sides):
    encoder, seen = resnet(name, size).eval(), []
    for group in (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4):
        group.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape[2:])))
    with torch.no_grad():
        encoder(torch.rand(1, 3, size, size))
    assert seen == [(side, side) for side in sides]


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_block_starts_as_its_shortcut(name):
    encoder = resnet(name)
    for block in encoder.modules():
        if isinstance(block, BasicBlock | Bottleneck):
            x = torch.randn(2, block.conv1.in_channels, 8, 8)
            shortcut = x if block.downsample is None else block.downsample(x)
            torch.testing.assert_close(block(x), shortcut.relu())
    assert resnet(name, zero_init=False).layer1[0].last_norm.weight.eq(1).all()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_resnet_learns_in_every_layer(name):
    encoder = resnet(name, zero_init=False)
    encoder(torch.rand(4, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())


def test_a_resnet_s_parameters_bear_torchvision_s_names():
    names = set(dict(resnet("resnet50").named_parameters()))
    assert {"conv1.weight", "bn1.bias", "layer1.0.downsample.0.weight", "layer4.2.conv3.weight"} <= names
    basic = set(dict(resnet("resnet18").named_parameters()))
    assert "layer1.0.downsample.0.weight" not in basic  # neither length nor side changes there
    assert "layer2.0.downsample.1.weight" in basic


def blockwise(block, x):
    """The bottleneck of the paper's figure 5, written out."""
    y = nn.functional.conv2d(x, block.conv1.weight)
    y = normed(block.bn1, y).relu()
    y = normed(block.bn2, nn.functional.conv2d(y, block.conv2.weight, stride=2, padding=1)).relu()
    y = normed(block.bn3, nn.functional.conv2d(y, block.conv3.weight))
    convolution, norm = block.downsample
    return (y + normed(norm, nn.functional.conv2d(x, convolution.weight, stride=2))).relu()


def normed(norm, x):
    mean, variance = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), unbiased=False)
    y = (x - mean[:, None, None]) / (variance[:, None, None] + norm.eps) ** 0.5
    return y * norm.weight[:, None, None] + norm.bias[:, None, None]


def test_a_bottleneck_is_the_paper_s():
    torch.manual_seed(0)
    block = Bottleneck(6, 4, 2).double()
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(3, 6, 7, 7, dtype=torch.float64)
    torch.testing.assert_close(block(x), blockwise(block, x))


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
def test_first_weights_have_he_s_variance(mode):
    name = "conv" if mode == "fan_in" else "resnet18"
    encoder = seeded(lambda: build(name, channels=3, size=32, width=32))
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d) and layer.weight.numel() > 4000:
            n = layer.in_channels if mode == "fan_in" else layer.out_channels
            variance = float(layer.weight.detach().var())
            assert variance * n * layer.kernel_size[0] ** 2 == pytest.approx(2, rel=0.1)


def engine_parameters(layers):
    """The torch layers' parameters by the engine's names, a convolution's axes in its order."""
    tree = {}
    for name, layer in layers.named_children():
        own = {key: value.detach().numpy() for key, value in layer.named_parameters()}
        if isinstance(layer, nn.Conv2d):
            own = {"weight": own["weight"].transpose(0, 2, 3, 1)}
        elif isinstance(layer, nn.BatchNorm2d):
            own = {"scale": own["weight"], "shift": own["bias"]}
        if own:
            tree[name] = own
    return tree


def as_rows(images):
    return images.flatten(1).numpy()


def as_pictures(images):
    return images.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize(
    ("name", "network", "form"),
    [
        ("mlp", mlp([192, 4, 4], last_relu=True), as_rows),
        ("conv", conv_net([3, 4, 8, 16]), as_pictures),
    ],
)
def test_the_small_encoders_are_the_engine_s(name, network, form):
    encoder = seeded(lambda: build(name, channels=3, size=8, width=4)).double()
    for norm in encoder.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
    params, state = network.init(np.random.default_rng(0), np.float64)
    ours = engine_parameters(encoder.layers)
    assert {key: {k: v.shape for k, v in own.items()} for key, own in ours.items()} == {
        key: {k: v.shape for k, v in own.items()} for key, own in params.items() if own
    }
    images = torch.rand(5, 3, 8, 8, dtype=torch.float64)
    wanted = network.forward({**params, **ours}, state, form(images)).y
    np.testing.assert_allclose(encoder(images).detach().numpy(), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", HEADS)
def test_heads_are_what_their_formulas_say(kind):
    layers = seeded(lambda: head(kind, 6, 6, 9)).double()
    h = torch.randn(8, 6, dtype=torch.float64)
    wanted = h
    if kind == "linear":
        wanted = h @ layers.weight.T + layers.bias
    if kind.startswith("nonlinear"):
        first, norm, _, last = layers[:4]
        a = h @ first.weight.T
        a = (a - a.mean(dim=0)) / (a.var(dim=0, unbiased=False) + norm.eps).sqrt()
        wanted = a.relu() @ last.weight.T + last.bias
    if kind == "nonlinear-bn":
        wanted = (wanted - wanted.mean(dim=0)) / (wanted.var(dim=0, unbiased=False) + norm.eps).sqrt()
    torch.testing.assert_close(layers(h), wanted)


def test_the_hidden_width_is_that_of_h_unless_said():
    assert head("nonlinear", 6, 2)[0].out_features == 6
    assert count(head("nonlinear", 6, 2, 9)) == 6 * 9 + 2 * 9 + 9 * 2 + 2
    assert count(predictor(6, 3)) == 6 * 3 + 2 * 3 + 3 * 6 + 6


def test_no_row_of_h_becomes_a_zero_row_of_z():
    assert head("linear", 6, 4)(torch.zeros(1, 6)).norm() > 0


def test_first_weights_come_from_the_global_generator():
    makes = [lambda name=name: build(name, channels=1, size=8, width=3) for name in NAMES]
    for make in [*makes, lambda: head("nonlinear", 6, 4), lambda: predictor(4, 2)]:
        one, two = seeded(make), seeded(make)
        other = make()
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
        assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet34", {}, "there is no encoder 'resnet34'; there are: mlp, conv, resnet18, resnet50"),
        ("mlp", {"channels": 2}, "channels must be 1 or 3, got 2"),
        ("resnet18", {"size": 7}, "size must be a whole number >= 8 pixels for resnet18, got 7"),
        ("resnet50", {"size": 32.0}, "size must be a whole number"),
        ("conv", {"size": 3}, "size must be a whole number >= 4 pixels for conv"),
        ("conv", {"size": 10}, "size must be a multiple of 4"),
        ("mlp", {"width": 0}, "width must be a whole number >= 1, or None"),
    ],
)
def test_encoders_that_cannot_be_are_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        build(name, **{"channels": 3, "size": 32, **options})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mlp", 4, 4), "there is no head 'mlp'; there are: none, linear, nonlinear"),
        (("none", 4, 2), "d must be 4, the length of h, where there is no head, got 2"),
        (("linear", 4, 0), "d must be a whole number >= 1, got 0"),
        (("nonlinear", 4, 2, 0), "hidden must be a whole number >= 1, got 0"),
    ],
)
def test_heads_that_cannot_be_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        head(*arguments)


def test_a_predictor_that_cannot_be_is_named():
    with pytest.raises(ValueError, match=r"hidden must be a whole number >= 1, got 2\.5"):
        predictor(4, 2.5)


@pytest.mark.parametrize("name", NAMES)
def test_images_of_other_channels_are_named(name):
    encoder = build(name, channels=3, size=8, width=2)
    with pytest.raises(ValueError, match=r"images must be \(n, 3, H, W\), got \(2, 1, 8, 8\)"):
        encoder(torch.zeros(2, 1, 8, 8))


def test_a_perceptron_names_the_side_it_was_built_for():
    with pytest.raises(ValueError, match="sides of 8 pixels, which the encoder was built for, got 8 x 9"):
        build("mlp", channels=3, size=8)(torch.zeros(2, 3, 8, 9))
