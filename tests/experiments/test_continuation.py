"""What a run takes over from the run that it continues."""

import pytest
import yaml

from rnnscope.experiments.runs.continuation import with_origin


@pytest.fixture
def origin(tmp_path):
    """`origin([…])`: the directory of a run that was started with these overrides."""

    def make(overrides):
        (tmp_path / ".hydra").mkdir()
        (tmp_path / ".hydra" / "config.yaml").write_text("seed: 1\n")
        (tmp_path / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(overrides))
        return f"continue={tmp_path}"

    return make


def test_options_are_taken_over_unless_they_are_given_again(origin):
    given = [origin(["cell=gru", "cell.units=8", "++dataset.length=9", "seed=3"]), "seed=4", "trainer.epochs=9"]
    *taken, continued_from = with_origin(given)
    assert taken == ["cell=gru", "cell.units=8", "++dataset.length=9", "seed=4", "trainer.epochs=9"]
    assert continued_from.startswith("continued_from=")


def test_what_concerns_only_the_command_is_not_taken_over(origin):
    overrides = ["rerun=true", "sweep.seeds=5", "continued_from=x", "hydra.verbose=true", "hydra/launcher=ray"]
    assert len(with_origin([origin(overrides)])) == 1


@pytest.mark.parametrize(
    "override",
    [
        "dataset._target_=evil.load",
        "+cell._target_=os.system",
        "dataset.requires.os=x",
        "--config-dir=evil",
        "-cn=evil",
        "--experimental-rerun=evil.pickle",
        "hydra.searchpath=[evil]",
        "~hydra.searchpath",
    ],
)
def test_a_directory_of_a_stranger_cannot_name_code(override, origin):
    taken = with_origin([origin(["cell=gru", override])])
    assert taken[:-1] == ["cell=gru"]
