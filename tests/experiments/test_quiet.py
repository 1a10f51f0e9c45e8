"""Libraries print nothing, and import nothing, that nobody asked them for."""

import os
import subprocess
import sys

import pytest

from rnnscope.experiments.common.quiet import not_installed, without_stderr


def test_what_is_written_to_standard_error_even_by_compiled_code_is_kept_away(capfd):
    with without_stderr():
        os.write(2, b"a library's note")
    os.write(2, b"ours")
    assert capfd.readouterr().err == "ours"


def test_a_module_cannot_be_imported_while_it_is_said_not_to_be_installed():
    sys.modules.pop("colorsys", None)
    with not_installed("colorsys", "os"), pytest.raises(ModuleNotFoundError):
        import colorsys
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)
    assert sys.modules["os"] is os  # had been imported before


@pytest.mark.parametrize("module", ["jax", "sklearn", "pandas", "matplotlib.pyplot"])
def test_the_process_that_runs_are_forked_from_does_not_import_what_it_has_no_need_of(module, imported_by_runs):
    pytest.importorskip(module)
    assert module not in imported_by_runs
    assert {"keras", "tensorflow", "rnnscope.experiments.training.run"} <= imported_by_runs


@pytest.fixture(scope="module")
def imported_by_runs():
    """Names of all modules that are there once the server that runs are forked from has begun."""
    seen = "import sys, rnnscope.experiments.sweeps.worker; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", seen], check=True, capture_output=True, text=True)
    assert not ended.stderr
    return set(ended.stdout.split())
