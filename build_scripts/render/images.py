"""Images of frames as PNG files named by their content."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sim_engine.microsim import Frame

__all__ = ["Images", "png"]


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return `pixels`, (H, W, 3), as a PNG; the same pixels give the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


class Images:
    """The pictures of all frames of a sim, each kept once, by the frame's own hash."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def add(self, frame: Frame, wire: dict[str, Any]) -> None:
        """Keep the pictures of `frame`, whose JSON form is `wire`."""
        for name, entry in wire["images"].items():
            if entry["sha"] not in self.files:
                self.files[entry["sha"]] = png(np.asarray(frame.images[name]))

    def index(self) -> dict[str, str]:
        """Return hash to address, as in the spec."""
        return {sha: f"images/{sha}.png" for sha in sorted(self.files)}
