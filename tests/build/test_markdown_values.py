"""Computed numbers: what the small language can say, and what it refuses."""

import math

import pytest

from build_scripts.markdown import Book, SyntaxProblem
from build_scripts.markdown.evaluate import evaluate
from build_scripts.markdown.values import value


@pytest.fixture
def book(small_book):
    return Book(small_book)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2 * 256 - 1", 511),
        ("floors.equal(256)", math.log(511)),
        ("np.log(511)", math.log(511)),
        ("-2 ** 2", -4),
        ("3 if 2 > 1 else 4", 3),
        ("max(1, 2) + abs(-3) + len([1, 2])", 7),
        ("np.array([[1.0, 2.0], [3.0, 4.0]])[1, 0]", 3.0),
        ("np.array([1.0, 2.0]).sum()", 3.0),
        ("losses.nt_xent(np.eye(4), np.eye(4), 0.5).value", math.log(math.exp(2) + 6) - 2),
        ('sim("two-dials", tau=0.5).product', 0.5 * 3),
        ('data("two-dials").metrics["top1"]', 0.25),
        ('data("two-dials")["z"][1]', 2.0),
    ],
)
def test_the_language_computes(book, expression, expected):
    assert float(evaluate(book, expression)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("open('x')", "no name 'open'"),
        ("__import__('os')", "no name '__import__'"),
        ("floors.__dict__", "private"),
        ("floors._check", "private"),
        ("().__class__", "private"),
        ("np.load('x')", "np.load is not allowed"),
        ("np.lib", "np.lib is not allowed"),
        ("np.random.rand()", "np.random is not allowed"),
        ("np.array([1]).tofile('x')", "'tofile' is not allowed"),
        ("[x for x in [1]]", "not allowed"),
        ("lambda: 1", "not allowed"),
        ("(a := 1)", "not allowed"),
        ("f'{1}'", "not allowed"),
        ("max(*[1, 2])", r"\* and \*\*"),
        ("9 ** 9999", "exponent"),
        ("1 +", "not an expression"),
        ("1; 2", "not an expression"),
        ("floors.equl(2)", "no 'equl'"),
        ("floors.equal(1)", "raises ValueError"),
        ("'a'.format", "cannot be looked up"),
        ('sim("two-dials", tau=7).product', "tau must lie in"),
        ('sim("two-dials").nothing', "no readout 'nothing'"),
        ('sim("nothing").x', "no sim 'nothing'"),
    ],
)
def test_the_language_refuses(book, expression, message):
    with pytest.raises(SyntaxProblem, match=message):
        evaluate(book, expression)


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ("floors.equal(256)", "6.236"),
        ("floors.equal(256) | .2f", "6.24"),
        (r"floors.equal(256) \| .2f", "6.24"),
        ("4096 * 1024 | ,d", "4,194,304"),
        ("0.257 | .0%", "26%"),
        ("-1.5 | .1f", "−1.5"),
        ("1e-9", "1×10<sup>-9</sup>"),
        ("7", "7"),
    ],
)
def test_numbers_are_shown_as_asked(book, inside, shown):
    assert value(book, inside) == f'<span class="value">{shown.replace("-", "−")}</span>'


def test_a_text_is_shown_as_it_is_and_escaped(book):
    assert value(book, 'data("two-dials").manifest["device"]') == '<span class="value">cpu &lt;x&gt;</span>'


@pytest.mark.parametrize("inside", ["1 | .2q", "'a' | .2f", "np.arange(3)", "np.inf", "1 > 0", "floors", ""])
def test_what_is_no_number_is_refused(book, inside):
    with pytest.raises(SyntaxProblem):
        value(book, inside)


def test_in_a_formula_a_number_is_latex(book):
    assert value(book, "4096 | ,d", latex=True) == "4{,}096"
    assert value(book, "0.5 | .0%", latex=True) == r"50\%"
