"""`Stacked` against its layers called one after another by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnscope import GRU, LSTM, RNN, Bidirectional, MGUCell, SimpleRNN, Stacked
from rnnscope.stacked import state_sizes
from tests.layers.helpers import (
    B,
    H,
    I,
    T,
    assert_close,
    mask_of,
    outputs_and_gradients,
    randomise,
    values,
)

SKIPS = (None, "residual", "input", "dense")
skips = pytest.mark.parametrize("skip", SKIPS)
masks = pytest.mark.parametrize("mask", ["none", "random"])


def built(layer, shape=(B, T, I)):
    layer.build(shape)
    return randomise(layer)


def layers_of(return_state=False, return_sequences=True, sizes=(4, 3, H)):
    state = {"return_state": return_state}
    return [
        LSTM(sizes[0], return_sequences=True, **state),
        Bidirectional(SimpleRNN(sizes[1], return_sequences=True, **state), merge_mode="sum"),
        GRU(sizes[2], return_sequences=return_sequences, **state),
    ]


def mixed_layers(return_state=False, return_sequences=True):
    """One layer of every kind, all with four features."""
    state, sequence = {"return_state": return_state}, {"return_sequences": True, "return_state": return_state}
    return [
        keras.layers.GRU(4, **sequence),
        Bidirectional(LSTM(2, **sequence)),
        RNN(MGUCell(4), **sequence),
        SimpleRNN(4, **sequence, zero_output_for_mask=True),
        Stacked([LSTM(3, **sequence), GRU(4, **sequence)]),
        LSTM(4, return_sequences=return_sequences, **state),
    ]


class ByHand:
    """The layers of a stack, called one after another."""

    def __init__(self, stack):
        self.layers, self.skip = stack.layers, stack.skip
        self.trainable_weights = stack.trainable_weights

    def __call__(self, x, initial_state=None, mask=None):
        outputs, collected, start = [], [], 0
        for layer in self.layers:
            count = len(state_sizes(layer))
            states = None if initial_state is None else initial_state[start : start + count]
            output = layer(self.reads(x, outputs), initial_state=states, mask=mask)
            start += count
            if layer.return_state:
                output, *states = output
                collected += states
            if outputs and self.skip == "residual":
                output = output + self.added(layer, outputs[-1], mask)
            outputs.append(output)
        return [outputs[-1], *collected]

    def reads(self, x, outputs):
        if not outputs:
            return x
        return {
            None: outputs[-1],
            "residual": outputs[-1],
            "input": tf.concat([outputs[-1], x], axis=-1),
            "dense": tf.concat([x, *outputs], axis=-1),
        }[self.skip]

    def added(self, layer, below, mask):
        if not layer.return_sequences:
            return at_step(below, mask, -1)
        zeroed = mask is not None and (hasattr(layer, "forward_layer") or getattr(layer, "zero_output_for_mask", False))
        return below * mask[:, :, None].astype("float32") if zeroed else below


def at_step(sequence, mask, index):
    """One of each example's unmasked steps; zeros where it has none."""
    steps = [range(T) if mask is None else np.flatnonzero(row) for row in (range(B) if mask is None else mask)]
    nothing = tf.zeros_like(sequence[0, 0])
    return tf.stack([sequence[b, found[index]] if len(found) else nothing for b, found in enumerate(steps)])


def initial_states(stack):
    """Random states of the stack's layers."""
    return [values(B, size, seed=size + index) for index, size in enumerate(state_sizes(stack))]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    skip=st.sampled_from(SKIPS),
    mask=st.sampled_from(["none", "random", "row"]),
    return_state=st.booleans(),
    return_sequences=st.booleans(),
    from_states=st.booleans(),
)
def test_a_stack_is_its_layers_called_one_after_another(skip, mask, return_state, return_sequences, from_states):
    layers = layers_of(return_state, return_sequences, sizes=(4, 4, 4) if skip == "residual" else (4, 3, H))
    stack = built(Stacked(layers, skip=skip))
    states, mask = initial_states(stack) if from_states else None, mask_of(mask)
    results = [outputs_and_gradients(each, values(B, T, I), states, mask=mask) for each in (stack, ByHand(stack))]
    assert_close(*results)
    assert len(results[0]["outputs"]) == 1 + return_state * len(state_sizes(stack))


@masks
@skips
def test_layers_of_every_kind_stand_in_one_stack(skip, mask):
    stack = built(Stacked(mixed_layers(return_state=True, return_sequences=False), skip=skip))
    x, states, mask = values(B, T, I), initial_states(stack), mask_of(mask)
    assert_close(*(outputs_and_gradients(each, x, states, mask=mask) for each in (stack, ByHand(stack))))


@pytest.mark.parametrize("skip, mask", [("residual", "random"), ("dense", "none")])
def test_a_compiled_stack_is_its_layers_called_one_after_another(skip, mask, compiled):
    layers = [LSTM(4, return_sequences=True), Bidirectional(GRU(2, return_sequences=True)), SimpleRNN(4)]
    stack = built(Stacked(layers, skip=skip))
    states, mask = initial_states(stack), mask_of(mask)
    assert_close(*(outputs_and_gradients(each, values(B, T, I), states, mask=mask) for each in (stack, ByHand(stack))))


@skips
def test_stacks_may_be_nested(skip):
    """A stack within a stack without skips is the same as its layers; with them, it is one layer among others."""
    inner = Stacked([GRU(3, return_sequences=True), SimpleRNN(4, return_state=True)], skip=None)
    nested = built(Stacked([LSTM(4, return_sequences=True), inner], skip=skip))
    assert_close(
        *(outputs_and_gradients(each, values(B, T, I), initial_states(nested)) for each in (nested, ByHand(nested)))
    )
    assert state_sizes(nested) == [4, 4, 3, 4]
    if skip is None:
        flat = Stacked([nested.layers[0], *inner.layers])
        assert_close(nested(values(B, T, I)), flat(values(B, T, I)))


LAST = {
    "forwards": (lambda **options: GRU(4, **options), [-1, -1]),
    "backwards": (lambda **options: GRU(4, go_backwards=True, **options), [0, 0]),
    "both": (lambda **options: Bidirectional(GRU(2, **options)), [-1, 0]),
    "both_turned": (lambda **options: Bidirectional(GRU(2, go_backwards=True, **options)), [0, -1]),
    "keras": (lambda **options: keras.layers.Bidirectional(keras.layers.LSTM(2, **options)), [-1, 0]),
    "nested": (lambda **options: Stacked([SimpleRNN(3, return_sequences=True), LSTM(4, **options)]), [-1, -1]),
    "of_cells": (lambda **options: RNN([MGUCell(3), MGUCell(4)], **options), [-1, -1]),
}
"""Last layers, and at which of an example's unmasked steps the two halves of their last output were said."""


@pytest.mark.parametrize("mask", ["none", "random", "row"])
@pytest.mark.parametrize("last", LAST)
def test_the_last_output_of_a_residual_stack_belongs_to_the_step_that_was_read_last(last, mask):
    """At that step it is what the same layers return as a sequence; a row without such a step says nothing."""
    make, steps = LAST[last]
    layers = [LSTM(4, return_sequences=True), Bidirectional(SimpleRNN(2, return_sequences=True)), make()]
    stack = built(Stacked(layers, skip="residual"))
    x, mask = values(B, T, I), mask_of(mask)
    below = Stacked(layers[:2], skip="residual")(x, mask=mask)
    expected = layers[2](below, mask=mask) + halves_at(below, mask, steps)
    assert_close(stack(x, mask=mask), expected)
    if "turned" in last or "backwards" in last:
        return
    sequence = built(Stacked([*layers[:2], make(return_sequences=True)], skip="residual"))
    sequence.set_weights(stack.get_weights())
    assert_close(halves_at(sequence(x, mask=mask), mask, steps), expected)


def halves_at(sequence, mask, steps):
    """The first half of the features at one of each example's unmasked steps, the second half at another."""
    halves = tf.split(sequence, 2, axis=-1)
    return tf.concat([at_step(half, mask, step) for half, step in zip(halves, steps, strict=True)], axis=-1)


def test_an_example_that_is_masked_throughout_adds_nothing_to_a_residual_stack():
    stack = built(Stacked([LSTM(4, return_sequences=True), GRU(4)], skip="residual"))
    outputs = np.array(stack(values(B, T, I), mask=mask_of("row")))
    np.testing.assert_array_equal(outputs[1], np.zeros(4))
    assert np.abs(outputs[[0, 2, 3]]).min() > 0


@pytest.mark.parametrize("last", [GRU, lambda n, **o: Bidirectional(GRU(n // 2, **o))], ids=["repeats", "zeroes"])
def test_masked_steps_of_a_residual_stack_are_those_of_its_last_layer(last):
    stack = built(Stacked([LSTM(4, return_sequences=True), last(4, return_sequences=True)], skip="residual"))
    mask = mask_of("right")
    outputs = np.array(stack(values(B, T, I), mask=mask))
    after = np.zeros((3, 4)) if isinstance(stack.layers[1], Bidirectional) else np.repeat(outputs[3, :1], 3, axis=0)
    assert_close(outputs[3, 3:], after)


@pytest.mark.parametrize("skip, rows", [(None, [I, 4, 6]), ("input", [I, 4 + I, 6 + I]), ("dense", [I, I + 4, I + 10])])
def test_a_skip_costs_rows_of_the_kernels(skip, rows):
    stack = built(Stacked([LSTM(4, return_sequences=True), GRU(6, return_sequences=True), RNN(MGUCell(5))], skip=skip))
    assert [layer.cell.kernel.shape[0] for layer in stack.layers] == rows


@skips
def test_dropout_falls_on_what_is_read_from_below_and_on_nothing_else(skip):
    """At a rate of one nothing comes up: what is left are the input, where it is read, and the residual path."""
    layers = [LSTM(4, return_sequences=True), SimpleRNN(4, return_sequences=True), GRU(4)]
    stack = built(Stacked(layers, skip=skip, dropout=1.0))
    x = values(B, T, I)
    outputs, nothing = [layers[0](x)], tf.zeros((B, T, 4))
    for layer, below in zip(layers[1:], (1, 2), strict=True):
        reads = {"input": [nothing, x], "dense": [x] + below * [nothing]}.get(skip, [nothing])
        output, added = layer(tf.concat(reads, axis=-1)), outputs[-1] if layer.return_sequences else outputs[-1][:, -1]
        outputs.append(output + added if skip == "residual" else output)
    assert_close(stack(x, training=True), outputs[-1])


def test_dropout_between_layers_is_drawn_anew_for_every_step_and_example():
    """The upper layer hands on what it reads."""
    reader = SimpleRNN(4, "linear", recurrent_initializer="zeros", kernel_initializer="identity", return_sequences=True)
    stack = Stacked([LSTM(4, return_sequences=True), reader], dropout=0.25, seed=3)
    x = values(64, T, I)
    read, whole = np.array(stack(x, training=True)), np.array(stack(x))
    kept = read != 0
    assert_close(read, np.where(kept, whole / 0.75, 0))
    assert np.mean(kept) == pytest.approx(0.75, abs=0.05)
    assert 0.5 < np.mean(kept[:, 1:] == kept[:, :-1]) < 0.75, "1 − 2 · 0.75 · 0.25 where steps are independent"
    assert np.abs(read - stack(x, training=True)).max() > 0.1
    twin = built(Stacked.from_config(stack.get_config()), (64, T, I))
    twin.set_weights(stack.get_weights())
    assert_close(twin(x, training=True), read)


@pytest.mark.parametrize("skip, return_sequences", [(None, True), ("residual", False), ("dense", True)])
def test_shapes_and_masks_are_those_of_the_result(skip, return_sequences):
    stack = Stacked(mixed_layers(return_state=True, return_sequences=return_sequences), skip=skip)
    x, mask = values(B, T, I), mask_of("random")
    results = stack(x, mask=mask)
    assert [tuple(result.shape) for result in results] == [tuple(n) for n in stack.compute_output_shape((B, T, I))]
    masks = stack.compute_mask(x, mask)
    assert len(masks) == len(results) == 1 + len(state_sizes(stack))
    assert masks[0] is (mask if return_sequences else None)
    assert masks[1:] == [None] * len(state_sizes(stack))
    plain = Stacked(mixed_layers(return_sequences=return_sequences), skip=skip)
    assert plain.compute_output_shape((None, None, I)) == ((None, None, 4) if return_sequences else (None, 4))
    assert plain.compute_mask(x, mask) is (mask if return_sequences else None)


@pytest.mark.parametrize("skip", ["residual", "dense"])
def test_a_stack_works_in_a_functional_model_with_masks_and_states_of_any_length(skip):
    inputs, mask = keras.Input((None, I)), keras.Input((None,), dtype="bool")
    stack = Stacked(mixed_layers(return_state=True, return_sequences=False), skip=skip)
    states = [keras.Input((n,)) for n in state_sizes(stack)]
    model = randomise(keras.Model([inputs, mask, *states], stack(inputs, initial_state=states, mask=mask)))
    x = values(B, T, I)
    expected = stack(x, initial_state=initial_states(stack), mask=mask_of("right"))
    assert_close(model([x, mask_of("right"), *initial_states(stack)]), expected)
    padded, ends = np.pad(x, ((0, 0), (0, 3), (0, 0))), np.pad(mask_of("right"), ((0, 0), (0, 3)))
    predicted = model.predict([padded, ends, *initial_states(stack)], verbose=0)
    assert_close(predicted, expected)


@pytest.mark.parametrize("skip", ["residual", "dense"])
def test_the_mask_of_a_layer_below_reaches_every_layer_of_a_stack(skip):
    mask, stack = mask_of("right"), Stacked(mixed_layers(), skip=skip)
    model = randomise(keras.Sequential([keras.Input((T, I)), keras.layers.Masking(), stack]))
    x = values(B, T, I) * mask[:, :, None]
    expected = stack(x, mask=mask)
    assert_close(model(x), expected)
    assert np.abs(expected - stack(x)).max() > 1e-3
    masked = keras.layers.Masking()(x)
    assert_close(stack(masked, initial_state=[tf.zeros((B, n)) for n in state_sizes(stack)]), expected)


@skips
def test_a_stack_reads_each_of_several_sequences_under_time_distributed(skip):
    stack = Stacked([LSTM(4, return_sequences=True), GRU(4)], skip=skip)
    model = randomise(keras.Sequential([keras.Input((2, T, I)), keras.layers.TimeDistributed(stack)]))
    x = values(B, 2, T, I)
    assert_close(model(x), np.stack([stack(x[:, 0]), stack(x[:, 1])], axis=1))


@skips
def test_a_stateful_stack_carries_its_states_until_reset(skip):
    layers = [LSTM(4, return_sequences=True, stateful=True), Bidirectional(GRU(2, stateful=True))]
    stack = built(Stacked(layers, skip=skip))
    x = values(B, T, I)
    first, second = stack(x), stack(x)
    assert np.abs(first - second).max() > 1e-3
    stack.reset_state()
    assert_close(stack(x), first, tolerance=1e-6)


def test_a_stack_trains_under_xla_on_sequences_of_any_length(compiled):
    stack = Stacked([Bidirectional(LSTM(2, return_sequences=True)), GRU(4)], skip="residual", dropout=0.05)
    model = keras.Sequential([keras.Input((None, I)), keras.layers.Masking(), stack, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse", jit_compile=True)
    x = values(64, T, I) * (np.arange(T) < np.random.default_rng(1).integers(2, T, (64, 1)))[:, :, None]
    history = model.fit(x, x.sum(axis=(1, 2))[:, None], epochs=20, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_dropout_within_a_layer_of_a_stack_is_active_in_training():
    stack = Stacked([LSTM(4, return_sequences=True), GRU(H, dropout=0.5)])
    x = values(B, T, I)
    assert_close(stack(x), stack(x), tolerance=0)
    assert np.abs(stack(x, training=True) - stack(x, training=True)).max() > 1e-3


@skips
def test_layers_of_half_precision_stand_beside_those_of_single(skip):
    layers = lambda dtype: [LSTM(4, return_sequences=True, dtype=dtype), SimpleRNN(4)]
    half, single = (built(Stacked(layers(dtype), skip=skip)) for dtype in ("mixed_bfloat16", "float32"))
    x = values(B, T, I)
    assert half(x).dtype == "float32"
    assert_close(half(x), single(x), tolerance=0.02)


@pytest.mark.parametrize("skip", SKIPS[1:])
def test_a_stack_of_one_layer_takes_every_skip(skip):
    layer = Bidirectional(GRU(4, go_backwards=True, return_sequences=True), merge_mode="sum")
    assert_close(built(Stacked([layer], skip=skip))(values(B, T, I)), layer(values(B, T, I)))


def test_a_single_state_may_come_without_a_list_and_a_mask_may_serve_the_whole_batch():
    stack = built(Stacked([GRU(4, return_sequences=True)]))
    x, state, mask = values(B, T, I), values(B, 4), mask_of("random")[:1]
    expected = stack(x, initial_state=[state], mask=np.repeat(mask, B, axis=0))
    assert_close(stack(x, initial_state=state, mask=mask), expected)
    assert_close(stack(x, initial_state=state, mask=np.repeat(mask, B, axis=0)[:, :, None]), expected)
