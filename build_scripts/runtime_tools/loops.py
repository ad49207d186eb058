"""The words in which the engine's loops of vectors differ: by dtype, and by how often xy + z is rounded."""

from __future__ import annotations

import math
import re

__all__ = ["DTYPES", "fuses", "spelt"]

DTYPES = ("f32", "f64")
# An argument of MADD: what stands in brackets, two deep.
_ARGUMENT = r"(\((?:[^()]|\([^()]*\))*\))"
# The numbers of `sim_engine/exponential.wat`. log 2 = HIGH + LOW, HIGH with so few bits that its products
# with all n that occur are exact; exp is 0 below LEAST and infinite above MOST, to rounding.
_WORDS = {
    "f32": {
        "LANES": "f32x4",
        "INTS": "i32x4",
        "BITS": "32",
        "ITEM": "4",
        "FRACTION": "23",
        "BIAS": "127",
        "MAGIC": "12582912",
        "LEAST": "-104",
        "MOST": "100",
        "HIGH": (355 / 512).hex(),
        "LOW": (math.log(2) - 355 / 512).hex(),
        "FIRST": "-1 0 0 0",
        "TURN": "4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3",
    },
    "f64": {
        "LANES": "f64x2",
        "INTS": "i64x2",
        "BITS": "64",
        "ITEM": "8",
        "FRACTION": "52",
        "BIAS": "1023",
        "MAGIC": "6755399441055744",
        "LEAST": "-746",
        "MOST": "720",
        "HIGH": "0x1.62e42fee00000p-1",
        "LOW": "0x1.a39ef35793c76p-33",
        "FIRST": "-1 -1 0 0",
        "TURN": "8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7",
    },
}
# The first term that is left out, r^(k+1)/(k+1)!, is under a twentieth of a rounding of exp(r).
_LAST_TERM = {"f32": 7, "f64": 13}


def fuses(text: str) -> bool:
    """Tell whether a loop has an xy + z: then browsers that round it once have a quicker one."""
    return "(MADD " in _code(text)


def spelt(text: str, dtype: str, *, fused: bool = False) -> str:
    """Return the text of a loop for "f32" or "f64".

    Args:
        fused: whether xy + z is one instruction, rounded once, which not every browser has.

    Raises:
        ValueError: dtype is neither.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {DTYPES}, got {dtype!r}")
    words = {**_WORDS[dtype], "LOG2E": (1 / math.log(2)).hex()}
    count = 16 // int(words["ITEM"])
    text = re.sub(r"\bSERIES\b", lambda _: _series(_LAST_TERM[dtype]), _code(text))
    text = re.sub(r"\(ALL ([^\s)]+)\)", lambda m: f"(v128.const LANES{f' {m[1]}' * count})", text)
    text = re.sub(r"\(EACH ([^\s)]+)\)", lambda m: f"(v128.const INTS{f' {m[1]}' * count})", text)
    madd = r"(LANES.relaxed_madd \1 \2 \3)" if fused else r"(LANES.add \3 (LANES.mul \1 \2))"
    text = re.sub(rf"\(MADD {_ARGUMENT} {_ARGUMENT} {_ARGUMENT}\)", madd, text)
    for word, meaning in words.items():
        text = re.sub(rf"(?<![A-Z]){word}(?![A-Z])", meaning, text)
    return text


def _code(text: str) -> str:
    """Take the words out of comments, but leave their lines, so that a fault has its number."""
    return re.sub(r";;.*", "", text)


def _series(last: int) -> str:
    """Return the series of exp(r) to r^last/last!, as code in one line that leaves it in $p.

    Odd and even terms apart, in r^2: two chains of half the length, since each step waits for the one before.
    """

    def times(one: str, other: str) -> str:
        return f"(LANES.mul (local.get ${one}) (local.get ${other}))"

    def plus(one: str, other: str, rest: str) -> str:
        return f"(MADD (local.get ${one}) (local.get ${other}) {rest})"

    def chain(name: str, first: int) -> list[str]:
        terms = [f"(ALL {(1 / math.factorial(k)).hex()})" for k in range(first, last + 1, 2)][::-1]
        rest = [f"(local.set ${name} {plus(name, 'q', term)})" for term in terms[1:]]
        return [f"(local.set ${name} {terms[0]})", *rest]

    together = plus("x", "q", times("p", "r"))
    steps = [f"(local.set $q {times('r', 'r')})", *chain("p", 1), *chain("x", 2)]
    return " ".join([*steps, f"(local.set $p (LANES.add (ALL 1) {together}))"])
