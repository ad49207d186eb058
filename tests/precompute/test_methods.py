"""Every method learns by its own loss, keeps its state in what a checkpoint keeps, and names bad input."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from build_scripts.precompute import methods, models
from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.slow_copy import rising
from build_scripts.precompute.training import seeded
from sim_engine import losses as engine

# More threads on a busy machine wait for each other.
torch.set_num_threads(1)

OPTIONS = {"supervised": {"classes": 3}, "moco": {"queue": 12}}


class Flat(nn.Module):
    """An encoder without batch norm, so that rows do not depend on each other."""

    def __init__(self, features=6):
        super().__init__()
        self.features = features
        self.map = nn.Linear(16, features)

    def forward(self, images):
        return self.map(images.flatten(1)).relu()


def make(name, *, encoder=None, seed=0, **options):
    with seeded(seed):
        encoder = Flat() if encoder is None else encoder
        return methods.build(name, encoder=encoder, d=4, hidden=5, **(OPTIONS.get(name, {}) | options))


def batch(n=8, seed=0):
    rng = torch.Generator().manual_seed(seed)
    a = torch.rand(n, 1, 4, 4, generator=rng)
    b = (a + 0.1 * torch.rand(n, 1, 4, 4, generator=rng)).clamp(0, 1)
    return a, b, torch.arange(n) % 3


@pytest.mark.parametrize("name", methods.NAMES)
def test_a_few_steps_lower_the_loss(name):
    method = make(name)
    a, b, labels = batch()
    trained = [w for w in method.parameters() if w.requires_grad]
    assert bool(trained) == method.trains == (name != "random")
    if name == "moco":  # the queue's fresh keys are harder than its random ones
        method.after_step = lambda step, steps: method.slow.follow(method.encoder, method.head, 0.9)
    values = []
    optimizer = torch.optim.Adam(trained, 1e-2) if trained else None
    for step in range(30):
        value = method(a, b, labels if method.needs_labels else None)
        assert value.ndim == 0
        values.append(value.item())
        if optimizer:
            optimizer.zero_grad()
            value.backward()
            assert all(w.grad is not None for w in trained)
            optimizer.step()
            method.after_step(step, 30)
    assert values[-1] < values[0] if trained else values[-1] == values[0]


@pytest.mark.parametrize("name", methods.NAMES)
@pytest.mark.parametrize("encoder", ["mlp", "conv"])
def test_embed_gives_h_and_unit_z_and_leaves_all_as_it_was(name, encoder):
    with seeded(0):
        method = make(name, encoder=models.build(encoder, channels=1, size=4, width=4))
    a, b, labels = batch()
    method(a, b, labels if method.needs_labels else None)
    before = copy.deepcopy(method.state_dict())
    h, z = method.embed(a)
    assert method.training
    assert not h.requires_grad
    assert not z.requires_grad
    assert h.shape == (8, method.encoder.features)
    assert z.shape == (8, 4)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(8))
    # Each image stands alone.
    torch.testing.assert_close(method.embed(a[:1])[0], h[:1])
    assert all(torch.equal(before[key], value) for key, value in method.state_dict().items())


def test_the_loss_of_a_method_is_that_of_its_embeddings():
    a, b, labels = batch()
    unlike = {}
    for name in ("simclr", "random", "supcon", "barlow_twins", "vicreg"):
        method = make(name).eval()
        z_a, z_b = method.project(a, b)
        wanted = {
            "supcon": lambda x, y: losses.sup_con(torch.cat([x, y]), labels.repeat(2), 0.1),
            "barlow_twins": losses.barlow_twins,
            # The authors' code: mean over all entries, mean of the two views' hinges.
            "vicreg": lambda x, y: losses.vicreg(x, y, invariance=25 / 4, variance=12.5),
        }.get(name, lambda x, y: losses.nt_xent(x, y, 0.5))(z_a, z_b)
        found = method(a, b, labels if method.needs_labels else None)
        torch.testing.assert_close(found, wanted)
        unlike[name] = found.item()
    assert unlike["simclr"] == unlike["random"], "random is where simclr starts"


def test_supervised_is_cross_entropy_of_both_views():
    method = make("supervised", head="none", encoder=Flat(4)).eval()
    a, b, labels = batch()
    logits = method.classifier(method.encoder(torch.cat([a, b])))
    torch.testing.assert_close(method(a, b, labels), functional.cross_entropy(logits, labels.repeat(2)))


@pytest.mark.parametrize("n", [3, 5, 12, 20])
def test_moco_queue_is_the_engine_s(n):
    method = make("moco")
    queue = engine.Queue(method.queue.double().numpy())
    for i in range(4):
        keys = functional.normalize(torch.randn(n, 4, generator=torch.Generator().manual_seed(i)), dim=1)
        method.enqueue(keys)
        queue = queue.enqueue(keys.double().numpy())
        np.testing.assert_allclose(method.queue.numpy(), queue.keys, atol=1e-6)
        assert method.start.item() == queue.start


def test_moco_keys_join_after_the_step_and_only_in_training():
    method = make("moco", momentum=0.5)
    a, b, _ = batch(5)
    first = method.queue.clone()
    old = [w.clone() for w in method.slow.parameters()]
    with torch.no_grad():
        method(a, b)
    method.eval()
    method(a, b)
    method.after_step(0, 10)
    assert torch.equal(method.queue, first), "a loss that is only looked at leaves no keys"
    method.train()
    with torch.no_grad():
        for w in [*method.encoder.parameters(), *method.head.parameters()]:
            w += 1
    method(a, b)
    keys = functional.normalize(method.slow(b), dim=1)
    assert torch.equal(method.queue, first)
    method.after_step(1, 10)
    torch.testing.assert_close(method.queue[:5], keys)
    assert torch.equal(method.queue[5:], first[5:])
    # Half of one came to each weight.
    for slow, was in zip(method.slow.parameters(), old, strict=True):
        torch.testing.assert_close(slow, was + 0.5)
    assert {"queue", "start"} <= set(method.state_dict())


def test_byol_target_follows_at_a_rising_share():
    assert [round(rising(0.9, t, 4), 4) for t in (0, 2, 4)] == [0.9, 0.95, 1.0]
    assert rising(0.0, 3, 4) == 0.0
    method = make("byol", momentum=0.8)
    old = [w.clone() for w in method.slow.parameters()]
    with torch.no_grad():
        for w in [*method.encoder.parameters(), *method.head.parameters()]:
            w += 1
    method.after_step(5, 10)  # half way: 0.9
    for slow, was in zip(method.slow.parameters(), old, strict=True):
        torch.testing.assert_close(slow, was + 0.1)
    assert not any(w.requires_grad for w in method.slow.parameters())
    constant = make("byol", momentum=0.8, rising_momentum=False)
    with torch.no_grad():
        constant.encoder.map.bias += 1
    constant.after_step(9, 10)
    torch.testing.assert_close(
        constant.slow.encoder.map.bias, constant.encoder.map.bias - 0.8, rtol=0, atol=1e-6
    )


def spread(method, images):
    """Mean length of z's deviation from its mean direction: 0 when all are one point."""
    _, z = method.embed(images)
    return (z - z.mean(dim=0)).norm(dim=1).mean().item()


def test_simsiam_collapses_without_its_two_guards():
    a, b, _ = batch(32)
    left = {}
    for guarded in (True, False):
        method = make("simsiam", head="linear", stop_gradient=guarded, predictor=guarded)
        optimizer = torch.optim.Adam(method.parameters(), 1e-2)
        for _ in range(150):
            optimizer.zero_grad()
            value = method(a, b)
            value.backward()
            optimizer.step()
        left[guarded] = spread(method, a), value.item()
    assert left[False][0] < 0.05
    assert left[False][1] < -0.999
    assert left[True][0] > 3 * left[False][0]


def test_clip_has_two_towers_and_a_bounded_scale():
    second = Flat(7)
    method = make("clip", second=second)
    a, b, _ = batch()
    method(a, b).backward()
    assert method.second is second
    assert method.embed_second(b)[0].shape == (8, 7)
    assert method.log_scale.grad.item() != 0
    assert np.isclose(method.log_scale.item(), np.log(1 / 0.07))
    with torch.no_grad():
        method.log_scale.fill_(9.0)
    method.after_step(0, 1)
    assert np.isclose(method.log_scale.item(), np.log(100))
    # The first tower makes nothing of the second view.
    copied = make("clip")
    with torch.no_grad():
        copied.second.map.weight.zero_()
    assert copied.encoder.map.weight.abs().sum() > 0


@pytest.mark.parametrize("name", methods.NAMES)
def test_labels_reach_those_alone_that_need_them(name):
    method = make(name)
    a, b, labels = batch()
    if method.needs_labels:
        with pytest.raises(ValueError, match="needs labels"):
            method(a, b)
    else:
        start = copy.deepcopy(method.state_dict())
        with_labels = method(a, b, labels).item()
        method.load_state_dict(start)
        assert method(a, b).item() == with_labels
    assert method.needs_labels == (name in ("supcon", "supervised"))


@pytest.mark.parametrize(
    ("name", "options", "named"),
    [
        ("simclear", {}, "no method 'simclear'; there are: simclr"),
        ("random", {"queue": 3}, "random takes no option queue; its options are: none"),
        ("moco", {"momentun": 0.9}, "its options are: queue, momentum"),
        ("moco", {"queue": 0}, "queue must be"),
        ("moco", {"momentum": 1.5}, "momentum must lie from 0 to 1"),
        ("byol", {"predictor": 3}, "predictor must be True or False"),
        ("simclr", {"tau": 0}, "tau must be"),
        ("simclr", {"head": "round"}, "head"),
        ("clip", {"tau": 0.001}, "at most 100"),
        ("vicreg", {"variance": -1.0}, "variance must be >= 0"),
        ("barlow_twins", {"lam": -1.0}, "lam must be >= 0"),
        ("supervised", {"classes": 1}, "classes must be"),
        ("simclr", {"encoder": nn.Linear(16, 3)}, "features"),
    ],
)
def test_what_cannot_be_built_is_named(name, options, named):
    with pytest.raises(ValueError, match=named):
        make(name, **options)


def test_a_missing_option_is_named():
    with pytest.raises(ValueError, match="supervised needs the option classes"):
        methods.build("supervised", encoder=Flat(), d=4)


def test_options_are_those_that_build_takes():
    assert methods.options("byol") == ("predictor", "momentum", "rising_momentum", "predictor_hidden")
    assert methods.options("random") == ()
    with pytest.raises(ValueError, match="no method"):
        methods.options("nothing")
