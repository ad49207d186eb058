"""Losses, their gradients and their floors."""

import numpy as np
from recorder import call, rng, views

from sim_engine.similarity import normalize

SHAPES = ((2, 2), (16, 3), (40, 32))
TAUS = (0.02, 0.07, 0.5, 1.0)


def record():
    for count, d in SHAPES:
        z_a, z_b = views(count, d, seed=count)
        for tau in TAUS:
            two_views_at(tau, z_a, z_b)
        call("losses.n_pair", z_a, z_b)
        call("losses.spectral", z_a, z_b)
        call("losses.align_uniform", z_a, z_b, alpha=2.0, t=1.5)
        call("losses.barlow_twins", z_a, z_b)
        call("losses.vicreg", z_a, z_b)
        call("losses.triplet", z_a, z_b, z_a[::-1], 0.3)
        for select in ("nearest", "semi-hard"):
            call("losses.triplet_views", z_a, z_b, 0.3, select=select)
        stop_gradient(z_a, z_b)
        call("losses.clip", z_a, z_b, 1.5)
        moco(z_a, z_b)
        dino(z_a, z_b)
    call("losses.clip_log_scale", 5.0)
    similarities = np.linspace(-1, 1, 9)
    call("losses.negative_weights", similarities, 0.05)
    call("losses.negative_weights", similarities, 0.05, positive=0.9)
    call("losses.logistic_weights", similarities, 0.05)
    call("losses.margin_weights", similarities, 0.6, 0.7)
    call("losses.margin_weights", similarities, 0.1, 2.0, select="semi-hard")
    floors()


def two_views_at(tau, z_a, z_b):
    for name in ("nt_xent", "nt_xent_value", "dcl", "nt_logistic"):
        call(f"losses.{name}", z_a, z_b, tau)
    call("losses.debiased", z_a, z_b, tau, 0.1)
    call("losses.hard_negative", z_a, z_b, tau, 0.1, 1.0)
    call("losses.info_nce", z_a, z_b, rng(3).normal(size=(7, z_a.shape[1])), tau)
    for variant in ("out", "in"):
        call("losses.sup_con", z_a, np.arange(len(z_a)) // 2, tau, variant=variant)


def stop_gradient(z_a, z_b):
    call("losses.byol", z_a, z_b, z_b + 1, z_a - 1)
    call("losses.simsiam", z_a, z_b, z_b + 1, z_a - 1)
    call("losses.normalized_mse", z_a, z_b)
    call("losses.negative_cosine", z_a, z_b)


def moco(q, k):
    queue = call("losses.Queue", normalize(rng(4).normal(size=(50, q.shape[1]))).u, 47)
    queue = call("losses.moco", q, k, queue, 0.07).queue
    call("losses.moco", k, q, queue, 0.07)
    call("losses.momentum_update", {"w": q, "b": q[0]}, {"w": k, "b": k[0]}, 0.9)


def dino(z_a, z_b):
    center = 0.1 * z_a[0]
    call("losses.dino", z_a, z_b, z_b, z_a, center)
    call("losses.dino_cross_entropy", z_a, z_b, center)
    call("losses.update_center", center, np.concatenate([z_a, z_b]))


def floors():
    call("floors.equal", 256)
    call("floors.uniform", 256, 128, 0.5)
    call("floors.best", 256, 0.1)
    call("floors.best", 4, 0.1, 3)
    for n, d in ((4, 3), (256, 128), (256, 3), (41, 2), (9, 1)):
        call("floors.best_bound", n, 0.1, d)
    call("floors.best_uniformity", 64)
    call("floors.best_uniformity_of_points", 10)
    for name in ("clip", "dcl", "info_nce"):
        call(f"floors.{name}.equal", 64)
        call(f"floors.{name}.uniform", 64, 16, 0.5)
        call(f"floors.{name}.best", 64, 0.1)
    call("floors.nt_logistic.equal", 64, 0.5)
    call("floors.nt_logistic.uniform", 64, 16, 0.5)
    call("floors.nt_logistic.best", 64, 0.5)
    call("floors.sup_con.equal", 64)
    call("floors.sup_con.uniform", 64, 16, 0.5, positives=3, variant="in")
    call("floors.sup_con.best", 4, 8, 0.5)
    call("floors.debiased.best", 64, 0.1, 0.1)
    call("floors.triplet.equal", 0.2)
    call("floors.triplet.best", 2.5, 9)
    call("floors.spectral.equal", 0.5)
    call("floors.spectral.best", 16)
    call("floors.barlow_twins.equal", 16)
    call("floors.barlow_twins.uniform", 64, 128)
    call("floors.barlow_twins.best", 64, 128)
    call("floors.vicreg.equal")
