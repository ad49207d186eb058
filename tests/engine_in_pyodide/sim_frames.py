"""Runs in CPython and in the browser's Python: every sim at its defaults and at each control's ends.

sim_frames.py FOLDER       prints {"slug state": readouts and alt} as JSON; FOLDER holds the sims.
"""

import itertools
import json
import sys
from pathlib import Path

from sim_engine.bridge import open_session


def states(sim):
    yield {}
    for name, control in sim.controls.items():
        values = control.values(3)
        for value in dict.fromkeys([values[0], values[-1]]):
            yield {name: value}


def frames(folder):
    found = {}
    for path in sorted(Path(folder).glob("*/sim.py")):
        session = open_session(str(path))
        for state in states(session.sim):
            if session.sim.kind == "process":
                session.start(state)
                made = itertools.islice(iter(session.step, (None, [])), 3)
            else:
                made = [session.frame(state)]
            for index, (meta, buffers) in enumerate(made):
                frame = json.loads(meta)
                sums = [float(abs(buffer.astype(float)).sum()) for buffer in buffers]
                readouts = {name: readout["value"] for name, readout in frame["readouts"].items()}
                found[f"{path.parent.name} {json.dumps(state)} {index}"] = [readouts, frame["alt"], sums]
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(frames(sys.argv[1])) + "\n")
