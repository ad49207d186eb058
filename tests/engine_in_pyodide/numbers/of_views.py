"""Views of images and of graphs: each operation with given parameters, then as drawn."""

import numpy as np
from recorder import call, keep, rng

ONE = {
    "brightness": {"factor": 1.3},
    "brightness_added": {"delta": 0.2},
    "contrast": {"factor": 0.6},
    "contrast_by_channel": {"factor": 1.4},
    "saturation": {"factor": 0.3},
    "saturation_hsv": {"factor": 1.5},
    "hue": {"shift": 0.13},
    "grey": {},
    "horizontal_flip": {},
    "sobel": {},
    "cutout": {"top": 2, "left": 3, "height": 4, "width": 5},
    "gaussian_blur": {"sigma": 1.1, "kernel": 5},
    "noise": {"sigma": 0.1, "seed": 3},
    "resized_crop": {"top": 1, "left": 2, "height": 7, "width": 6, "size": (9, 11)},
    "rotation": {"degrees": 17.0},
    "jitter_pytorch": {"brightness": 1.2, "contrast": 0.7, "saturation": 1.3, "shift": -0.1},
    "jitter_tensorflow": {"delta": 0.1, "contrast": 0.7, "saturation": 1.3, "shift": -0.1},
}
RANDOM = {
    "RandomBrightness": {},
    "RandomColourJitter": {"listing": "pytorch"},
    "RandomContrast": {},
    "RandomCutout": {},
    "RandomGaussianBlur": {"kernel": 3},
    "RandomGrey": {"p": 0.5},
    "RandomHorizontalFlip": {},
    "RandomHue": {},
    "RandomNoise": {},
    "RandomResizedCrop": {"size": (8, 8)},
    "RandomRotation": {},
    "RandomSaturation": {},
}


def record():
    levels = rng(0).integers(0, 256, (3, 12, 10, 3), dtype=np.uint8)
    for images in (levels, levels / 255.0):
        for name, parameters in ONE.items():
            call(f"augment.{name}", images[0], **parameters)
            call(f"augment.{name}", images, **parameters)
        drawn(images)
    graphs()


def drawn(images):
    operations = [call(f"augment.{name}", **settings) for name, settings in RANDOM.items()]
    operations.append(call("augment.compose", *operations[:3], (operations[5], 0.5)))
    operations.append(call("augment.Compose", ((operations[0], 1.0), (operations[6], 0.3))))
    operations.append(call("augment.colour_distortion", 0.5))
    operations.append(call("augment.simclr", size=(8, 8)))
    operations.append(call("augment.Fixed", "hue", {"shift": 0.2}))
    for operation in operations:
        view = call("augment.view", images[0], operation, rng(1))
        call("augment.replay", images[0], view.steps)
        several = call("augment.views", images, operation, rng(2))
        call("augment.replay_each", images, several.steps)
    call("augment.replay", images[0], [call("augment.Step", "grey")])
    call("augment.kernel_size", 96)
    training = call("augment.TrainingViews", operations[-2])
    keep("training", training(images, rng(1)))


def graphs():
    edges = [[0, 1], [1, 0], [1, 2], [2, 1], [2, 3], [3, 4], [4, 0]]
    features = rng(3).normal(size=(5, 4))
    call("augment.edge_drop", edges, features, [0, 1])
    call("augment.feature_mask", edges, features, [2])
    call("augment.node_drop", edges, features, [3])
    operations = [
        call("augment.RandomEdgeDrop", 0.4),
        call("augment.RandomFeatureMask", 0.5),
        call("augment.RandomNodeDrop", 0.3),
    ]
    call("augment.graph_view", edges, features, operations, rng(4))
