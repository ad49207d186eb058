"""Views: an image or a graph changed at random, with the parameters that were drawn.

Every operation is a deterministic function (`hue(image, shift)`) and a draw (`RandomHue(most)`) of
its parameters; `compose` chains draws, `view` makes a view, `replay` makes it again from its steps.
"""

from __future__ import annotations

from sim_engine.augment._step import Fixed, Operation, Step
from sim_engine.augment.additive import brightness_added, contrast_by_channel, saturation_hsv
from sim_engine.augment.blur import RandomGaussianBlur, gaussian_blur, kernel_size
from sim_engine.augment.colour import (
    RandomBrightness,
    RandomContrast,
    RandomGrey,
    RandomSaturation,
    brightness,
    contrast,
    grey,
    saturation,
)
from sim_engine.augment.compose import Compose, compose
from sim_engine.augment.crop import RandomResizedCrop, resized_crop
from sim_engine.augment.cutout import RandomCutout, cutout
from sim_engine.augment.flip import RandomHorizontalFlip, horizontal_flip
from sim_engine.augment.graph import GraphView, edge_drop, feature_mask, node_drop
from sim_engine.augment.graph_draws import RandomEdgeDrop, RandomFeatureMask, RandomNodeDrop, graph_view
from sim_engine.augment.hue import RandomHue, hue
from sim_engine.augment.jitter import RandomColourJitter, jitter_pytorch, jitter_tensorflow
from sim_engine.augment.noise import RandomNoise, noise
from sim_engine.augment.rotation import RandomRotation, rotation
from sim_engine.augment.simclr import colour_distortion, simclr
from sim_engine.augment.sobel import sobel
from sim_engine.augment.training import TrainingViews
from sim_engine.augment.views import View, Views, replay, replay_each, view, views

__all__ = [
    "Compose",
    "Fixed",
    "GraphView",
    "Operation",
    "RandomBrightness",
    "RandomColourJitter",
    "RandomContrast",
    "RandomCutout",
    "RandomEdgeDrop",
    "RandomFeatureMask",
    "RandomGaussianBlur",
    "RandomGrey",
    "RandomHorizontalFlip",
    "RandomHue",
    "RandomNodeDrop",
    "RandomNoise",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSaturation",
    "Step",
    "TrainingViews",
    "View",
    "Views",
    "brightness",
    "brightness_added",
    "colour_distortion",
    "compose",
    "contrast",
    "contrast_by_channel",
    "cutout",
    "edge_drop",
    "feature_mask",
    "gaussian_blur",
    "graph_view",
    "grey",
    "horizontal_flip",
    "hue",
    "jitter_pytorch",
    "jitter_tensorflow",
    "kernel_size",
    "node_drop",
    "noise",
    "replay",
    "replay_each",
    "resized_crop",
    "rotation",
    "saturation",
    "saturation_hsv",
    "simclr",
    "sobel",
    "view",
    "views",
]
