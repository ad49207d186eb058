"""Runs in the browser's Python: import every module of a list, and print which could not be.

inside_imports.py MODULES.json       prints {module: last line of the error}
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import warnings
from pathlib import Path


def main() -> None:
    failed: dict[str, str] = {}
    warnings.simplefilter("ignore")
    for name in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                importlib.import_module(name)
        except BaseException as error:  # SystemExit too: a module that ends the program is no module
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    sys.stdout.write(json.dumps(failed) + "\n")


if __name__ == "__main__":
    main()
