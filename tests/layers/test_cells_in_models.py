"""Cells with options, and cells around cells, in layers, in models and on disk."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import rnnscope
from rnnscope import RNN, Bidirectional, GRUCell, LSTMCell, Stacked, StackedRNNCells, ZoneoutCell
from tests.layers.equations import CELLS, LINEAR, cell_of, states_of
from tests.layers.helpers import B, H, I, T, assert_close, mask_of, outputs_and_gradients, randomise, twins, values
from tests.layers.variants import DROPPED, VARIANTS

variants = pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
WIDEST = ["everything", "nested", "linear", "projection"]
widest = pytest.mark.parametrize("make", [VARIANTS[name] for name in WIDEST], ids=WIDEST)
X = values(B, T, I, dtype="float64")
PUBLIC = {name: getattr(rnnscope, name) for name in rnnscope.__all__}
LAYERS = [name for name, each in PUBLIC.items() if isinstance(each, type) and issubclass(each, keras.layers.Layer)]


def sequential(layer):
    return randomise(keras.Sequential([keras.Input((None, I)), keras.layers.Masking(), layer, keras.layers.Dense(2)]))


# ----------------------------------------------------------------------------------------------------- training


def descent(cell, jit_compile):
    """A step of plain gradient descent in a model of unknown length and batch size, divided by its rate."""
    inputs = keras.Input((None, I))
    model = keras.Model(inputs, RNN(cell, return_sequences=True)(inputs))
    randomise(model)
    loss = lambda y, h: keras.ops.mean(keras.ops.sum(y * h, axis=(1, 2)))
    model.compile(keras.optimizers.SGD(0.01), loss, jit_compile=jit_compile)
    before = model.get_weights()
    model.train_on_batch(values(B, T, I), values(B, T, cell.output_size))
    return [(start - after) / 0.01 for start, after in zip(before, model.get_weights(), strict=True)]


def gradient(cell):
    layer = RNN(cell, return_sequences=True)
    layer.build((B, T, I))
    randomise(layer)
    with tf.GradientTape() as tape:
        outputs = layer(values(B, T, I), training=True)
        loss = tf.reduce_mean(tf.reduce_sum(outputs * values(*outputs.shape), axis=(1, 2)))
    return tape.gradient(loss, layer.trainable_weights)


@pytest.mark.parametrize("name", ["candidate_dropout", "projection", "linear", "everything"])
def test_a_model_of_unknown_length_and_batch_size_descends_the_same_gradient(name):
    assert_close(descent(VARIANTS[name](), jit_compile=False), gradient(VARIANTS[name]()), tolerance=1e-3)


@pytest.mark.parametrize("name", ["layer_normalised_gru", "deep_output"])
def test_so_does_a_model_that_is_compiled_as_a_whole(name, compiled):
    assert_close(descent(VARIANTS[name](), jit_compile=True), gradient(VARIANTS[name]()), tolerance=1e-3)


def test_a_model_compiled_as_a_whole_trains_whatever_is_drawn(compiled):
    model = sequential(RNN(ZoneoutCell(GRUCell(H, **DROPPED), rate=0.3, seed=1)))
    model.compile("sgd", "mse", jit_compile=True)
    losses = [float(model.train_on_batch(values(B, T, I), values(B, 2))) for _ in range(3)]
    assert np.isfinite(losses).all()
    assert len(set(losses)) == 3
    assert np.isfinite(model(values(B + 1, T, I), training=True)).all()


def test_a_cell_is_a_layer_of_a_functional_model():
    inputs = keras.Input((I,))
    states = keras.Input((H,)), keras.Input((H,))
    cell = LSTMCell(H)
    h, (_, c) = cell(inputs, list(states))
    assert cell.output[0] is h
    model = keras.Model([inputs, *states], [h, c])
    values_of = values(B, I), values(B, H, seed=1), values(B, H, seed=2)
    outputs, (_, last) = cell(values_of[0], list(values_of[1:]))
    assert_close(model(list(values_of)), [outputs, last])


@pytest.mark.parametrize("name", LAYERS)
def test_no_attribute_hides_one_of_the_layers_of_keras(name):
    # What Keras documents as methods to override, and what this package overrides with the same meaning.
    overridden = {"build", "call", "compute_mask", "compute_output_shape", "compute_output_spec", "from_config"}
    overridden |= {"get_config"}
    layer = getattr(rnnscope, name)
    own = {
        attribute
        for each in layer.__mro__
        if each.__module__.startswith("rnnscope")
        for attribute in vars(each)
        if not attribute.startswith("__")
    }
    assert own & set(dir(keras.layers.Layer)) <= overridden


# --------------------------------------------------------------------------------------------------- arrangements


@widest
def test_both_directions_are_those_of_keras(make):
    theirs = keras.layers.Bidirectional(keras.layers.RNN(make(dtype="float64"), return_sequences=True), dtype="float64")
    mine = Bidirectional(RNN(make(dtype="float64"), return_sequences=True), dtype="float64")
    pair = twins(mine, theirs)
    assert_close(*(outputs_and_gradients(layer, X, mask=mask_of("random")) for layer in pair), tolerance=1e-6)


@widest
def test_a_stack_of_cells_is_that_of_keras(make):
    def stack(rnn, stacked):
        cells = [make(dtype="float64"), LSTMCell(4, dtype="float64")]
        return rnn(stacked(cells, dtype="float64"), return_sequences=True, return_state=True, dtype="float64")

    pair = twins(stack(RNN, StackedRNNCells), stack(keras.layers.RNN, keras.layers.StackedRNNCells))
    assert_close(*(outputs_and_gradients(layer, X, mask=mask_of("row")) for layer in pair), tolerance=1e-12)


@widest
def test_a_stack_of_layers_is_one_layer_after_another(make):
    stack = Stacked([RNN(make(), return_sequences=True), Bidirectional(RNN(make()))])
    stack.build((B, T, I))
    randomise(stack)
    first, second = stack.layers
    assert_close(stack(values(B, T, I)), second(first(values(B, T, I))), tolerance=0)


@widest
def test_a_stateful_layer_goes_on_where_it_stopped(make):
    options = {"return_sequences": True}
    stateful, whole = twins(RNN(make(), stateful=True, **options), RNN(make(), **options))
    halves = [stateful(values(B, T, I)[:, part]) for part in (slice(0, 2), slice(2, T))]
    assert_close(np.concatenate(halves, axis=1), whole(values(B, T, I)))
    stateful.reset_state()
    assert_close(stateful(values(B, T, I)), whole(values(B, T, I)))


@variants
def test_states_given_are_states_returned_where_every_step_is_masked(make):
    layer = RNN(make(), return_state=True)
    states = states_of(layer.cell, dtype="float32")
    output, *last = layer(values(B, T, I), initial_state=states, mask=np.zeros((B, T), bool), training=True)
    assert_close(last, states, tolerance=0)
    assert (np.array(output) == 0).all()


# ------------------------------------------------------------------------------------------------------- precision


@widest
@pytest.mark.parametrize("policy, rounding", [("mixed_float16", 2.0**-10), ("mixed_bfloat16", 2.0**-7)])
def test_half_precision_is_as_near_to_single_precision_as_its_rounding_allows(make, policy, rounding):
    half, single = twins(*(RNN(make(dtype=dtype), dtype=dtype, return_sequences=True) for dtype in (policy, "float32")))
    outputs = half(values(B, T, I), mask=mask_of("random"))
    assert outputs.dtype.name == policy.removeprefix("mixed_")
    assert_close(outputs, single(values(B, T, I), mask=mask_of("random")), tolerance=T * rounding)
    assert np.isfinite(half(values(B, T, I), training=True)).all()


# ------------------------------------------------------------------------------------------------------- on disk


@variants
def test_a_saved_model_comes_back_with_its_outputs_and_what_it_will_draw(make, tmp_path):
    model = sequential(RNN(make()))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for training in (False, True):
        assert_close(loaded(values(B, T, I), training=training), model(values(B, T, I), training=training), tolerance=0)
    configs = (json.dumps(each.layers[1].cell.get_config()) for each in (loaded, model))  # tuples become lists
    assert len(set(configs)) == 1


@variants
def test_a_cell_and_its_layer_are_made_again_from_their_configurations(make):
    cell = make()
    copy = type(cell).from_config(cell.get_config())
    assert copy.get_config() == cell.get_config()
    layer = RNN(cell, return_sequences=True)
    again = RNN.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert_close(*(each(values(B, T, I)) for each in twins(again, layer)), tolerance=0)


@pytest.mark.parametrize("name", [*VARIANTS, *sorted(CELLS.keys() - LINEAR.keys())])
def test_a_configuration_holds_every_argument(name):
    cell = VARIANTS[name]() if name in VARIANTS else cell_of(name)
    arguments = {name for each in type(cell).__mro__ for name in inspect.signature(each.__init__).parameters}
    without_effect = {"self", "args", "kwargs", "autocast", "activity_regularizer", "implementation"}
    assert arguments - without_effect <= set(cell.get_config())


@widest
def test_a_cloned_model_has_new_weights_of_the_same_shapes(make):
    model = sequential(RNN(make()))
    clone = keras.models.clone_model(model)
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    clone.set_weights(model.get_weights())
    assert_close(clone(values(B, T, I)), model(values(B, T, I)), tolerance=0)


def test_an_exported_model_answers_without_keras(tmp_path):
    model = sequential(RNN(VARIANTS["everything"]()))
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(tmp_path / "model")
    for batch, length in ((B, T), (2, 9)):
        x = values(batch, length, I)
        assert_close(served.serve(x), model(x))


def test_every_weight_of_a_wrapped_cell_has_a_path_of_its_own():
    layer = RNN(VARIANTS["nested"]())
    layer.build((B, T, H))
    paths = [w.path for w in layer.weights]
    assert len(set(paths)) == len(paths)
