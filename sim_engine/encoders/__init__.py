"""Encoders: layers forward and backward, as pure functions over nested dicts of parameters."""

from __future__ import annotations

from sim_engine.encoders._layer import Backward, Forward, Layer, he_normal
from sim_engine.encoders.batch_norm import BatchNorm
from sim_engine.encoders.conv import Conv
from sim_engine.encoders.conv_net import conv_net
from sim_engine.encoders.linear import Linear
from sim_engine.encoders.mlp import mlp
from sim_engine.encoders.pool import MaxPool, MeanPool
from sim_engine.encoders.relu import Relu
from sim_engine.encoders.sequential import Sequential

__all__ = [
    "Backward",
    "BatchNorm",
    "Conv",
    "Forward",
    "Layer",
    "Linear",
    "MaxPool",
    "MeanPool",
    "Relu",
    "Sequential",
    "conv_net",
    "he_normal",
    "mlp",
]
