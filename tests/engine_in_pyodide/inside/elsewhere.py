"""Tests of the engine that are about this machine or this repository: skipped in the browser's Python.

{file::function: what it needs}. The driver fails when an entry names no test.
"""

SOURCES = "the engine's sources"  # its wheel holds bytecode
BLAS = "BLAS"
SPEED = "this machine's speed"  # what a page takes is measured by `make bench`

ELSEWHERE = {
    "test_augment_compose.py::test_simclr_of_a_96_pixel_image_takes_far_less_than_20_ms": SPEED,
    "test_package.py::test_version_is_the_projects": SOURCES,
    "test_package.py::test_imports_numpy_and_the_standard_library_alone": SOURCES,
    "test_package.py::test_products_of_matrices_go_through_one_helper": SOURCES,
    "test_package.py::test_every_public_function_is_documented": SOURCES,
    "test_similarity.py::test_forcing_a_path_ends_with_the_block": BLAS,  # says which path is the usual one
    # The driver measures the path without BLAS on its own: two matrices at once, not one.
    "test_nt_xent_limits.py::test_at_most_three_matrices_at_once": BLAS,
}
