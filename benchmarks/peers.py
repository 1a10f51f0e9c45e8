"""The same recurrent network in several libraries, for comparison and timing. Each implementation is called a peer.

`build(peer, problem)` returns a `Step`. Calling the step computes outputs and gradients and waits for the end of the
computation. `Step.result()` returns them as NumPy arrays in Keras's layout, so that all peers can be compared before
they are timed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from problems import Problem


class Step:
    """A training step, or a forward pass, of a peer.

    Args:
        call: function `() -> (outputs, gradients)` that returns when the computation is finished.
        to_keras: function that converts the gradients to arrays in Keras's layout. It is not needed if they already
            have this layout.
    """

    def __init__(self, call: Callable[[], tuple], to_keras: Callable[[Any], list] | None = None):
        self.call = call
        self.to_keras = to_keras or (lambda gradients: [np.asarray(g) for g in gradients])

    def __call__(self) -> None:
        """Execute the step."""
        self.call()

    def result(self) -> list[np.ndarray]:
        """Return the outputs `[B, T, H]` and, for a training step, the gradients of all weights."""
        outputs, gradients = self.call()
        return [np.asarray(outputs), *self.to_keras(gradients)]


def build(peer: str, problem: Problem) -> Step | None:
    """Build the step of a peer. Return `None` if the peer does not have the layer."""
    return _PEERS[peer](problem)


# ------------------------------------------------------------------ layers of Keras and rnnscope


def _in_keras(library: Any, problem: Problem, jit_compile: bool) -> Step:
    import tensorflow as tf

    make = {"rnn": library.SimpleRNN, "lstm": library.LSTM}.get(problem.cell, library.GRU)
    options = {} if make is not library.GRU else {"reset_after": problem.cell == "gru"}
    layers = [make(problem.units, return_sequences=True, **options) for _ in range(problem.depth)]
    if problem.bidirectional:
        layers = [library.Bidirectional(layer) for layer in layers]
    sequences, upstream = map(tf.constant, problem.data())
    mask = tf.constant(problem.mask()) if problem.masked else None
    widths = [problem.inputs, *[problem.units * problem.directions] * (problem.depth - 1)]
    for layer, width in zip(layers, widths, strict=True):
        layer.build((problem.batch, problem.steps, width))
    weights = [variable for layer in layers for variable in layer.trainable_variables]
    for variable, value in zip(weights, problem.weights(), strict=True):
        variable.assign(value)
    values = [variable.value for variable in weights]

    def outputs(sequences: Any) -> Any:
        for layer in layers:
            sequences = layer(sequences, mask=mask, training=problem.training)
        return sequences

    @tf.function(jit_compile=jit_compile)
    def step(sequences: Any) -> tuple:
        if not problem.training:
            return outputs(sequences), []
        with tf.GradientTape() as tape:
            h = outputs(sequences)
            loss = tf.reduce_sum(h * upstream)
        return h, tape.gradient(loss, values)

    def call() -> tuple:
        h, gradients = step(sequences)
        h.numpy()  # waits for the result, and does not copy it on a CPU
        return h, gradients

    return Step(call)


def _ours(problem: Problem) -> Step:

    import rnnscope

    return _in_keras(rnnscope, problem, jit_compile=False)


def _keras_graph(problem: Problem) -> Step:
    import keras

    return _in_keras(keras.layers, problem, jit_compile=False)


def _keras_xla(problem: Problem) -> Step:
    import keras

    return _in_keras(keras.layers, problem, jit_compile=True)


# ------------------------------------------------------------------ TensorFlow's fused kernel


def _block(problem: Problem) -> Step | None:
    """Build a step with `BlockLSTM`, the only kernel of TensorFlow that processes a whole sequence on a CPU.

    In TensorFlow 2.21, the gradient of its successor `BlockLSTMV2` is not the gradient of its outputs.
    """
    import tensorflow as tf

    if problem.cell != "lstm" or problem.depth > 1 or problem.bidirectional or problem.masked:
        return None
    sequences, upstream = problem.data()
    sequences, upstream = (tf.constant(x.swapaxes(0, 1)) for x in (sequences, upstream))
    w, u, b = problem.weights()
    order = np.array([0, 2, 1, 3])  # i, f, c, o → i, c, f, o
    turn = lambda x: x.reshape(*x.shape[:-1], 4, -1)[..., order, :].reshape(x.shape)
    kernel, bias = tf.Variable(turn(np.concatenate([w, u]))), tf.Variable(turn(b))
    zeros, peephole = tf.zeros((problem.batch, problem.units)), tf.zeros(problem.units)

    @tf.function
    def step() -> tuple:
        with tf.GradientTape() as tape:
            h = tf.raw_ops.BlockLSTM(
                seq_len_max=tf.constant(problem.steps, tf.int64), x=sequences, cs_prev=zeros, h_prev=zeros,
                w=kernel, wci=peephole, wcf=peephole, wco=peephole, b=bias,
                forget_bias=0.0, cell_clip=-1.0, use_peephole=False,
            ).h  # fmt: skip
            loss = tf.reduce_sum(h * upstream)
        return tf.transpose(h, (1, 0, 2)), tape.gradient(loss, [kernel, bias]) if problem.training else []

    def call() -> tuple:
        h, gradients = step()
        h.numpy()
        return h, gradients

    def to_keras(gradients: list) -> list:
        if not gradients:
            return []
        of_kernel, of_bias = (turn(g.numpy()) for g in gradients)
        return [of_kernel[: problem.inputs], of_kernel[problem.inputs :], of_bias]

    return Step(call, to_keras)


# ------------------------------------------------------------------ torch.nn


def _torch(problem: Problem) -> Step | None:
    import torch

    if problem.cell == "gru_before":
        return None
    make = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[problem.cell]
    layer = make(
        problem.inputs, problem.units, problem.depth, batch_first=True, bidirectional=problem.bidirectional
    )  # fmt: skip
    order = [1, 0, 2] if problem.cell == "gru" else None  # z, r, n → r, z, n, and back

    def turn(x: np.ndarray) -> np.ndarray:
        if order is None:
            return x
        return x.reshape(*x.shape[:-1], 3, -1)[..., order, :].reshape(x.shape)

    suffixes = [f"l{n}{way}" for n in range(problem.depth) for way in ("", "_reverse")[: problem.directions]]
    given = iter(problem.weights())
    for suffix in suffixes:
        w, u, b = turn(next(given)), turn(next(given)), turn(next(given))
        b_in, b_hidden = b if problem.cell == "gru" else (b, np.zeros_like(b))
        values = {"weight_ih": w.T, "weight_hh": u.T, "bias_ih": b_in, "bias_hh": b_hidden}
        for name, value in values.items():
            getattr(layer, f"{name}_{suffix}").data = torch.tensor(np.ascontiguousarray(value))
    sequences, upstream = map(torch.tensor, problem.data())
    lengths = torch.tensor(problem.lengths())
    parameters = list(layer.parameters())
    layer.flatten_parameters()

    def outputs() -> Any:
        if not problem.masked:
            return layer(sequences)[0]
        packed = torch.nn.utils.rnn.pack_padded_sequence(sequences, lengths, batch_first=True, enforce_sorted=False)
        h = layer(packed)[0]
        return torch.nn.utils.rnn.pad_packed_sequence(h, batch_first=True, total_length=problem.steps)[0]

    def call() -> tuple:
        if not problem.training:
            with torch.inference_mode():
                return outputs().numpy(), []
        h = outputs()
        return h.detach().numpy(), torch.autograd.grad((h * upstream).sum(), parameters)

    def to_keras(gradients: Any) -> list:
        found = []
        for index in range(0, len(gradients), 4):
            w, u, b_in, b_hidden = (g.numpy() for g in gradients[index : index + 4])
            bias = np.stack([b_in, b_hidden]) if problem.cell == "gru" else b_in
            found += [turn(w.T), turn(u.T), turn(bias)]
        return found

    return Step(call, to_keras)


# ------------------------------------------------------------------ JAX, lax.scan


def _jax(problem: Problem) -> Step:
    """Build a step in idiomatic JAX: one product for the inputs of all timesteps, and `lax.scan` for the recurrence."""
    import jax
    import jax.numpy as jnp

    sequences, upstream = map(jnp.asarray, problem.data())
    mask = jnp.asarray(problem.mask()).T[..., None] if problem.masked else None
    step = {"rnn": _jax_rnn, "lstm": _jax_lstm, "gru": _jax_gru, "gru_before": _jax_gru_before}[problem.cell]
    zeros = jnp.zeros((problem.batch, problem.units))
    start = (zeros, zeros) if problem.cell == "lstm" else (zeros,)

    def one_way(x: Any, weights: list, reverse: bool) -> Any:
        w, u, b = weights
        projected = x @ w + (b[0] if problem.cell == "gru" else b)

        def body(states: tuple, xs: tuple) -> tuple:
            x, present = xs
            new = step(x, states, u, b)
            if present is not None:
                new = tuple(jnp.where(present, n, s) for n, s in zip(new, states, strict=True))
            return new, new[0]

        return jax.lax.scan(body, start, (projected, mask), reverse=reverse)[1]

    def outputs(weights: list, sequences: Any) -> Any:
        h = jnp.swapaxes(sequences, 0, 1)
        for index in range(0, len(weights), 3 * problem.directions):
            own = weights[index : index + 3 * problem.directions]
            ways = [one_way(h, own[3 * n : 3 * n + 3], reverse=n == 1) for n in range(problem.directions)]
            h = jnp.concatenate(ways, axis=-1)
        return jnp.swapaxes(h, 0, 1)

    def loss(weights: list, sequences: Any) -> tuple:
        h = outputs(weights, sequences)
        return (h * upstream).sum(), h

    train = jax.jit(jax.value_and_grad(loss, has_aux=True))
    forward = jax.jit(outputs)
    weights = [jnp.asarray(w) for w in problem.weights()]

    def call() -> tuple:
        if not problem.training:
            return jax.block_until_ready(forward(weights, sequences)), []
        (_, h), gradients = jax.block_until_ready(train(weights, sequences))
        return h, gradients

    return Step(call)


def _jax_rnn(x: Any, states: tuple, u: Any, b: Any) -> tuple:
    import jax.numpy as jnp

    return (jnp.tanh(x + states[0] @ u),)


def _jax_lstm(x: Any, states: tuple, u: Any, b: Any) -> tuple:
    import jax
    import jax.numpy as jnp

    h, c = states
    i, f, g, o = jnp.split(x + h @ u, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def _jax_gru(x: Any, states: tuple, u: Any, b: Any) -> tuple:
    import jax
    import jax.numpy as jnp

    (h,) = states
    x_z, x_r, x_n = jnp.split(x, 3, axis=-1)
    h_z, h_r, h_n = jnp.split(h @ u + b[1], 3, axis=-1)
    z, r = jax.nn.sigmoid(x_z + h_z), jax.nn.sigmoid(x_r + h_r)
    return (z * h + (1 - z) * jnp.tanh(x_n + r * h_n),)


def _jax_gru_before(x: Any, states: tuple, u: Any, b: Any) -> tuple:
    import jax
    import jax.numpy as jnp

    (h,) = states
    H = h.shape[-1]
    z, r = jnp.split(jax.nn.sigmoid(x[:, : 2 * H] + h @ u[:, : 2 * H]), 2, axis=-1)
    return (z * h + (1 - z) * jnp.tanh(x[:, 2 * H :] + (r * h) @ u[:, 2 * H :]),)


_PEERS: dict[str, Callable[[Problem], Step | None]] = {
    "rnnscope": _ours,
    "Keras, graph": _keras_graph,
    "Keras, XLA": _keras_xla,
    "TensorFlow's block": _block,
    "torch.nn": _torch,
    "JAX, scan": _jax,
}
PEERS = tuple(_PEERS)
"""Names of all peers, starting with rnnscope."""
