"""The microsim contract: one annotated function is one interactive figure.

```python
@microsim
def hard_negatives(
    tau: Annotated[float, Slider(0.02, 1.0, log=True, label="Temperature τ")] = 0.5,
) -> Frame: ...
```

A function that returns a `Frame` is an explorer, a pure function of its controls. One that
yields `Frame`s is a process; play, pause, step and scrub come with it. A `Timeline` control
gives the same transport over recorded frames. The same file runs under CPython at build and in
the reader's browser, so it may import NumPy, the standard library and `sim_engine` alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from sim_engine._controls import (
    Choice,
    Control,
    Json,
    Legend,
    Slider,
    Timeline,
    Toggle,
    WholeSlider,
)
from sim_engine._frame import Frame, Readout
from sim_engine._values import check_name

__all__ = [
    "Choice",
    "Control",
    "Frame",
    "Legend",
    "Microsim",
    "Readout",
    "Slider",
    "Timeline",
    "Toggle",
    "microsim",
]
# A control of one of these names could not be told from the embed's own parameters.
RESERVED = frozenset({"frame", "theme", "hide", "text", "run", "speed", "controls", "readouts", "actions"})

Kind = Literal["explorer", "timeline", "process"]


class Microsim:
    """A microsim: its function, its controls and their defaults. Made by `@microsim`.

    Attributes:
        function: what was decorated.
        name: the function's name; the folder is the name with `-` for `_`.
        doc: first line of the docstring (the function's, else the module's).
        kind: "explorer", "timeline" or "process".
        controls: name to `Control`, in the order of the signature.
        defaults: name to default value.

    Raises:
        ValueError: as `microsim`.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = function.__name__
        module_doc = function.__globals__.get("__doc__")
        self.doc = (inspect.getdoc(function) or module_doc or "").strip().split("\n")[0]
        self.controls, self.defaults = _read_signature(function)
        self.kind: Kind = "explorer"
        timelines = [n for n, c in self.controls.items() if isinstance(c, Timeline)]
        if inspect.isgeneratorfunction(function):
            self.kind = "process"
        elif timelines:
            self.kind = "timeline"
        if len(timelines) > 1 or (timelines and self.kind == "process"):
            raise ValueError(f"{self.name}: a sim has one Timeline at most, and a process has none")
        self.__doc__ = function.__doc__
        self.__name__ = self.name
        self.__wrapped__ = function

    def __repr__(self) -> str:
        return f"<microsim {self.name}({', '.join(self.controls)})>"

    def accept(self, controls: Mapping[str, Any]) -> Json:
        """Return all controls, checked, with defaults filled in.

        Raises:
            ValueError: an unknown control, or a value the control does not take.
        """
        for name in controls:
            if name not in self.controls:
                known = ", ".join(self.controls) or "none"
                raise ValueError(f"{self.name} has no control {name!r}; it has {known}")
        return {n: c.accept(n, controls.get(n, self.defaults[n])) for n, c in self.controls.items()}

    def __call__(self, **controls: Any) -> Any:
        """Return the `Frame` (or, for a process, the iterator of `Frame`s) of these controls.

        Raises:
            ValueError: as `accept`.
            TypeError: the function returns or yields something else.
        """
        result = self.function(**self.accept(controls))
        if self.kind == "process":
            return self._checked(result)
        return self._frame(result)

    def _checked(self, frames: Iterator[Any]) -> Iterator[Frame]:
        for frame in frames:
            yield self._frame(frame)

    def _frame(self, frame: Any) -> Frame:
        if not isinstance(frame, Frame):
            raise TypeError(f"{self.name} must return or yield a Frame, got {type(frame).__name__}")
        return frame

    def spec(self) -> Json:
        """Return the JSON-ready spec of name, kind and controls."""
        controls = []
        for name, control in self.controls.items():
            default = self.defaults[name]
            controls.append(
                {
                    "name": name,
                    "type": control.kind,
                    "label": control.label,
                    "help": control.help,
                    "chart": control.chart,
                    "default": list(default) if isinstance(default, tuple) else default,
                    **control.spec(),
                }
            )
        return {"entry": self.name, "kind": self.kind, "doc": self.doc, "controls": controls}


def microsim(function: Callable[..., Any]) -> Microsim:
    """Turn an annotated function into a `Microsim`.

    Args:
        function: every parameter has a type of the form `Annotated[float, Slider(0, 1)]` and a default;
            it returns a `Frame`, or yields them.

    Returns:
        The sim, which is called like the function, with its controls by name.

    Raises:
        ValueError: a parameter has no control, no label, no default, or a default its control refuses; a name
            is reserved; or there is more than one timeline, or one beside a process.

    Examples:
        >>> @microsim
        ... def push(
        ...     tau: Annotated[float, Slider(0.02, 1.0, label="Temperature τ")] = 0.5,
        ... ) -> Frame:
        ...     return Frame(readouts={"push": 1 / tau}, alt=f"The push is {1 / tau}.")
        >>> push.kind, push.defaults
        ('explorer', {'tau': 0.5})
        >>> push(tau=0.1).alt
        'The push is 10.0.'
    """
    return Microsim(function)


def _read_signature(function: Callable[..., Any]) -> tuple[dict[str, Control], Json]:
    hints = get_type_hints(function, include_extras=True)
    controls: dict[str, Control] = {}
    defaults: Json = {}
    for name, parameter in inspect.signature(function).parameters.items():
        check_name("a control", name)
        if name in RESERVED:
            raise ValueError(f"{name} is a parameter of every embed; give the control another name")
        annotation = hints.get(name)
        found = [a for a in get_args(annotation)[1:] if isinstance(a, Control)]
        if get_origin(annotation) is not Annotated or len(found) != 1:
            raise ValueError(
                f"{name} needs a type of the form Annotated[float, Slider(0, 1)], got {annotation!r}"
            )
        if parameter.default is inspect.Parameter.empty:
            raise ValueError(f"{name} needs a default: it is what the built page shows")
        control = found[0]
        if isinstance(control, Slider) and get_args(annotation)[0] is int:
            control = _whole_slider(control)
        if not control.label:
            raise ValueError(f"{name} needs a label: it is what the reader sees")
        controls[name] = control
        defaults[name] = control.accept(name, parameter.default)
    return controls, defaults


def _whole_slider(slider: Slider) -> WholeSlider:
    return WholeSlider(**{f.name: getattr(slider, f.name) for f in fields(slider)})
