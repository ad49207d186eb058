"""Renders sims in a process of its own, so that an edited engine is the one that runs.

Reads `{"folder", "out", "html", "css"}` objects, one a line; answers one line each:
`{"seconds": …}` or `{"error": …}`. What is not ours is imported at once, what is ours when the
first request comes: see `spare.py`.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import time
import traceback
from itertools import chain
from pathlib import Path
from typing import Any

LIBRARIES = ("altair", "fontTools.subset", "jinja2", "numpy", "PIL.Image", "vl_convert")


def main() -> None:
    """Serve requests until stdin ends."""
    answers = sys.stdout
    # What a sim prints is for its author's eyes, not for the protocol.
    sys.stdout = sys.stderr
    for name in LIBRARIES:
        importlib.import_module(name)
    lines = iter(sys.stdin)
    first = next(lines, None)
    if first is None:
        return
    for line in chain((first,), lines):
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
    from build_scripts.render.painter import forget_old

    forget_old()


def answer(request: dict[str, str]) -> dict[str, Any]:
    """Render one sim aside, then rename it into place."""
    from build_scripts.render.errors import RenderError
    from build_scripts.render.one import render_one
    from build_scripts.render.page import Template

    out = Path(request["out"])
    # Two builds may run at once (a server and a test).
    aside = out.with_name(f"{out.name}.{os.getpid()}.part")
    start = time.perf_counter()
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        render_one(Path(request["folder"]), aside, Template(Path(request["html"]), Path(request["css"])))
    except RenderError as error:
        return {"error": str(error)}
    except Exception:
        return {"error": f"{request['folder']}: the renderer itself failed\n\n{traceback.format_exc()}"}
    try:
        aside.rename(out)
    except OSError:
        # Another build of the same inputs came first; its output is the same.
        if not out.is_dir():
            raise
        shutil.rmtree(aside)
    return {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # who ends `make serve` ends the one that waits too, and wants no trace of it
        sys.exit(130)
