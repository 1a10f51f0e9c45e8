"""Models of these layers, saved and loaded, configured and copied."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import rnnscope
from rnnscope import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    EncoderDecoder,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    Stacked,
    StackedRNNCells,
)
from tests.layers.helpers import KINDS, B, H, I, T, assert_close, keras_layer, our_cell, ours, randomise, values

LAYERS = {
    **{kind: lambda kind=kind: ours(kind) for kind in KINDS},
    "lstm_with_options": lambda: LSTM(
        H,
        activation="relu",
        recurrent_activation="hard_sigmoid",
        use_bias=False,
        unit_forget_bias=2.0,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.3),
        recurrent_regularizer=keras.regularizers.L2(0.1),
        kernel_constraint="max_norm",
        activity_regularizer="l1",
        dropout=0.1,
        recurrent_dropout=0.2,
        seed=4,
        go_backwards=True,
        return_sequences=True,
        zero_output_for_mask=True,
        name="mine",
    ),
    "rnn_of_cell": lambda: RNN(GRUCell(H, reset_after=False), return_sequences=True),
    "rnn_of_cells": lambda: RNN([LSTMCell(4), SimpleRNNCell(H, activation="elu")]),
    "rnn_of_one_cell": lambda: RNN([LSTMCell(4)]),
    "rnn_of_mixed_cells": lambda: RNN(StackedRNNCells([keras.layers.GRUCell(4), LSTMCell(H)]), unroll=True),
    "bidirectional": lambda: Bidirectional(LSTM(H, return_sequences=True), merge_mode="ave"),
    "bidirectional_of_two": lambda: Bidirectional(LSTM(H), backward_layer=GRU(4, go_backwards=True)),
    "bidirectional_of_keras": lambda: Bidirectional(keras.layers.LSTM(H), merge_mode="mul"),
    "stacked": lambda: Stacked([Bidirectional(SimpleRNN(4, return_sequences=True)), GRU(H)], name="stack"),
    "nested": lambda: Stacked([Stacked([LSTM(4, return_sequences=True)]), RNN([GRUCell(3), LSTMCell(2)])]),
    "residual": lambda: Stacked([Bidirectional(SimpleRNN(2, return_sequences=True)), GRU(4)], "residual", 0.2, seed=1),
    "decoder_of_numbers": lambda: EncoderDecoder(
        Bidirectional(GRU(2, return_state=True)),
        GRU(4, return_sequences=True, return_state=True),
        keras.layers.Dense(2),
        start=[0.5, 1],
        steps=3,
    ),
    "decoder_of_tokens": lambda: EncoderDecoder(
        LSTM(4, return_state=True),
        Stacked([LSTM(4, return_sequences=True, return_state=True)], "residual"),
        keras.layers.Dense(5),
        keras.layers.Embedding(5, 2),
        start=1,
        steps=2,
    ),
    "keras_around_ours": lambda: keras.layers.Bidirectional(GRU(H)),
    "half": lambda: LSTM(H, dtype="mixed_bfloat16"),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def sequential(layer):
    return keras.Sequential([keras.Input((None, I)), keras.layers.Masking(), layer, keras.layers.Dense(2)])


def functional(layer):
    inputs = keras.Input((T, I))
    return keras.Model(inputs, [layer(inputs), keras.layers.Dense(2)(inputs)])


def built(layer):
    layer.build((B, T, I))
    return randomise(layer)


@every_layer
@pytest.mark.parametrize("build", [sequential, functional])
def test_a_saved_model_comes_back_with_its_outputs(make, build, tmp_path):
    if make is LAYERS["rnn_of_mixed_cells"]:
        build = functional  # unrolled, which takes a known length
    model = randomise(build(make()))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = values(B, T, I)
    assert_close(loaded(x), model(x), tolerance=0)
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]


def test_states_and_training_survive_saving(tmp_path):
    inputs, initial = keras.Input((None, I)), [keras.Input((4,)), keras.Input((4,))]
    outputs, h, c = LSTM(4, return_sequences=True, return_state=True)(inputs, initial_state=initial)
    model = keras.Model(
        [inputs, *initial], [outputs, Bidirectional(GRU(3))(outputs, initial_state=[h[:, :3], c[:, :3]])]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse")
    x, y = [values(B, T, I), values(B, 4), values(B, 4)], [values(B, T, 4), values(B, 6)]
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.train_on_batch(x, y)
    assert_close(loaded.get_weights(), model.get_weights())


@every_layer
def test_a_layer_is_made_again_from_its_configuration(make):
    layer = built(make())
    config = layer.get_config()
    copy = type(layer).from_config(config)
    assert copy.get_config() == layer.get_config()
    copy.build((B, T, I))
    copy.set_weights(layer.get_weights())
    x = values(B, T, I)
    assert_close(copy(x), layer(x), tolerance=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_configuration_holds_every_argument(kind):
    cell, layer = our_cell(kind), ours(kind, activity_regularizer="l2")
    arguments = {name for each in type(cell).__mro__ for name in inspect.signature(each.__init__).parameters}
    without_effect = {"autocast", "implementation", "input_dim", "input_shape", "use_cudnn"}
    assert arguments - {"self", "args", "kwargs", "activity_regularizer"} - without_effect <= set(cell.get_config())
    assert {*inspect.signature(type(layer)).parameters} - without_effect <= set(layer.get_config())


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_is_made_again_from_its_configuration(kind):
    cell = our_cell(kind, activation="elu", dropout=0.2, bias_initializer="ones", kernel_regularizer="l2", seed=1)
    copy = type(cell).from_config(cell.get_config())
    assert copy.get_config() == cell.get_config()


@every_layer
def test_a_cloned_model_has_new_weights_of_the_same_shapes(make):
    model = randomise(functional(make()))
    clone = keras.models.clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    clone.set_weights(model.get_weights())
    x = values(B, T, I)
    assert_close(clone(x), model(x), tolerance=0)


@every_layer
def test_weights_are_saved_and_loaded_alone(make, tmp_path):
    model, other = randomise(functional(make())), functional(make())
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_close(other.get_weights(), model.get_weights(), tolerance=0)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_found_under_the_names_of_keras(kind):
    paths = []
    for make in (ours, keras_layer):
        layer = make(kind, name="layer")
        layer.build((B, T, I))
        paths.append([w.path for w in layer.weights])
    assert paths[0] == paths[1]
    assert [path.split("/")[-1] for path in paths[0]] == ["kernel", "recurrent_kernel", "bias"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_file_of_a_keras_model_fits_our_model(kind, tmp_path):
    theirs, mine = (sequential(make(kind, name="layer")) for make in (keras_layer, ours))
    randomise(theirs).save_weights(tmp_path / "model.weights.h5")
    mine.load_weights(tmp_path / "model.weights.h5")
    assert_close(mine(values(B, T, I)), theirs(values(B, T, I)))


@pytest.mark.parametrize("name", ["RNN", "SimpleRNN", "LSTM", "GRU", "Bidirectional", "Stacked", "EncoderDecoder"])
def test_layers_are_registered_under_the_name_of_the_distribution(name):
    assert keras.saving.get_registered_name(getattr(rnnscope, name)) == f"rnnscope>{name}"
    assert keras.saving.get_registered_object(f"rnnscope>{name}") is getattr(rnnscope, name)


@pytest.mark.parametrize("name", ["lstm", "residual", "decoder_of_tokens"])
def test_an_exported_model_answers_without_keras(name, tmp_path, compiled):
    model = randomise(sequential(LAYERS[name]()))
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(tmp_path / "model")
    for batch, length in ((B, T), (2, 9)):
        x = values(batch, length, I)
        assert_close(served.serve(x), model(x))


def test_a_stateful_model_is_saved_without_its_states(tmp_path):
    inputs = keras.Input(batch_shape=(B, T, I))
    model = keras.Model(inputs, LSTM(H, stateful=True)(inputs))
    first = np.array(model(values(B, T, I)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(loaded(values(B, T, I)), first)
