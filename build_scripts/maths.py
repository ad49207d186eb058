r"""LaTeX to HTML at build, through KaTeX under Node: readers download no script for it.

A formula may hold live numbers: `\slot{loss}` becomes an element with `data-slot="loss"`, whose
text the player replaces by the readout of that name.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO

__all__ = ["MathsError", "render", "slots", "write_assets"]

ROOT = Path(__file__).resolve().parents[1]
KATEX = ROOT / "node_modules" / "katex"
SCRIPT = Path(__file__).with_name("maths.mjs")
CACHE = ROOT / ".cache" / "maths"
_SLOT = re.compile(r"\\slot\{([^{}]*)\}")
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class MathsError(ValueError):
    """A formula that KaTeX refuses, or a KaTeX that cannot be run; the message says which."""


def slots(latex: str) -> list[str]:
    r"""Return the names of the formula's `\slot{…}`s, in order, each once.

    Raises:
        MathsError: a name is not an identifier in lower case.
    """
    names = list(dict.fromkeys(_SLOT.findall(latex)))
    for name in names:
        if not _NAME.match(name):
            raise MathsError(f"\\slot{{{name}}} must name a readout, [a-z][a-z0-9_]*, in {latex!r}")
    return names


def render(
    latex: str,
    display: bool = False,
    *,
    values: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> str:
    r"""Return the formula as HTML (for eyes) with MathML (for screen readers).

    Args:
        latex: the formula, without dollar signs.
        display: on a line of its own.
        values: slot name to the text that stands in it at first, for example "5.204".
        labels: slot name to what it is, for example "NT-Xent". MathML shows the labels, so that
            it stays true while the numbers change.

    Raises:
        MathsError: KaTeX refuses the formula, a slot has no value, or Node or KaTeX is missing.
    """
    names = slots(latex)
    if not names:
        return _katex(latex, display, "htmlAndMathml")
    values, labels = values or {}, labels or {}
    for name in names:
        if name not in values:
            raise MathsError(
                f"\\slot{{{name}}} in {latex!r} has no value; there are {', '.join(values) or 'none'}"
            )
    shown = _SLOT.sub(lambda m: rf"\htmlData{{slot={m[1]}}}{{{_plain(values[m[1]])}}}", latex)
    said = _SLOT.sub(lambda m: rf"\text{{{_plain(labels.get(m[1], m[1].replace('_', ' ')))}}}", latex)
    seen = _katex(shown, display, "html")
    head = '<span class="katex">'
    mathml = _katex(said, display, "mathml").split(head, 1)[1].rsplit("</span>", 1 + display)[0]
    return seen.replace(head, f'{head}<span class="katex-mathml">{mathml}</span>', 1)


def write_assets(out: Path) -> None:
    """Write `katex.css`'s files to `out`: the style sheet, its woff2 fonts and the licence."""
    _version()
    fonts = out / "fonts"
    fonts.mkdir(parents=True, exist_ok=True)
    css = (KATEX / "dist" / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r",url\([^)]*\.(?:woff|ttf)\) format\(\"[a-z]+\"\)", "", css)
    css = css.replace("font-display:block", "font-display:swap")
    (out / "katex.min.css").write_text(css, encoding="utf-8")
    for font in sorted((KATEX / "dist" / "fonts").glob("*.woff2")):
        shutil.copyfile(font, fonts / font.name)
    shutil.copyfile(KATEX / "LICENSE", out / "LICENSE.txt")


def _plain(text: str) -> str:
    """Escape what LaTeX would read as a command; a minus sign is typeset as one."""
    escaped = re.sub(r"([#$%&_{}])", r"\\\1", text.replace("\\", ""))
    return escaped.replace("−", "-").replace("—", r"\text{—}")


def _katex(latex: str, display: bool, output: str) -> str:
    request = {"latex": latex, "display": display, "output": output}
    key = hashlib.sha256(json.dumps([_version(), SCRIPT.read_text(), request]).encode()).hexdigest()
    kept = CACHE / f"{key[:32]}.html"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    source, sink = _node()
    sink.write(json.dumps(request) + "\n")
    sink.flush()
    line = source.readline()
    if not line:
        raise MathsError(f"Node stopped while KaTeX read {latex!r}; run `node {SCRIPT.name}` to see why")
    answer = json.loads(line)
    if "error" in answer:
        raise MathsError(f"the formula {latex!r}: {answer['error']}")
    CACHE.mkdir(parents=True, exist_ok=True)
    aside = kept.with_suffix(f".{os.getpid()}.part")
    aside.write_text(answer["html"], encoding="utf-8")
    aside.rename(kept)
    return str(answer["html"])


@cache
def _version() -> str:
    try:
        return str(json.loads((KATEX / "package.json").read_text(encoding="utf-8"))["version"])
    except FileNotFoundError:
        raise MathsError("the npm package katex is missing; run `npm ci`") from None


@cache
def _node() -> tuple[IO[str], IO[str]]:
    """Start Node once; return the stream of its answers and the stream for requests."""
    node = shutil.which("node")
    if node is None:
        raise MathsError("Node is missing; formulas are set with KaTeX under Node 20 or newer: install it")
    process = subprocess.Popen(
        [node, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    source, sink = process.stdout, process.stdin
    assert source is not None  # PIPE was asked for
    assert sink is not None

    def stop() -> None:
        sink.close()
        process.wait(timeout=5)
        source.close()

    atexit.register(stop)
    return source, sink
