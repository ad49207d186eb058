"""Runs in CPython and in the browser's Python: every public name of the engine on seeded input.

engine_numbers.py FOLDER    FOLDER holds the calls (`numbers/`). Prints {"numbers": {call: {part: numbers}},
"missing": public names that were neither called nor came back} as JSON.
"""

import json
import math
import sys

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])

import of_losses  # noqa: E402  # found through the line above
import of_measures  # noqa: E402
import of_training  # noqa: E402
import of_views  # noqa: E402
from recorder import KEPT, SEEN, keep, public, views  # noqa: E402

from sim_engine import losses  # noqa: E402

# Names without numbers of their own.
WITHOUT = {
    "augment.Operation": "an interface",
    "encoders.Layer": "an interface",
    "optim.Optimizer": "an interface",
}
# What carries numbers to the page: sim_frames.py compares every sim's, and their own tests run inside.
BY_FRAMES = ("bridge.", "data.", "microsim.")


def main():
    for part in (of_losses, of_measures, of_views, of_training):
        part.record()
    single = (z.astype(np.float32) for z in views(32, 16, seed=9))
    keep("float32", round(losses.nt_xent(*single, 0.05).value, 3))
    numbers = [x for parts in KEPT.values() for part in parts.values() for x in part]
    if not all(math.isfinite(x) for x in numbers if isinstance(x, float)):
        raise ValueError("a number is not finite")
    names = set(public())
    missing = {name for name in names - SEEN - WITHOUT.keys() if not name.startswith(BY_FRAMES)}
    stale = WITHOUT.keys() - names | (WITHOUT.keys() & SEEN)
    found = {"numbers": KEPT, "missing": sorted(missing), "stale": sorted(stale), "count": len(numbers)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
