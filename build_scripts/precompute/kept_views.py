"""Views that trainings have in common are made once: a table's cells may differ in their loss alone."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

import torch
from torch import Tensor

from build_scripts.precompute.job_views import Views

__all__ = ["LIMIT", "KeptViews", "forget"]

# Bytes of views that a process keeps.
LIMIT = 2**29

# A generator's state and the images' shape, to the views and the state after them.
_Made = dict[tuple[bytes, torch.Size], tuple[Tensor, Tensor]]


@dataclass
class _Store:
    """What has been made, by what decides it; the least recently used goes first."""

    made: OrderedDict[str, _Made] = field(default_factory=OrderedDict)
    held: int = 0  # bytes
    lock: Lock = field(default_factory=Lock)

    def find(self, of: str, key: tuple[bytes, torch.Size]) -> tuple[Tensor, Tensor] | None:
        with self.lock:
            own = self.made.get(of)
            if own is None:
                return None
            self.made.move_to_end(of)
            return own.get(key)

    def add(self, of: str, key: tuple[bytes, torch.Size], views: Tensor, after: Tensor) -> None:
        size = _size(views, after)
        with self.lock:
            own = self.made.setdefault(of, {})
            self.made.move_to_end(of)
            while self.held + size > LIMIT and next(iter(self.made)) != of:
                _, old = self.made.popitem(last=False)
                self.held -= sum(_size(*pair) for pair in old.values())
            if self.held + size <= LIMIT and key not in own:
                own[key] = (views, after)
                self.held += size


_store = _Store()


class KeptViews:
    """Views as another object makes them, to the last bit; those made before are given again.

    They are found by the state of the generator, which is left as if they had been drawn, so a training
    cannot tell. Beyond `LIMIT` bytes the oldest of other trainings are forgotten, and then no more are kept.

    Attributes:
        views: makes what is not kept.
        of: everything that decides the views but the generator: the images and the order they come in, the
            operations, their strength. Two objects of one text must be given the same images.
    """

    def __init__(self, views: Views, of: str) -> None:
        self.views, self.of = views, of

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return views of images (n, C, H, W); not to be written to."""
        key = (generator.get_state().numpy().tobytes(), images.shape)
        if found := _store.find(self.of, key):
            generator.set_state(found[1])
            return found[0]
        made = self.views(images, generator)
        _store.add(self.of, key, made, generator.get_state())
        return made


def forget() -> None:
    """Forget all views."""
    with _store.lock:
        _store.made.clear()
        _store.held = 0


def _size(views: Tensor, after: Tensor) -> int:
    # The key holds the state before, as long as the one after.
    return views.nbytes + 2 * after.nbytes
