"""The report: a picture of what was recorded, or the reason why there is none."""

import numpy as np
import pytest
from PIL import Image

from build_scripts.precompute import export
from build_scripts.precompute.quantise import Exported
from build_scripts.precompute.report import report


def test_draws_a_figure(small_run, tmp_path):
    report(small_run, tmp_path / "deep" / "report.png")
    with Image.open(tmp_path / "deep" / "report.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert min(pixels.shape[:2]) > 1000
    assert len(np.unique(pixels.reshape(-1, 3)[::97], axis=0)) > 50, "the picture is not blank"


def test_names_what_is_missing(tmp_path):
    export.write(tmp_path / "data", {"z2": Exported(np.zeros((2, 3, 2)), "points")}, {})
    with pytest.raises(ValueError, match="lacks z3"):
        report(tmp_path / "data", tmp_path / "report.png")
    assert not (tmp_path / "report.png").exists()
