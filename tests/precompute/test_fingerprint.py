"""The recipe's hash: moved by a setting or a line of code, not by what only people read."""

from dataclasses import fields, replace

import pytest

from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.fingerprint import fingerprint
from build_scripts.precompute.recipes import RECIPES

CODE = '''"""What it is for."""


def double(x: float = 2) -> float:
    """Twice x."""
    # Twice.
    return 2 * x
'''


@pytest.fixture
def hash_of(tmp_path):
    def compute(code, settings=None):
        (tmp_path / "module.py").write_text(code)
        return fingerprint(settings or {"tau": 0.5}, [tmp_path / "module.py"])

    return compute


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Twice.", "# Two times."),
        ("Twice x.", "x, two times."),
        ("What it is for", "Why"),
        ("2 * x", "(2 *  x)"),
    ],
)
def test_words_do_not_count(hash_of, old, new):
    assert hash_of(CODE) == hash_of(CODE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"), [("2 * x", "3 * x"), ("= 2", "= 3"), ("2 * x", "2 + x"), ("double", "twice")]
)
def test_code_counts(hash_of, old, new):
    assert hash_of(CODE) != hash_of(CODE.replace(old, new))


def test_settings_count(hash_of):
    assert hash_of(CODE) != hash_of(CODE, {"tau": 0.1})


@pytest.mark.parametrize("name", [f.name for f in fields(SimclrConfig)])
def test_every_setting_of_a_recipe_is_in_its_hash(name):
    recipe, config = RECIPES["digits-trajectory"], SimclrConfig()
    other = (2,) if name == "dimensions" else getattr(config, name) * 0.5 if name == "strength" else None
    if other is None:
        other = getattr(config, name) + 1
    assert recipe.sha256(config) != recipe.sha256(replace(config, **{name: other}))
