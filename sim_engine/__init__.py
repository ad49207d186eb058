"""Contrastive self-supervised learning in NumPy alone: losses with their gradients, measures, microsims.

Submodules are imported when they are first used, because every import delays the first picture in
a reader's browser: `import sim_engine; sim_engine.floors.equal(256)` works and loads `floors` alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from sim_engine import (
        augment,
        bridge,
        data,
        encoders,
        floors,
        losses,
        metrics,
        microsim,
        optim,
        projection,
        similarity,
        sphere,
        train,
        tsne,
    )

__version__ = "0.1.0"
__all__ = [
    "augment",
    "bridge",
    "data",
    "encoders",
    "floors",
    "losses",
    "metrics",
    "microsim",
    "optim",
    "projection",
    "similarity",
    "sphere",
    "train",
    "tsne",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"sim_engine has no module {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
