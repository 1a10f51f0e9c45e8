"""A user's mistake: one line, a non-zero exit status, no traceback, nothing left behind."""

import subprocess
import sys

import pytest

from tests.e2e.conftest import TRAIN

MISTAKES = [
    (["cell=lstmm"], "cell=lstmm: there is no such choice; did you mean lstm? (allowed: gru, "),
    (["dataset=mnist"], "dataset=mnist: there is no such choice"),
    (["cell.untis=3"], "cell.untis: there is no such option in cell; did you mean units?"),
    (["celll=lstm"], "celll: there is no such option in the configuration; did you mean cell?"),
    (["dataset.length=3"], "dataset.length: there is no such option in dataset"),
    (["cell.units=abc"], "cell.units=abc: expected a whole number"),
    (["cell.units=1.5"], "cell.units=1.5: expected a whole number"),
    (["cell.units=null"], "cell.units=null: expected a whole number"),
    (["trainer.patience=abc"], "trainer.patience=abc: expected a whole number, or null"),
    (["architecture.bidirectional=maybe"], "architecture.bidirectional=maybe: expected true or false"),
    (["cell=gru", "architecture.cell_zoneout=0.5"], "architecture.cell_zoneout=0.5: expected 0 for cell=gru"),
    (["architecture.skip=dense"], "architecture.skip=dense: expected architecture.depth of at least 2 beside it"),
    (["architecture=residual", "architecture.bidirectional=true", "architecture.merge_mode=sum"],
     "architecture.merge_mode=sum: expected concat beside architecture.skip=residual"),
    (["architecture.transition_shortcut=true"], "expected architecture.transition_depth of at least 1 beside it"),
    (["architecture.output_units=[8,0]"], "architecture.output_units=[8, 0]: expected sizes of at least 1"),
    (["architecture.output_units=8"], "architecture.output_units=8: expected a list of whole numbers, as in [64]"),
    (["optimizer.clipvalue=0.5"], "optimizer.clipvalue=0.5: expected one way to clip; set the other to null"),
    (["cell.recurrent_initializer=zeros", "cell.recurrent_gain=2"], "only identity and orthogonal are scaled"),
    (["cell=indrnn", "cell.recurrent_initializer=identity"], "cell.recurrent_initializer=identity: allowed: glorot"),
    (["cell.units=0"], "cell.units=0: expected a value of at least 1"),
    (["trainer.epochs=-1"], "trainer.epochs=-1: expected a value of at least 1"),
    (["cell=rnn,lstm"], "several values make a sweep; add -m"),
    (["-m", "cell=rnn,lstm,grru"], "cell=grru: there is no such choice; did you mean gru?"),
    (["-m", "seed=1,2", "cell=rnn,lstm", "cell.unit_forget_bias=2"], "unit_forget_bias: there is no such option"),
    (["-m", "cell.units=8,0"], "cell.units=0: expected a value of at least 1"),
    (["-m", "seed=range(1,1)"], "seed=range(1,1): there is no value in it; expected at least one"),
    (["-m", "cell=rnn,lstm,rnn"], "cell=rnn,lstm,rnn: cell=rnn is there twice; expected every value once"),
    (["-m", "sweep.seeds=3", "seed=1,2"], "sweep.seeds=3 beside seed=1,2: expected one of the two"),
    (["sweep.seeds=3"], "sweep.seeds=3: several runs make a sweep; add -m"),
    (["-m", "sweep.seeds=0"], "sweep.seeds=0: expected a value of at least 1"),
    (["-m", "seed=1,2", "dataset.train_size=10,999999"], "dataset.train_size=999999: expected at most 1257"),
    (["-m", "seed=1,2", "hydra/launcher=slrum"], "hydra/launcher=slrum: there is no such choice; did you mean slurm?"),
    (["-m", "cell=rnn,lstm", "hydra.launcher.n_jobs=many"], "hydra.launcher.n_jobs=many: expected a whole number"),
    (["trainer.threads=0"], "trainer.threads=0: expected a value of at least 1"),
    (["trainer.time_limit=0"], "trainer.time_limit=0.0: expected a value above 0"),
    (["-m", "seed=1,2", "name=my runs"], "name=my runs: expected letters"),
    (["name=a/b"], "name=a/b: expected letters"),
    (["-m", "study=vanish"], "study=vanish: there is no such study; did you mean vanishing?"),
    (["64"], "64: expected name=value"),
    (["=3"], "rnnscope train: "),
    (["--cfg", "job", "cell.units=abc"], "cell.units=abc: expected a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_a_mistake_costs_one_line(train, tmp_path, arguments, message):
    ended = train(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("rnnscope train: ")
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(train, tmp_path):
    (tmp_path / "runs").write_text("a file where a folder should be")
    ended = train()
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("rnnscope train: runs/default: cannot be written (")
    assert "name=" in line


MAIN = "from rnnscope.experiments.commands.main import main"


def in_process(code, folder):
    command = [sys.executable, "-c", f"import sys\n{code}"]
    environment = {"PYTHONPATH": str(TRAIN.parent)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_dataset_whose_package_is_missing_names_the_command_that_installs_it(tmp_path):
    code = f"sys.modules['vega_datasets'] = None\n{MAIN}\nsys.exit(main(['train', 'dataset=weather']))"
    ended = in_process(code, tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == (
        "rnnscope train: dataset=weather needs the package vega_datasets, which is not installed: "
        "pip install vega_datasets\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("plugin", "asked", "extra"),
    [
        ("hydra_ray_launcher", "hydra/launcher=ray", "ray"),
        ("hydra_submitit_launcher", "hydra/launcher=slurm", "slurm"),
        ("hydra_optuna_sweeper", "hydra/sweeper=optuna", "search"),
    ],
)
def test_a_launcher_or_sweeper_whose_packages_are_missing_names_the_command_that_installs_them(
    tmp_path, plugin, asked, extra
):
    code = f"sys.modules['hydra_plugins.{plugin}'] = None\n{MAIN}\nsys.exit(main(['train', '-m', '{asked}']))"
    ended = in_process(code, tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"rnnscope train: {asked} needs packages that are not installed: pip install 'rnnscope[{extra}]' "
        f"(in a checkout: pip install -c constraints.txt -e '.[{extra}]')\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["cell=lstmm"], ["study=vanishing"]])
def test_questions_and_mistakes_are_answered_before_tensorflow_is_imported(tmp_path, arguments):
    code = (
        f"sys.argv = ['rnnscope', 'train', *{arguments!r}]\n{MAIN}\n"
        "try: main()\nexcept SystemExit: pass\n"
        "sys.exit(bool({'tensorflow', 'keras', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    ended = in_process(code, tmp_path)
    assert ended.returncode == 0, ended.stderr


def test_help_lists_every_choice(train):
    ended = train("--help")
    assert ended.returncode == 0
    for group in ("cell", "dataset", "optimizer"):
        choices = ", ".join(sorted(file.stem for file in (TRAIN.parent / "conf" / group).glob("*.yaml")))
        assert f"{group:<14}{choices}" in ended.stdout
    assert "rnnscope train -m cell=rnn,lstm,gru" in ended.stdout


def test_the_configuration_can_be_read_without_running_it(train, tmp_path):
    ended = train("--cfg", "job", "cell=gru", "cell.units=7")
    assert ended.returncode == 0
    assert "reset_after: true" in ended.stdout
    assert "units: 7" in ended.stdout
    assert list(tmp_path.iterdir()) == []
