"""What the trimmed runtime must still compute: run here and in the browser's Python, then compared.

Every check is a function without arguments. It returns numbers (an array, a float) or text. Under
CPython the module is imported; in the browser's Python it is run and prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Check = Callable[[], Any]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    CHECKS[function.__name__] = function
    return function


def _matrix(rows: int, columns: int, seed: int = 5) -> Any:
    """A well-conditioned matrix that both worlds make from integers alone."""
    raw = np.random.default_rng(seed).integers(-500, 500, (rows, columns)) / 250.0
    if rows == columns:
        raw = raw + 12.0 * np.eye(rows)
    return raw


# --- linear algebra


@check
def matrix_product() -> Any:
    return _matrix(40, 30) @ _matrix(30, 20)


@check
def einsum_and_tensordot() -> Any:
    a, b = _matrix(20, 30), _matrix(30, 10)
    return np.stack([np.einsum("ik,kj->ij", a, b), np.einsum("ik,jk->ij", a, b.T), np.tensordot(a, b, 1)])


@check
def solve_inverse_determinant() -> Any:
    a = _matrix(12, 12)
    return np.concatenate([np.linalg.solve(a, a[:, 0] + 1), np.linalg.inv(a).ravel(), np.linalg.slogdet(a)])


@check
def symmetric_eigenvalues() -> Any:
    a = _matrix(15, 15)
    return np.linalg.eigvalsh(a + a.T)


@check
def general_eigenvalues() -> Any:
    return np.sort(np.abs(np.linalg.eigvals(_matrix(10, 10))))


@check
def singular_values_and_product() -> Any:
    u, s, vt = np.linalg.svd(_matrix(14, 6), full_matrices=False)
    return np.concatenate([s, (u * s @ vt).ravel()])


@check
def cholesky_and_qr() -> Any:
    a = _matrix(10, 10)
    return np.concatenate([np.linalg.cholesky(a @ a.T).ravel(), np.abs(np.diag(np.linalg.qr(a)[1]))])


@check
def least_squares_and_pseudo_inverse() -> Any:
    a = _matrix(25, 4)
    return np.concatenate(
        [np.linalg.lstsq(a, a @ [1.0, 2, 3, 4] + 0.1, rcond=None)[0], np.linalg.pinv(a).ravel()]
    )


@check
def norms_rank_trace() -> Any:
    a = _matrix(9, 9)
    low = np.outer(a[0], a[1])
    return np.array([np.linalg.norm(a), np.linalg.norm(a, 2), np.linalg.matrix_rank(low), np.trace(a)])


@check
def matrix_power_and_kron() -> Any:
    a = _matrix(3, 3) / 12
    return np.concatenate([np.linalg.matrix_power(a, 5).ravel(), np.kron(a, a).ravel()])


# --- Fourier transforms


@check
def fourier_there_and_back() -> Any:
    v = _matrix(1, 60)[0]
    spectrum = np.fft.fft(v)
    return np.concatenate([spectrum.real, spectrum.imag, np.fft.ifft(spectrum).real])


@check
def fourier_of_images() -> Any:
    return np.abs(np.fft.fftshift(np.fft.rfft2(_matrix(16, 12))))


# --- random numbers: a seed must mean the same draw in both worlds


@check
def random_integers_and_permutations() -> Any:
    rng = np.random.default_rng(7)
    picked = rng.choice(50, size=10, replace=False)
    return np.concatenate([rng.integers(0, 1 << 40, 30), rng.permutation(40), picked]).astype(float)


@check
def random_floats() -> Any:
    rng = np.random.default_rng(8)
    drawn = [
        rng.random(30),
        rng.normal(2, 3, 30),
        rng.exponential(size=20),
        rng.gamma(2.5, size=20),
        rng.beta(2, 3, 20),
    ]
    return np.concatenate([*drawn, rng.dirichlet([1, 2, 3], 4).ravel(), rng.vonmises(0, 2, 20)])


@check
def random_bit_generators() -> Any:
    kinds = (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)
    return np.concatenate([np.random.Generator(kind(3)).standard_normal(12) for kind in kinds])


@check
def random_spawned_and_legacy() -> Any:
    children = np.random.default_rng(1).spawn(3)
    legacy = np.random.RandomState(4)  # that it still works is what is checked
    return np.concatenate([*(child.random(5) for child in children), legacy.normal(size=20), legacy.rand(5)])


@check
def random_states_pickle() -> Any:
    import pickle

    rng = np.random.default_rng(2)
    twin = pickle.loads(pickle.dumps(rng))
    return rng.random(6) - twin.random(6)


# --- elementwise, reductions, shapes


@check
def elementary_functions() -> Any:
    v = np.linspace(-4, 4, 101)
    waves = [
        np.exp(v),
        np.tanh(v),
        np.log1p(np.abs(v)),
        np.expm1(v),
        np.arctan2(v, 1.5),
        np.cbrt(v),
        np.sinc(v),
    ]
    return np.stack([*waves, np.logaddexp(v, -v), np.hypot(v, 2), np.arccos(v / 4), np.i0(v)])


@check
def complex_numbers() -> Any:
    v = np.linspace(0, 3, 25)
    w = np.exp(1j * v) * (1 + v)
    return np.concatenate([np.abs(w), np.angle(w), np.sqrt(w).real, np.roots([1, -6, 11, -6]).real])


@check
def single_precision() -> Any:
    v = np.linspace(-2, 2, 41, dtype=np.float32)
    if (np.exp(v) + v).dtype != np.float32:
        raise TypeError("float32 did not stay float32")
    return np.round(np.exp(v).astype(np.float64), 5)


@check
def half_precision_and_bits() -> Any:
    half = np.linspace(-2, 2, 21).astype(np.float16).astype(np.float64)
    return np.concatenate([half, np.packbits(half > 0), np.left_shift(np.arange(8), 3)])


@check
def reductions() -> Any:
    a = _matrix(12, 8)
    rows = [
        a.sum(0),
        a.mean(0),
        a.std(0, ddof=1),
        np.median(a, 0),
        np.cumsum(a, 0)[-1],
        np.prod(1 + a / 50, 0),
    ]
    return np.stack(
        [*rows, np.ptp(a, 0), np.maximum.reduce(a), np.logaddexp.reduce(a), np.add.reduceat(a[0], range(8))]
    )


@check
def quantiles_histograms_bins() -> Any:
    v = _matrix(1, 200)[0]
    counts, edges = np.histogram(v, 12)
    flat, _, _ = np.histogram2d(v[:100], v[100:], 4)
    return np.concatenate(
        [np.percentile(v, [1, 25, 50, 99]), counts, edges, flat.ravel(), np.digitize(v, edges)]
    )


@check
def covariance_and_correlation() -> Any:
    a = _matrix(5, 40)
    return np.stack([np.cov(a), np.corrcoef(a)])


@check
def sorting_and_searching() -> Any:
    v = _matrix(1, 60)[0] + np.arange(60) * 1e-6
    order = np.argsort(v, kind="stable")
    top = np.sort(np.argpartition(-v, 10)[:10])
    return np.concatenate(
        [order, top, np.searchsorted(v[order], [0.0, 1.0]), np.lexsort((v, v > 0)), [np.argmax(v)]]
    )


@check
def sets_and_counts() -> Any:
    v = np.random.default_rng(3).integers(0, 20, 100)
    values, first, inverse, counts = np.unique(v, return_index=True, return_inverse=True, return_counts=True)
    return np.concatenate(
        [values, first, inverse, counts, np.bincount(v), np.intersect1d(v, [1, 2, 30]), np.isin(v, [3, 4])]
    )


@check
def indexing_and_broadcasting() -> Any:
    a = np.arange(60.0).reshape(3, 4, 5)
    grid = np.meshgrid(np.arange(3.0), np.arange(4.0), indexing="ij")
    parts = [
        a[:, ::-1, 1::2],
        a[a % 7 == 0],
        np.take_along_axis(a, np.argsort(-a, 2), 2),
        a[[0, 2]][:, [1, 3]],
    ]
    return np.concatenate(
        [*(p.ravel() for p in parts), *(g.ravel() for g in grid), np.where(a > 30, a, -a).ravel()]
    )


@check
def windows_pads_rolls() -> Any:
    v = np.arange(12.0)
    windows = np.lib.stride_tricks.sliding_window_view(v, 4).mean(1)
    parts = [windows, np.pad(v, 2, mode="reflect"), np.roll(v, 3), np.diff(v, 2), np.gradient(v**2)]
    return np.concatenate(
        [*parts, np.convolve(v, [1, 2, 1], "same"), np.correlate(v, v[:3]), np.repeat(v, 2)]
    )


@check
def interpolation_and_integrals() -> Any:
    x = np.linspace(0, 3, 20)
    return np.concatenate(
        [
            np.interp([0.1, 1.7, 9], x, np.sin(x)),
            [np.trapezoid(np.sin(x), x)],
            np.piecewise(x, [x < 1], [0, 1]),
        ]
    )


@check
def polynomials() -> Any:
    x = np.linspace(-1, 1, 15)
    series = np.polynomial.Polynomial.fit(x, x**3 - x, 3).convert().coef
    return np.concatenate(
        [np.round(series, 9), np.polyval([1, 2, 3], x), np.polynomial.chebyshev.chebval(x, [1, 2, 3])]
    )


# --- other dtypes


@check
def text_arrays() -> Any:
    words = np.array(["anchor", "positive", "negative"])
    return "|".join(np.char.upper(words)) + str(np.strings.str_len(words)) + repr(words)


@check
def dates_records_masks() -> Any:
    days = np.arange("2020-01", "2020-07", dtype="M8[M]").astype(int)
    rows = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
    masked = np.ma.masked_less(np.arange(6.0), 3).mean()
    return np.concatenate([days, rows["b"], [masked], rows.view(np.recarray).a])


@check
def printing() -> Any:
    with np.printoptions(precision=3, suppress=True):
        return f"{_matrix(3, 4)}\n{np.float64(0.1)!r} {np.arange(2000)}"


@check
def not_a_number_and_infinity() -> Any:
    # WebAssembly has no floating-point flags: NumPy warns of nothing there, so silence it here.
    with np.errstate(all="ignore"):
        v = np.array([-1.0, 0.0, 1.0, 1e308]) * 10
        made = [np.log(v), v / 0, np.sqrt(v), np.nan_to_num(v), np.isfinite(v), np.fmax(v, np.nan)]
        return np.concatenate([*made, [np.nanmean([1, np.nan]), np.nansum([np.nan, 2])]])


@check
def custom_ufuncs() -> Any:
    vectorised = np.vectorize(lambda a, b: a * 2 + b)(np.arange(5.0), 1)
    return np.concatenate(
        [vectorised, np.apply_along_axis(np.sum, 1, _matrix(3, 4)), np.fromfunction(lambda i: i * 2, (4,))]
    )


# --- files


@check
def arrays_saved_and_loaded() -> Any:
    import io

    single, several, text = io.BytesIO(), io.BytesIO(), io.StringIO()
    np.save(single, _matrix(4, 3))
    np.savez_compressed(several, a=_matrix(2, 2), b=np.arange(5, dtype=np.int16))
    np.savetxt(text, _matrix(3, 2))
    for file in (single, several, text):
        file.seek(0)
    archive = np.load(several, allow_pickle=False)
    parts = [np.load(single, allow_pickle=False), archive["a"], archive["b"], np.loadtxt(text)]
    return np.concatenate([part.ravel().astype(float) for part in parts])


@check
def arrays_from_bytes() -> Any:
    raw = np.arange(10, dtype="<f4").tobytes()
    return np.concatenate(
        [np.frombuffer(raw, "<f4"), np.fromstring("1 2 3", sep=" "), np.array(memoryview(raw)[:4])]
    )


@check
def numpy_testing() -> Any:
    np.testing.assert_allclose(np.sqrt(2) ** 2, 2.0)
    try:
        np.testing.assert_array_equal([1, 2], [1, 3])
    except AssertionError as error:
        return str(error).strip().splitlines()[0]
    return "assert_array_equal let a difference through"


# --- the standard library that sims and the bridge lean on


@check
def json_dataclasses_enums() -> Any:
    import dataclasses
    import enum

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Point:
        x: float
        y: float = 0.25
        tags: tuple[str, ...] = dataclasses.field(default_factory=lambda: ("a",))

    Colour = enum.StrEnum("Colour", ["RED", "BLUE"])
    point = dataclasses.replace(Point(x=1.5), y=0.1)
    return json.dumps(
        [dataclasses.asdict(point), repr(point.tags), Colour.RED.value, json.loads("[1e-3, null]")]
    )


@check
def annotations_and_signatures() -> Any:
    import inspect
    from typing import Annotated, Literal, NamedTuple, get_args, get_type_hints

    class Pair(NamedTuple):
        a: int
        b: str = "b"

    def sim(tau: Annotated[float, "slider"] = 0.5, *, mode: Literal["x", "y"] = "x") -> Pair:
        return Pair(1)

    hints = get_type_hints(sim, include_extras=True, localns={**locals()})
    return f"{list(inspect.signature(sim).parameters)} {get_args(hints['tau'])[1]} {sim()._asdict()}"


@check
def tracebacks() -> Any:
    import linecache
    import traceback

    text = "def f(x):\n    return 1 / x\nf(0)\n"
    linecache.cache["edited.py"] = (len(text), None, text.splitlines(True), "edited.py")
    try:
        exec(compile(text, "edited.py", "exec"), {})
    except ZeroDivisionError as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        return "".join([*(f"{f.lineno} {f.name} {f.line}\n" for f in frames), str(error)])
    return "nothing was raised"


@check
def hashes_and_encodings() -> Any:
    import base64
    import hashlib
    import zlib

    raw = "τ ≤ 0".encode("utf-16-le") + bytes(range(200))
    digests = [
        hashlib.sha256(raw).hexdigest(),
        hashlib.md5(raw).hexdigest(),
        hashlib.blake2b(raw).hexdigest(),
    ]
    return " ".join([*digests, base64.b85encode(raw).decode(), str(zlib.crc32(raw)), raw.decode("latin-1")])


@check
def iterators_and_collections() -> Any:
    import bisect
    import collections
    import functools
    import heapq
    import itertools
    import operator

    counted = collections.Counter("contrastive").most_common(3)
    folded = functools.reduce(operator.mul, itertools.accumulate(range(1, 6)))
    heap = heapq.nsmallest(3, [5, 1, 4, 2])
    deque = collections.deque(range(5), maxlen=3)
    return repr(
        [counted, folded, heap, list(deque), bisect.bisect([1, 3, 5], 4), list(itertools.pairwise("abc"))]
    )


@check
def numbers_of_every_kind() -> Any:
    import decimal
    import fractions
    import math
    import random
    import statistics

    drawn = random.Random(3)
    exact = [
        float(fractions.Fraction(1, 3) + 1),
        float(decimal.Decimal("0.1") * 3),
        statistics.stdev([1, 2, 4, 8]),
    ]
    return np.array(
        [
            *exact,
            drawn.random(),
            drawn.gauss(0, 1),
            math.lgamma(4.5),
            math.comb(20, 7),
            statistics.NormalDist().cdf(1),
        ]
    )


@check
def text_and_patterns() -> Any:
    import difflib
    import pprint
    import re
    import string
    import textwrap

    found = re.findall(r"(?P<name>\w+)=(\d+(?:\.\d+)?)", "tau=0.5, n=256")
    diff = list(difflib.unified_diff(["a", "b"], ["a", "c"], lineterm=""))
    filled = textwrap.fill("the nearest negative takes almost all of the pull", 20)
    return (
        f"{found}{diff}{filled}{string.Template('$x').substitute(x=1)}{pprint.pformat({'b': 1, 'a': [1, 2]})}"
    )


@check
def files_and_paths() -> Any:
    import csv
    import io
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "a", "b.csv")
        path.parent.mkdir()
        path.write_text("x,y\n1,2\n", encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        return f"{rows} {path.suffix} {[p.name for p in pathlib.Path(folder).rglob('*.csv')]}"


@check
def dates_and_times() -> Any:
    import calendar
    import datetime
    import time

    day = datetime.datetime.strptime("2020-02-13 10:00", "%Y-%m-%d %H:%M").replace(tzinfo=datetime.UTC)
    return f"{day.isoformat()} {day.timestamp()} {calendar.monthrange(2024, 2)[1]} {time.perf_counter() > 0}"


@check
def contexts_warnings_logging() -> Any:
    import contextlib
    import io
    import logging
    import warnings

    text = io.StringIO()
    with (
        contextlib.redirect_stdout(text),
        contextlib.suppress(KeyError),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        warnings.warn("careful", UserWarning, stacklevel=1)
        print("shown")
        raise KeyError("swallowed")
    handler = logging.StreamHandler(text)
    handler.emit(logging.makeLogRecord({"msg": "logged %d", "args": (3,)}))
    return f"{text.getvalue()}{[str(w.message) for w in caught]}"


@check
def generators_and_coroutines() -> Any:
    import asyncio

    async def add(a: int, b: int) -> int:
        return a + b

    def process() -> Any:
        kept = yield 1
        yield kept * 2

    running = process()
    first, second = next(running), running.send(21)
    try:
        add(1, 2).send(None)
    except StopIteration as ended:
        return f"{first} {second} {ended.value} {asyncio.Future.__name__}"
    return "the coroutine did not end"


@check
def parsing_and_compiling() -> Any:
    import ast
    import copy
    import dis
    import io
    import tokenize

    tree = ast.parse("x = (1 + 2) * y")
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    tokens = [t.string for t in tokenize.generate_tokens(io.StringIO("a + 1").readline)][:3]
    return f"{names} {ast.unparse(copy.deepcopy(tree))} {tokens} {any(dis.get_instructions(check))}"


def run() -> dict[str, Any]:
    """Return {check: list of numbers, or text}; what raises is recorded as `{"raised": …}`."""
    results: dict[str, Any] = {}
    for name, function in CHECKS.items():
        try:
            value = function()
        except Exception as error:
            results[name] = {"raised": f"{type(error).__name__}: {error}".splitlines()[0]}
            continue
        results[name] = (
            value if isinstance(value, str) else np.asarray(value, dtype=np.float64).ravel().tolist()
        )
    return results


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run()) + "\n")
