"""What XLA compiles for a run is there for the other runs of its sweep."""

import os
from pathlib import Path

from rnnscope.experiments.sweeps.programs import shared_programs
from tests.e2e.conftest import ONE_BY_ONE, SMALL_ADDING, run_train

VARIABLE = "TF_XLA_FLAGS"


def test_a_sweep_compiles_once_for_all_its_seeds(tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    monkeypatch.setenv(VARIABLE, f"--tf_xla_persistent_cache_directory={programs}")
    ended = run_train(tmp_path, "-m", *SMALL_ADDING, "cell=rnn", "seed=1,2", ONE_BY_ONE)
    assert ended.returncode == 0, ended.stdout
    began = sorted(path.stat().st_mtime for path in tmp_path.glob("runs/default/*/environment.json"))
    compiled = [path.stat().st_mtime for path in programs.iterdir()]
    assert began[0] < min(compiled) <= max(compiled) < began[1]


def test_a_sweep_leaves_none_of_it_behind(monkeypatch):
    monkeypatch.setenv(VARIABLE, "--tf_xla_cpu_global_jit")
    with shared_programs():
        kept, folder = os.environ[VARIABLE].split(" --tf_xla_persistent_cache_directory=")
        assert kept == "--tf_xla_cpu_global_jit"
        assert Path(folder).is_dir()
        (Path(folder) / "program").touch()
    assert not Path(folder).exists()
    assert os.environ[VARIABLE] == "--tf_xla_cpu_global_jit"
    monkeypatch.delenv(VARIABLE)
    with shared_programs():
        assert VARIABLE in os.environ
    assert VARIABLE not in os.environ
