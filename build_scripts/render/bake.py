"""Bakes the states that a page shows before, or without, Python."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

from build_scripts.render.errors import RenderError
from build_scripts.render.images import Images
from build_scripts.render.source import SimSource, compute
from sim_engine.microsim import Choice, Frame, Microsim, Slider, Timeline, Toggle

__all__ = ["MAX_BYTES", "MAX_STATES", "SIGNIFICANT", "dumps", "pack", "record", "states", "telling"]

Json = dict[str, Any]
SLIDER_VALUES = 17
PROCESS_FRAMES = 60
SIGNIFICANT = 6
MAX_STATES = 400
MAX_BYTES = 1_500_000
TELLING = 12


def states(sim: Microsim) -> Iterator[Json]:
    """Yield the controls of every state to bake, the default first, each once; without `chart` controls."""
    controls = {n: c for n, c in sim.controls.items() if not c.chart}
    default = {n: sim.defaults[n] for n in controls}
    seen: set[str] = set()

    def once(state: Json) -> Iterator[Json]:
        key = json.dumps(state)
        if key not in seen:
            seen.add(key)
            yield state

    yield from once(default)
    if sim.kind == "process":
        return
    for name, control in controls.items():
        if isinstance(control, Slider | Choice | Toggle):
            for value in control.values(SLIDER_VALUES):
                yield from once({**default, name: value})
    crossed = {n: c for n, c in controls.items() if isinstance(c, Timeline | Choice | Toggle)}
    if any(isinstance(c, Timeline) for c in crossed.values()):
        for values in itertools.product(*(c.values(SLIDER_VALUES) for c in crossed.values())):
            yield from once({**default, **dict(zip(crossed, values, strict=True))})


def record(source: SimSource, images: Images) -> list[Json]:
    """Return every state to bake, the default first: `{"controls", "frame"}`, and `"step"` of a process.

    Args:
        images: takes the pictures of all frames.

    Raises:
        RenderError: a state raises, or the states are too many; with the number.
    """
    sim, path = source.sim, source.folder / "sim.py"
    wanted = list(states(sim))
    if len(wanted) > MAX_STATES:
        raise RenderError(
            path,
            f"{len(wanted)} states would be baked, at most {MAX_STATES} are allowed; "
            "let fewer controls cross the timeline, or give one chart=True",
        )
    recorded: list[Json] = []
    for state in wanted:
        for step, frame in enumerate(compute(path, sim, state, PROCESS_FRAMES)):
            _same_shape(source, state, frame)
            wire = frame.to_json(SIGNIFICANT)
            images.add(frame, wire)
            entry: Json = {"controls": _plain(state), "frame": wire}
            recorded.append({**entry, "step": step} if sim.kind == "process" else entry)
    return recorded


def telling(sim: Microsim, recorded: list[Json]) -> list[Json]:
    """Return at most `TELLING` frames from all over the controls: the default, ends, and every choice."""
    extremes = []
    for index, entry in enumerate(recorded):
        ends = all(
            not isinstance(c := sim.controls[n], Slider | Timeline) or v in (c.min, c.max, sim.defaults[n])
            for n, v in entry["controls"].items()
        )
        if ends and entry.get("step", 0) in (0, len(recorded) // 2, len(recorded) - 1):
            extremes.append(index)
    every = max(1, math.ceil(len(extremes) / TELLING))
    return [recorded[i]["frame"] for i in sorted({0, *extremes[::every]})]


def pack(source: SimSource, recorded: list[Json], images: Images) -> bytes | None:
    """Return the content of `baked.json`, or None where the default frame is all there is.

    Raises:
        RenderError: the states are too big; with the numbers.
    """
    if len(recorded) < 2:
        return None
    columns: dict[str, int] = {}
    shared = [{**entry, "frame": _share(entry["frame"], columns)} for entry in recorded]
    content = dumps({"columns": [json.loads(c) for c in columns], "states": shared})
    size = len(content) + sum(map(len, images.files.values()))
    if size > MAX_BYTES:
        raise RenderError(
            source.folder / "sim.py",
            f"{len(recorded)} baked states take {size:,} bytes with their images, at most {MAX_BYTES:,} fit; "
            "put fewer rows in the tables, or move what never changes into columns that stay equal",
        )
    return content


def dumps(value: Any) -> bytes:
    """Return compact JSON as UTF-8 bytes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _share(wire: Json, columns: dict[str, int]) -> Json:
    """Put every column into the common list, and its number in the frame."""

    def place(column: list[Any]) -> Json:
        return {"$": columns.setdefault(json.dumps(column), len(columns))}

    tables = {
        name: {c: place(values) for c, values in table.items()} for name, table in wire["tables"].items()
    }
    return {**wire, "tables": tables}


def _same_shape(source: SimSource, state: Json, frame: Frame) -> None:
    """Every state must have the tables, columns, readouts and images of the default one."""
    for what in ("tables", "readouts", "images"):
        wanted, got = set(getattr(source.frame, what)), set(getattr(frame, what))
        if wanted != got:
            raise RenderError(
                source.folder / "sim.py",
                f"{what} must have the same names in every state, got {', '.join(sorted(wanted)) or 'none'} "
                f"at the defaults and {', '.join(sorted(got)) or 'none'} at {state}",
            )
    for name, table in source.frame.tables.items():
        if set(table) != set(frame.tables[name]):
            raise RenderError(
                source.folder / "sim.py",
                f"table {name} must have the same columns in every state, got {', '.join(table)} "
                f"at the defaults and {', '.join(frame.tables[name])} at {state}",
            )


def _plain(state: Json) -> Json:
    return {n: list(v) if isinstance(v, tuple) else v for n, v in state.items()}
