"""The Python that renders sims, and while serving one more that has read its libraries and waits.

Reading Altair and NumPy takes as long as rendering a sim. A waiting renderer has read these and
nothing of ours, so the engine that it will run is the one on disk when it is asked.
"""

from __future__ import annotations

import os
import subprocess
import sys

from build_scripts.look.faces import ROOT

__all__ = ["keep_one", "renderer"]

_waiting: list[subprocess.Popen[str]] = []


def keep_one() -> None:
    """Start a renderer for later, unless one waits. It ends when this process does."""
    if not _waiting:
        _waiting.append(_start())


def renderer() -> subprocess.Popen[str]:
    """Return a renderer that nobody else has: the one that waits, or a new one."""
    while _waiting:
        waiting = _waiting.pop()
        if waiting.poll() is None:
            return waiting
    return _start()


def _start() -> subprocess.Popen[str]:
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    return subprocess.Popen(
        [sys.executable, "-m", "build_scripts.render.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path},
    )
