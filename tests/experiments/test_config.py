"""The configuration: choices, types, limits."""

import dataclasses

import keras
import pytest
from omegaconf import OmegaConf

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.configuration.composition import CONF, prepare
from rnnscope.experiments.configuration.schema import ACTIVATIONS, INITIALIZERS, SCHEMAS, Config
from rnnscope.experiments.configuration.validation import validate
from rnnscope.experiments.sweeps import request as requests

CHOICES = [
    (folder.name, file.stem)
    for folder in sorted(CONF.iterdir())
    if folder.is_dir() and folder.name not in ("hydra", "local", "study")
    for file in sorted(folder.glob("*.yaml"))
]
ASKED_FOR = {"csv": ["dataset.path=own.csv", "dataset.target=own"], "npz": ["dataset.path=own.npz"]}
"""What a choice must be told."""


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes_and_is_valid(compose, group, choice):
    config = compose(f"{group}={choice}", *ASKED_FOR.get(choice, []))
    validate(config)
    assert not OmegaConf.missing_keys(config)


@pytest.mark.parametrize(("group", "choice"), [pair for pair in CHOICES if pair[0] in SCHEMAS])
def test_every_choice_is_called_by_its_name_and_opens_with_what_it_is(compose, group, choice):
    assert compose(f"{group}={choice}")[group].name == choice
    assert (CONF / group / f"{choice}.yaml").read_text().startswith("# ")


def test_activations_are_keras_s_elementwise_ones_and_initializers_are_known_to_keras():
    known = {name for name in dir(keras.activations) if callable(getattr(keras.activations, name))}
    plumbing = {"get", "serialize", "deserialize"}
    two_arguments_or_another_shape = {"glu", "threshold"}
    assert set(ACTIVATIONS) == known - plumbing - two_arguments_or_another_shape
    for name in ACTIVATIONS:
        assert callable(keras.activations.get(name))
    for name in INITIALIZERS:
        assert isinstance(keras.initializers.get(name), keras.initializers.Initializer)


@pytest.mark.parametrize(
    "field",
    [field for schema in (Config, *(f.type for f in dataclasses.fields(Config))) if dataclasses.is_dataclass(schema)
     for field in dataclasses.fields(schema)],
    ids=lambda field: field.name,
)  # fmt: skip
def test_limits_use_known_words(field):
    assert set(field.metadata) <= {"at_least", "above", "at_most", "choices", "not_for"}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("cell.units=0", "cell.units=0: expected a value of at least 1"),
        ("architecture.depth=-2", "architecture.depth=-2: expected a value of at least 1"),
        ("optimizer.learning_rate=0", "optimizer.learning_rate=0.0: expected a value above 0"),
        ("optimizer.learning_rate=inf", "optimizer.learning_rate=inf: expected a finite number"),
        ("cell.dropout=1.5", "cell.dropout=1.5: expected a value of at most 1"),
        ("cell.activation=tahn", "cell.activation=tahn: did you mean tanh?"),
        ("seed=-1", "seed=-1: expected a value of at least 0"),
        ("trainer.patience=0", "trainer.patience=0: expected a value of at least 1"),
        ("name=a/b", "name=a/b: expected letters, digits"),
        ("name='a b'", "name=a b: expected letters, digits"),
        ("name=.hidden", "name=.hidden: expected letters, digits"),
        ("+cell.foo=3", "cell.foo: there is no such option in cell"),
        ("+dataset.requires={no_such_module: no-such-package}", "pip install no-such-package"),
    ],
)
def test_what_the_types_allow_and_the_limits_do_not_is_one_line(compose, override, message):
    with pytest.raises(UserError) as raised:
        validate(compose(override))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_runs_of_a_sweep_that_differ_in_their_seed_are_what_each_is_alone(compose):
    request = requests.read(["-m", "cell=gru,rnn", "seed=7,3", "dataset=parity", "name=both"])
    alone = [
        compose(f"cell={cell}", f"seed={seed}", "dataset=parity", "name=both")
        for cell in ("gru", "rnn")
        for seed in (7, 3)
    ]
    assert request.runs == alone


@pytest.mark.parametrize(
    ("sweep", "handed_on"),
    [
        (
            "dataset=adding,temporal_order dataset.length=20 trainer.epochs=2 seed=1,2",
            "dataset=adding,temporal_order ++dataset.length=20 trainer.epochs=2 seed=1,2",
        ),
        pytest.param(
            "dataset=weather,sea_temperature dataset.horizon=2,3 dataset.train_size=null",
            "dataset=weather,sea_temperature dataset.horizon=2,3 ++dataset.train_size=null",
            marks=pytest.mark.slow,  # needs bokeh_sampledata
        ),
        (
            "cell=gru,mgu architecture.output_units=[4] cell.activation=relu dataset=adding dataset.length=9",
            "cell=gru,mgu architecture.output_units=[4] ++cell.activation=relu dataset=adding dataset.length=9",
        ),
    ],
)
def test_hydra_takes_options_of_which_only_the_choices_swept_over_know(taken_by_hydra, sweep, handed_on):
    prepare()
    request = requests.read(["-m", *sweep.split()])
    assert request.grids[0].arguments == ["-m", *handed_on.split()]
    taken_by_hydra(request)


@pytest.mark.slow  # needs mnist1d
def test_a_sweep_over_how_much_is_kept_of_a_dataset_makes_it_once(monkeypatch):
    from mnist1d import data

    made, make = [], data.make_dataset
    monkeypatch.setattr(data, "make_dataset", lambda options: made.append(options.shuffle_seq) or make(options))
    prepare()
    sweep = ["-m", "dataset=mnist1d", "dataset.train_fraction=0.1,0.5,1", "dataset.shuffled=false,true", "seed=1,2"]
    assert len(requests.read(sweep).runs) == 12
    assert made == [False, True]
