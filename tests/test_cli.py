"""The command `rnnscope`: what it lists, completes and refuses, before any run begins."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnscope.experiments.commands import main as command
from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.configuration.composition import prepare
from rnnscope.experiments.sweeps import request as requests

ROOT = Path(__file__).parents[1]
RNNSCOPE = Path(sys.executable).with_name("rnnscope")


def rnnscope(*arguments, cwd=None, **environment):
    """`rnnscope …` as it is installed; standard output and error as text."""
    return subprocess.run(
        [RNNSCOPE, *arguments], cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_help_lists_every_command_once_and_by_group(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    parser = command._parser()
    (commands,) = (action.choices for action in parser._actions if action.dest == "command")
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line.split()[0] in commands]
    assert sorted(listed) == sorted(commands)
    assert {"Train:", "Look at data and runs:", "Use a trained network:", "Studies:", "Set-up:"} <= set(lines)


def test_help_and_a_wrong_command_start_neither_keras_nor_hydra(tmp_path):
    code = (
        "import sys\n"
        "from rnnscope.experiments.commands.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'keras', 'tensorflow', 'hydra'} & set(sys.modules)))"
    )
    for arguments in (["--help"], ["trian"], ["--version"]):
        ended = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert ended.stdout.splitlines()[-1] == "[]"


def test_the_version_is_that_of_the_package(capsys):
    import rnnscope as package

    with pytest.raises(SystemExit) as ended:
        command.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"rnnscope {package.__version__}\n"


def test_a_missing_extra_is_one_line_with_the_command_that_installs_it(monkeypatch, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "sklearn" else found(name, *rest)
    )
    for arguments in (["train"], ["summary", "runs/default"], ["show", "dataset=adding"]):
        assert command.main(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"rnnscope {arguments[0]}: needs packages that are not installed (sklearn): ")
        assert "pip install 'rnnscope[train]'" in said
        assert said.count("\n") == 1


# ------------------------------------------------------------------ where runs live


@pytest.fixture
def folder_of(tmp_path, monkeypatch):
    """The folder of the runs that arguments ask for, given in an empty folder."""
    monkeypatch.chdir(tmp_path)
    prepare()
    return lambda *arguments: requests.read([*arguments, "dataset=adding"]).folder


def test_runs_live_where_runs_dir_says(folder_of, monkeypatch, tmp_path):
    assert folder_of() == Path("runs/default")
    assert folder_of("runs_dir=elsewhere", "name=mine") == Path("elsewhere/mine")
    assert folder_of(f"runs_dir={tmp_path}/whole") == tmp_path / "whole" / "default"
    monkeypatch.setenv("RNNSCOPE_RUNS", str(tmp_path / "variable"))
    assert folder_of() == tmp_path / "variable" / "default"
    assert folder_of("runs_dir=elsewhere") == Path("elsewhere/default")


def test_a_run_is_the_same_run_wherever_it_lives(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare()
    names = {requests.read(["dataset=adding", *more]).directories[0].name for more in ([], ["runs_dir=elsewhere"])}
    assert len(names) == 1


@pytest.mark.parametrize("option", ["hydra.run.dir", "hydra.sweep.dir", "+hydra.sweep.dir", "hydra.sweep.subdir"])
def test_an_option_of_hydra_s_that_would_have_no_effect_is_refused(option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare()
    with pytest.raises(UserError, match=r"has no effect.*runs_dir=… .*RNNSCOPE_RUNS"):
        requests.read([f"{option}=there"])


# ---------------------------------------------------------------------- completion


def completed(line):
    """What the shell is offered for a line."""
    request = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_TYPE": "9",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_STDOUT_FILENAME": os.devnull,
    }
    reader, writer = os.pipe()
    request["_ARGCOMPLETE_STDOUT_FILENAME"] = f"/dev/fd/{writer}"
    ended = subprocess.run([RNNSCOPE], env=os.environ | request, pass_fds=[writer], capture_output=True, check=False)
    os.close(writer)
    with os.fdopen(reader) as answers:
        return ended.returncode, answers.read().split("\n")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("rnnscope stu", {"studies", "study"}),
        ("rnnscope train cell=gr", {"cell=gru"}),
        ("rnnscope train -m cell=gru cell.un", {"cell.units="}),
        ("rnnscope train trainer.ep", {"trainer.epochs="}),
        ("rnnscope summary --wh", {"--where"}),
    ],
)
def test_a_shell_completes_commands_flags_and_options(line, offered):
    status, answers = completed(line)
    assert status == 0
    assert {answer.strip() for answer in answers} - {""} == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_needs_to_complete_is_printed(shell, capsys):
    assert command.main(["completion", shell]) == 0
    assert "rnnscope" in capsys.readouterr().out


# ------------------------------------------------------------- wherever it is started


def test_nothing_of_the_checkout_can_be_imported_from_another_folder(tmp_path):
    code = (
        "import importlib.util as util\n"
        "names = 'layers experiments tests docs conf train benchmarks examples tools'.split()\n"
        "print([name for name in names if util.find_spec(name)])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_a_user_s_script_may_have_a_module_called_layers(tmp_path):
    (tmp_path / "layers.py").write_text("LSTM = 'mine'\n")
    (tmp_path / "experiments.py").write_text("RUNS = 3\n")
    (tmp_path / "script.py").write_text(
        "import keras, layers, experiments, rnnscope\n"
        "assert (layers.LSTM, experiments.RUNS) == ('mine', 3)\n"
        "print(rnnscope.LSTM(4)(keras.ops.ones((2, 3, 1))).shape)\n"
    )
    ended = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "(2, 4)\n"


def test_the_commands_of_a_checkout_are_the_same(tmp_path):
    listed = rnnscope("studies", cwd=tmp_path)
    module = subprocess.run(
        [sys.executable, "-m", "experiments", "studies"],
        cwd=ROOT, env=os.environ | {"COLUMNS": "200"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert listed.returncode == module.returncode == 0
    assert listed.stdout == module.stdout


def test_a_folder_of_choices_may_have_any_name(tmp_path, monkeypatch):
    folder = tmp_path / "Ada's (new), choices"
    (folder / "cell").mkdir(parents=True)
    (folder / "cell" / "mine.yaml").write_text("defaults:\n  - gru\n  - _self_\nname: mine\nunits: 3\n")
    monkeypatch.chdir(tmp_path)
    prepare()
    (run,) = requests.read(["--config-dir", str(folder), "cell=mine", "dataset=adding"]).runs
    assert (run.cell.name, run.cell.units) == ("mine", 3)


def test_a_sign_that_the_terminal_s_encoding_lacks_is_no_error(tmp_path):
    ended = rnnscope("studies", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert ended.returncode == 0, ended.stderr
    assert "?" in ended.stdout
