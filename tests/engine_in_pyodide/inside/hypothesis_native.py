"""Hypothesis' compiled part in Python: its wheel is built for this machine, and the browser's is wasm.

Ten functions over the bits of a float and one over a right triangle. The driver compares each with
the compiled one on this machine.
"""

import math
import struct
import sys
import types

WORD = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}
SMALLEST_NORMAL = {16: 2.0**-14, 32: 2.0**-126, 64: 2.0**-1022}


def float_of(x, width):
    as_float, _ = WORD[width]
    return struct.unpack(as_float, struct.pack(as_float, float(x)))[0]


def float_to_int(value, width=64):
    as_float, as_word = WORD[width]
    return struct.unpack(as_word, struct.pack(as_float, value))[0]


def int_to_float(value, width=64):
    as_float, as_word = WORD[width]
    return struct.unpack(as_float, struct.pack(as_word, value))[0]


def is_negative(x):
    return math.copysign(1.0, x) < 0


def count_between_floats(x, y, width=64):
    """How many floats lie in [x, y]; -0.0 and 0.0 are two."""
    if is_negative(x) and not is_negative(y):
        return count_between_floats(x, -0.0, width) + count_between_floats(0.0, y, width)
    return abs(float_to_int(y, width) - float_to_int(x, width)) + 1


def next_up(value, width=64):
    if math.isnan(value) or value == math.inf:
        return value
    if value == 0.0 and is_negative(value):
        return 0.0
    word = float_to_int(value, width)
    return int_to_float(word - 1 if is_negative(value) else word + 1, width)


def next_down(value, width=64):
    return -next_up(-value, width)


def next_down_normal(value, width, *, allow_subnormal):
    below = next_down(value, width)
    if not allow_subnormal and 0 < abs(below) < SMALLEST_NORMAL[width]:
        return 0.0 if below > 0 else -SMALLEST_NORMAL[width]
    return below


def next_up_normal(value, width, *, allow_subnormal):
    return -next_down_normal(-value, width, allow_subnormal=allow_subnormal)


def width_smallest_normals(width):
    return SMALLEST_NORMAL[width]


def cathetus(h, a):
    """The other side of a right triangle with hypotenuse h and side a."""
    if math.isnan(h):
        return math.nan
    if math.isinf(h):
        return math.nan if math.isinf(a) else math.inf
    h, a = abs(h), abs(a)
    if not h >= a:
        return math.nan
    return math.sqrt(h - a) * math.sqrt(h + a)


FLOATS = (
    float_of,
    float_to_int,
    int_to_float,
    is_negative,
    count_between_floats,
    next_up,
    next_down,
    next_down_normal,
    next_up_normal,
    width_smallest_normals,
)


def install(version):
    """Put the module `hypothesis._native` and what is in it where `import` finds them."""
    parts = {"": {"__version__": version}, ".internal": {}}
    parts[".internal.floats"] = {function.__name__: function for function in FLOATS}
    parts[".internal.cathetus"] = {"cathetus": cathetus}
    for end, content in parts.items():
        module = types.ModuleType("hypothesis._native" + end)
        module.__path__ = []
        vars(module).update(content)
        sys.modules[module.__name__] = module
