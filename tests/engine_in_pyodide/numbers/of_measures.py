"""Measures, projections, similarities, the sphere and t-SNE."""

import itertools

import numpy as np
from recorder import call, keep, rng, views

from sim_engine import tsne


def record():
    for count, d in ((6, 2), (30, 3), (60, 32)):
        z_a, z_b = views(count, d, seed=count)
        without_labels(z_a, z_b)
        with_labels(z_a, np.arange(count) % 3)
        projections(z_a, z_b)
    information()
    sphere()
    embedding()


def without_labels(z_a, z_b):
    normalized = call("similarity.normalize", z_a)
    u_a, u_b = normalized.u, call("similarity.normalize", z_b).u
    call("similarity.normalize_backward", z_b, normalized)
    grad = call("similarity.cosine", z_a, z_b)
    call("similarity.cosine_backward", grad, z_a, z_b)
    for alpha, t in ((2.0, 2.0), (1.0, 0.5)):
        call("metrics.alignment", u_a, u_b, alpha=alpha)
        call("metrics.uniformity", u_a, t=t)
    for k in (1, 2):
        call("metrics.positive_retrieval", u_a, u_b, k)
    call("metrics.effective_rank", z_a)
    call("metrics.mean_vector_length", u_a)


def with_labels(z, labels):
    train, test = slice(None, None, 2), slice(1, None, 2)
    z = z + labels[:, None]
    call("metrics.tolerance", call("similarity.normalize", z).u, labels)
    call("metrics.knn_accuracy", z[train], labels[train], z[test], labels[test], k=3)
    call("metrics.softmax_regression", z, labels, l2=0.5)
    call("metrics.linear_probe", z[train], labels[train], z[test], labels[test])
    call(
        "metrics.few_label_probe",
        z[train], labels[train], z[test], labels[test],
        per_class=1, rng=rng(0), draws=3,
    )  # fmt: skip
    guessed = rng(1).permutation(labels)
    call("metrics.confusion", labels, guessed)
    call("metrics.precision_recall_f1", labels, guessed)


def projections(z_a, z_b):
    call("projection.pca", z_a, 2)
    for reflect in (True, False):
        call("projection.procrustes", z_b, z_a, reflect=reflect)
    turned = np.stack([z_a, z_a[:, ::-1], -z_a])
    call("projection.align_trajectory", turned)


def information():
    x, y = views(40, 2, seed=5)
    scores = call("similarity.cosine", x, y)
    call("metrics.info_nce_bound", scores)
    call("metrics.nwj_bound", scores)
    call("metrics.gaussian_log_ratio", x, y, 0.7)
    call("metrics.gaussian_mutual_information", 0.7, 3)


def sphere():
    s = np.linspace(-1, 1, 21)
    call("sphere.cosine_cdf", s, 7)
    call("sphere.cosine_density", s[1:-1], 7)
    call("sphere.cosine_quantiles", (s[1:-1] + 1) / 2, 7)
    call("sphere.log_mean_exp", 12.0, 64)
    call("sphere.nodes", 5)


def embedding():
    """t-SNE doubles a rounding error every few steps: early ones are compared, and P and KL exactly."""
    x = np.concatenate(views(12, 5, seed=8))
    p = call("tsne.joint_probabilities", x, 5.0)
    call("tsne.kl_divergence", p, rng(9).normal(size=(24, 2)))
    settings = {"perplexity": 5.0, "learning_rate": 20.0}
    call("tsne.tsne_steps", x, rng=rng(0), steps=8, early=4, **settings)
    call("tsne.tsne", x, 3, init=rng(1).normal(size=(24, 3)), steps=5, early=2, **settings)
    keep("tsne.tsne_steps", list(itertools.islice(tsne.tsne_steps(x, rng=rng(2), perplexity=5.0), 4)))
