"""Hosts one microsim for the player: import it, ask it for frames, bring the arrays out.

The same code runs under CPython (tests, the author's tools) and in the browser's worker.
"""

from __future__ import annotations

import json
import linecache
import sys
import traceback
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_engine._frame import Frame
from sim_engine.microsim import Microsim

__all__ = ["BridgeError", "Session", "load_microsim", "open_session"]

# What a sim may raise without ending the worker; `sys.exit()` in a reader's edit is among it.
RAISED = (Exception, SystemExit)


class BridgeError(Exception):
    """A sim's Python raised.

    Attributes:
        message: the trace's closing line, type and first line of the message, for the reader.
        trace: the whole trace, from the sim's own file on.

    Examples:
        >>> try:
        ...     1 / 0
        ... except ZeroDivisionError as error:
        ...     print(BridgeError.of(error, "broken/sim.py").message)
        ZeroDivisionError: division by zero
    """

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.message = message
        self.trace = trace

    @classmethod
    def of(cls, error: BaseException, path: str) -> BridgeError:
        """Wrap `error`, leaving out the frames above the sim's own file."""
        stack = traceback.extract_tb(error.__traceback__)
        own = [i for i, entry in enumerate(stack) if entry.filename == path]
        shown = stack[own[0] :] if own else stack
        last = "".join(traceback.format_exception_only(error)).strip()
        lines = ["Traceback (most recent call last):\n", *traceback.format_list(shown), last]
        # A syntax error has its place above this line, others have further lines of message below.
        kind = type(error).__name__
        closing = (s for s in last.splitlines() if s.split(":")[0].split(".")[-1] == kind)
        return cls(next(closing, last), "".join(lines))


def load_microsim(path: str | Path, source: str | None = None) -> Microsim:
    """Execute `sim.py` at `path` and return the one `Microsim` that it defines.

    Args:
        path: the file; also the `__file__` that `sim_engine.data.load` starts from.
        source: text to run in the file's place (what a reader edited); None reads the file.

    Returns:
        The sim.

    Raises:
        ValueError: the file defines no microsim, or several.
        Exception: whatever the file itself raises.

    Examples:
        >>> source = '''
        ... from typing import Annotated
        ... from sim_engine.microsim import Frame, Slider, microsim
        ... @microsim
        ... def twice(x: Annotated[float, Slider(0, 1, label="x")] = 0.5) -> Frame:
        ...     return Frame(readouts={"y": 2 * x}, alt=f"y is {2 * x}.")
        ... '''
        >>> load_microsim("twice/sim.py", source)
        <microsim twice(x)>
    """
    text = Path(path).read_text(encoding="utf-8") if source is None else source
    name = "_microsim_" + Path(path).parent.name.replace("-", "_")
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their module up
    # A trace shows the lines that ran, which need not be those of the file.
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    # Without dont_inherit the sim would get this file's `from __future__` as well.
    exec(compile(text, str(path), "exec", dont_inherit=True), module.__dict__)
    found = list({id(v): v for v in vars(module).values() if isinstance(v, Microsim)}.values())
    if len(found) != 1:
        names = ", ".join(sim.name for sim in found) or "none"
        raise ValueError(f"{path} must define one @microsim, got {names}")
    return found[0]


def open_session(path: str, source: str | None = None) -> Session:
    """Return a `Session` on the sim at `path`.

    Args:
        path: as `load_microsim`.
        source: as `load_microsim`.

    Returns:
        The session; nothing has been computed yet.

    Raises:
        BridgeError: the file raises when it runs, or defines no microsim.

    Examples:
        >>> try:
        ...     open_session("broken/sim.py", source="1 / 0")
        ... except BridgeError as error:
        ...     print(error.message)
        ZeroDivisionError: division by zero
    """
    try:
        return Session(load_microsim(path, source), str(path))
    except RAISED as error:
        raise BridgeError.of(error, str(path)) from error


class Session:
    """One sim in one page. Images that were sent once are not sent again.

    Args:
        sim: what is asked for frames.
        path: its file; a trace begins there.

    Examples:
        >>> source = '''
        ... from typing import Annotated
        ... from sim_engine.microsim import Frame, Slider, microsim
        ... @microsim
        ... def twice(x: Annotated[float, Slider(0, 1, label="x")] = 0.5) -> Frame:
        ...     return Frame(readouts={"y": 2 * x}, alt=f"y is {2 * x}.")
        ... '''
        >>> text, arrays = open_session("twice/sim.py", source).frame({"x": 0.25})
        >>> json.loads(text)["readouts"]["y"]["value"], arrays
        (0.5, [])
    """

    def __init__(self, sim: Microsim, path: str) -> None:
        self.sim = sim
        self.path = path
        self._frames: Iterator[Frame] | None = None
        self._sent: set[str] = set()

    def spec_json(self) -> str:
        """Return the sim's spec as JSON text."""
        return json.dumps(self.sim.spec())

    def frame(self, controls: Mapping[str, Any]) -> tuple[str, list[NDArray[Any]]]:
        """Return the frame at `controls` as (JSON text, arrays); see the contract for the form.

        Raises:
            BridgeError: the sim raised, or a control was refused.
        """
        try:
            if self.sim.kind == "process":
                raise ValueError(f"{self.sim.name} yields its frames: call start, then step")
            return self._pack(self.sim(**_plain(controls)))
        except RAISED as error:
            raise BridgeError.of(error, self.path) from error

    def start(self, controls: Mapping[str, Any]) -> None:
        """Begin the process anew with `controls`.

        Raises:
            BridgeError: a control was refused, or the sim is no process.
        """
        try:
            if self.sim.kind != "process":
                raise ValueError(f"{self.sim.name} returns its frame: call frame")
            self._frames = self.sim(**_plain(controls))
        except RAISED as error:
            raise BridgeError.of(error, self.path) from error

    def step(self) -> tuple[str | None, list[NDArray[Any]]]:
        """Return the process's next frame, or (None, []) when it has ended.

        Raises:
            BridgeError: the sim raised, or has not been started.
        """
        if self._frames is None:
            raise BridgeError("the process has not been started", "")
        try:
            frame = next(self._frames, None)
            return (None, []) if frame is None else self._pack(frame)
        except RAISED as error:
            raise BridgeError.of(error, self.path) from error

    def _pack(self, frame: Frame) -> tuple[str, list[NDArray[Any]]]:
        buffers: list[NDArray[Any]] = []

        def put(kind: str, array: NDArray[Any]) -> Any:
            buffers.append(np.ascontiguousarray(array).reshape(-1))
            index = len(buffers) - 1
            return {"$": index} if kind == "column" else index

        wire = frame.wire(put)
        for image in wire["images"].values():
            if image["sha"] in self._sent:
                buffers[image.pop("$")] = np.empty(0, np.uint8)  # the places of the others must hold
            self._sent.add(image["sha"])
        return json.dumps(wire, allow_nan=False), buffers


def _plain(controls: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k): tuple(v) if isinstance(v, list) else v for k, v in controls.items()}
