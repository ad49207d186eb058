"""The datasets behind one interface: `load(name)`; each module of this package registers its own."""

from build_scripts.precompute.datasets import (  # noqa: F401  (they register themselves)
    cifar10,
    digits,
    factors,
    photos,
    stl10,
    tinted,
)
from build_scripts.precompute.datasets.base import ANGLES, Dataset, Split, load, names, rendered_on

__all__ = ["ANGLES", "Dataset", "Split", "load", "names", "rendered_on"]
