"""No label reaches the training: by its signature, by what it imports, and by what it computes."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

from build_scripts.precompute import digits, simclr
from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.evaluate import Probe, as_tensor
from build_scripts.precompute.recipe import fabric_for

CONFIG = SimclrConfig(epochs=2, width=4, batch=40, held_out=120, few_label_draws=1, view_draws=1)


def imported(module):
    tree = ast.parse(Path(inspect.getfile(module)).read_text())
    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return froms | {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}


def test_the_training_module_cannot_see_the_dataset():
    assert not [
        name for name in imported(simclr) if "digits" in name or "evaluate" in name or "sklearn" in name
    ]
    arguments = list(inspect.signature(simclr.fit).parameters)
    assert arguments == ["images", "training", "config", "fabric", "on_step"]


@pytest.fixture(scope="module")
def record():
    """`record(relabel)` trains on the same images, with the labels of both parts passed through relabel."""
    fabric = fabric_for("cpu")
    train, held_out = digits.split(digits.load(), CONFIG.held_out, CONFIG.seed_split)

    def run(relabel):
        parts = [digits.Digits(part.images, relabel(part.labels)) for part in (train, held_out)]
        probe = Probe(*parts, CONFIG, fabric.device)
        training = simclr.Training.start(3, CONFIG, fabric)
        images = as_tensor(train.images, fabric.device)
        return [probe.measure(epoch) for epoch in simclr.fit(images, training, CONFIG, fabric)]

    return run


def test_shuffled_labels_change_the_evaluation_alone(record):
    true = record(lambda labels: labels)
    shuffled = record(lambda labels: np.random.default_rng(0).permutation(labels))
    label_free = ("z", "loss_train", "loss", "top1", "top5", "alignment", "uniformity", "negatives_hist")
    for one, other in zip(true, shuffled, strict=True):
        for name in label_free:
            assert torch.equal(one[name], other[name]), name
    assert true[-1]["knn_h"] > 0.7
    assert shuffled[-1]["knn_h"] < 0.25
    assert shuffled[-1]["few_label_h"] < 0.25


def test_measuring_leaves_the_training_as_it_was(record):
    """Epochs that are measured and epochs that are not lead to the same weights."""
    fabric = fabric_for("cpu")
    train, _ = digits.split(digits.load(), CONFIG.held_out, CONFIG.seed_split)
    training = simclr.Training.start(3, CONFIG, fabric)
    images = as_tensor(train.images, fabric.device)
    unmeasured = [epoch.loss for epoch in simclr.fit(images, training, CONFIG, fabric)]
    assert unmeasured == [float(r["loss_train"]) for r in record(lambda labels: labels)]
