"""Signatures of the layers: Keras's arguments in Keras's order, then those of the cell, all of them documented."""

import inspect
import re

import keras
import pytest

import rnnscope
from rnnscope import GRU, LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell, Stacked
from rnnscope.arguments import LayerArguments

POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
VARIADIC = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
SHORT_FORMS = [SimpleRNN, LSTM, GRU]
EXPLICIT = [*SHORT_FORMS, RNN, Bidirectional]
DROP_IN = [*EXPLICIT, SimpleRNNCell, LSTMCell, GRUCell]

layers = pytest.mark.parametrize("layer", EXPLICIT, ids=lambda layer: layer.__name__)


def parameters(function):
    return dict(inspect.signature(function).parameters)


def described(layer):
    """Return the names that the section `Args` of a docstring describes."""
    section = re.search(r"^Args:\n(.*?)\n\n", inspect.getdoc(layer), re.DOTALL | re.MULTILINE)[1]
    entries = re.findall(r"^    (\w+(?:, \w+)*): ", section, re.MULTILINE)
    return [name for entry in entries for name in entry.split(", ")]


@pytest.mark.parametrize("layer", DROP_IN, ids=lambda layer: layer.__name__)
def test_positional_arguments_are_those_of_keras_in_order_and_with_their_defaults(layer):
    theirs = parameters(getattr(keras.layers, layer.__name__))
    expected = [(name, each.default) for name, each in theirs.items() if each.kind is POSITIONAL]
    mine = [(name, each.default) for name, each in parameters(layer).items() if each.kind is POSITIONAL]
    assert mine[: len(expected)] == expected
    if layer in EXPLICIT:
        assert len(mine) == len(expected)


@layers
def test_a_signature_names_every_argument(layer):
    assert not [name for name, each in parameters(layer).items() if each.kind in VARIADIC]


@layers
def test_a_layer_takes_the_arguments_of_every_layer_of_keras(layer):
    theirs = parameters(keras.layers.Layer.__init__)
    own = parameters(layer)
    for name in set(theirs) - {"self", "kwargs"}:
        assert own[name].default == theirs[name].default
    assert set(LayerArguments.__annotations__) == set(theirs) - {"self", "kwargs"} | {"input_shape", "input_dim"}
    assert set(LayerArguments.__annotations__) <= set(own)


@pytest.mark.parametrize("layer", SHORT_FORMS, ids=lambda layer: layer.__name__)
def test_a_layer_takes_the_arguments_of_its_cell_and_of_rnn_with_their_defaults(layer):
    own, of_cell, of_rnn = (parameters(each) for each in (layer, layer.cell_class, RNN))
    del of_cell["kwargs"], of_rnn["cell"]
    assert set(own) == {*of_cell, *of_rnn, "use_cudnn"}
    for name, parameter in {**of_cell, **of_rnn}.items():
        assert (own[name].default, own[name].annotation) == (parameter.default, parameter.annotation), name


@layers
def test_every_argument_is_described_once_in_the_docstring(layer):
    assert sorted(described(layer)) == sorted(parameters(layer))


@layers
def test_a_docstring_has_call_arguments_errors_and_an_example(layer):
    sections = r"Call arguments:\n    sequences: .*Raises:\n    ValueError: .*>>> "
    assert re.search(sections, inspect.getdoc(layer), re.DOTALL)


def test_all_arguments_may_be_positional_as_in_keras():
    arguments = (8, "tanh", "sigmoid", True, "glorot_uniform", "orthogonal", "zeros", True, "l2")
    mine, theirs = LSTM(*arguments, name="layer").get_config(), keras.layers.LSTM(*arguments, name="layer").get_config()
    assert {name: mine.get(name) for name in theirs} == theirs


@pytest.mark.parametrize("layer", [SimpleRNN, LSTM, GRU])
def test_the_configuration_of_a_layer_of_keras_makes_one_of_ours(layer):
    theirs = getattr(keras.layers, layer.__name__)(8, activity_regularizer="l2", dtype="float64", trainable=False)
    mine = layer.from_config(theirs.get_config())
    config = mine.get_config()
    same = {name: value for name, value in theirs.get_config().items() if name != "dtype"}
    assert {name: config.get(name) for name in same} == same
    assert mine.compute_dtype == mine.cell.compute_dtype == "float64"
    assert not mine.cell.trainable


def test_the_shape_of_the_inputs_may_be_given_to_the_first_layer_as_in_keras_2():
    with pytest.warns(UserWarning, match="Do not pass an `input_shape`"):
        model = keras.Sequential([LSTM(8, input_shape=(5, 3))])
    assert model.output_shape == (None, 8)


def test_a_subclass_may_take_fewer_arguments():
    class Small(LSTM):
        def __init__(self, units):
            super().__init__(units, dropout=0.5, name="small")

    assert Small(8).dropout == 0.5
    with pytest.raises(TypeError, match="dropout"):
        Small(8, dropout=0.1)


def test_a_subclass_may_take_more_arguments():
    class Named(GRU):
        def __init__(self, units, label="", **kwargs):
            super().__init__(units, **kwargs)
            self.label = label

    assert Named(8, label="a", dropout=0.5).label == "a"
    with pytest.raises(ValueError, match="labl: expected label or another argument of Named, got an unknown name"):
        Named(8, labl="a")


@pytest.mark.parametrize("make", [LSTMCell, lambda units, **keywords: Stacked([LSTM(units)], **keywords)])
def test_other_classes_suggest_the_nearest_name_too(make):
    with pytest.raises(ValueError, match="dropot: expected dropout or another argument of"):
        make(8, dropot=0.1)


def test_arguments_are_typed():
    assert parameters(rnnscope.LSTM)["units"].annotation is int
