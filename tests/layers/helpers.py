"""What the tests of the layers share: random values, masks, outputs with derivatives, comparison."""

import keras
import numpy as np
from keras import ops, tree

import rnnscope
from tests.layers import derivatives

B, T, I, H = 4, 6, 3, 5  # noqa: E741

KINDS = {
    "rnn": (rnnscope.SimpleRNN, keras.layers.SimpleRNN, {}),
    "lstm": (rnnscope.LSTM, keras.layers.LSTM, {}),
    "gru_after": (rnnscope.GRU, keras.layers.GRU, {"reset_after": True}),
    "gru_before": (rnnscope.GRU, keras.layers.GRU, {"reset_after": False}),
}
"""Our layer, Keras's, and the arguments that select the form."""

MASKS = ("none", "random", "left", "right", "middle", "row")


def ours(kind, units=H, **options):
    """One of our layers."""
    layer, _, form = KINDS[kind]
    return layer(units, **form, **options)


def keras_layer(kind, units=H, **options):
    """Keras's layer of the same kind."""
    _, layer, form = KINDS[kind]
    return layer(units, **form, **options)


def our_cell(kind, units=H, **options):
    """The cell of one of our layers."""
    layer, _, form = KINDS[kind]
    return layer.cell_class(units, **form, **options)


def keras_cell(kind, units=H, **options):
    """Keras's cell of the same kind."""
    _, layer, form = KINDS[kind]
    return getattr(keras.layers, f"{layer.__name__}Cell")(units, **form, **options)


def state_count(kind):
    return 2 if kind == "lstm" else 1


def values(*shape, seed=0, dtype="float32"):
    """Random numbers from a normal distribution."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def states_for(kind, seed=10, dtype="float32", units=H):
    """Random initial states, as a list."""
    return [values(B, units, seed=seed + index, dtype=dtype) for index in range(state_count(kind))]


def mask_of(kind):
    """Boolean `[B, T]`, or `None`. Every example has its own pattern; in "row" one example is masked throughout."""
    steps, lengths = np.arange(T), np.array([T, 4, 2, 1])[:, None]
    return {
        "none": None,
        "random": np.random.default_rng(3).random((B, T)) < 0.6,
        "left": steps >= T - lengths,
        "right": steps < lengths,
        "middle": (steps < 2) | (steps >= lengths),
        "row": np.repeat([[True], [False], [True], [True]], T, axis=1) & (steps < lengths + 1),
    }[kind]


def randomise(layer, seed=5, scale=0.6):
    """Random weights, so that no two gates and no two directions look alike. The layer is built. Returns it."""
    layer.set_weights([scale * values(*w.shape, seed=seed + index) for index, w in enumerate(layer.get_weights())])
    return layer


def twins(first, second, shape=(B, T, I)):
    """Two layers of the same weight layout, with the same random weights."""
    for layer in (first, second):
        layer.build(shape)
    randomise(first)
    second.set_weights(first.get_weights())
    return first, second


def outputs_and_gradients(layer, x, states=None, **call):
    """What a call returns, and the derivatives of a random weighting of it by inputs, initial states and weights.

    Returns a dictionary of lists of arrays.
    """
    if derivatives.BACKEND != "tensorflow":
        return derivatives.of_a_call(layer, x, states, weighted_sum, **call)
    import tensorflow as tf

    x = tf.constant(x)
    if states is not None:
        states = call["initial_state"] = tree.map_structure(tf.constant, states)
    sources = {
        "inputs": [x],
        "states": [] if states is None else tree.flatten(states),
        "weights": [w.value for w in layer.trainable_weights],
    }
    with tf.GradientTape() as tape:
        tape.watch([x, *sources["states"]])
        outputs = tree.flatten(layer(x, **call))
        loss = weighted_sum(outputs)
    return {"outputs": outputs, **tape.gradient(loss, sources)}


def weighted_sum(outputs):
    """A scalar that depends on every number of the outputs in its own measure."""
    total = 0
    for index, output in enumerate(outputs):
        dtype = "float64" if keras.backend.standardize_dtype(output.dtype) == "float64" else "float32"
        weighting = ops.convert_to_tensor(values(*output.shape, seed=20 + index, dtype=dtype))
        total += ops.sum(ops.cast(output, dtype) * weighting)
    return total


def assert_close(actual, expected, tolerance=1e-5):
    """As many arrays, each equal up to `tolerance` times its largest entry."""
    for index, (a, e) in enumerate(zip(tree.flatten(actual), tree.flatten(expected), strict=True)):
        a, e = (None if v is None else ops.convert_to_numpy(v).astype("float64") for v in (a, e))
        if e is None:
            assert a is None
            continue
        assert a.shape == e.shape
        limit = tolerance * np.abs(e).max(initial=np.finfo("float32").tiny)
        np.testing.assert_allclose(a, e, rtol=0, atol=limit, equal_nan=False, err_msg=f"array {index}")


def readable(cell_class):
    """A cell class with the same equations, which runs step by step and is differentiated automatically."""
    return type(f"Readable{cell_class.__name__}", (cell_class,), {})
