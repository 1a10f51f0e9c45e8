"""The equations of the cells, written a second time, for NumPy and for TensorFlow alike.

Each function is one step: `m` is the module that computes (`numpy` or `tensorflow`), `weights` are kernel, recurrent
kernel and bias, and `disturb(signal, value)` may change a state where it comes into being.
"""

import numpy as np
import tensorflow as tf


def undisturbed(signal, value):
    return value


def sigmoid(m, a):
    return 1 / (1 + m.exp(-a))


def rnn(m, x, states, weights, disturb=undisturbed, phi=None):
    (h,), (W, U, b) = states, weights
    return [disturb("h", (phi or m.tanh)(x @ W + h @ U + b))]


def lstm(m, x, states, weights, disturb=undisturbed):
    (h, c), (W, U, b) = states, weights
    i, f, g, o = m.split(x @ W + h @ U + b, 4, axis=-1)
    c = disturb("c", sigmoid(m, f) * c + sigmoid(m, i) * m.tanh(g))
    return [disturb("h", sigmoid(m, o) * m.tanh(c)), c]


def gru_after(m, x, states, weights, disturb=undisturbed):
    (h,), (W, U, b) = states, weights
    x_z, x_r, x_h = m.split(x @ W + b[0], 3, axis=-1)
    h_z, h_r, h_h = m.split(h @ U + b[1], 3, axis=-1)
    z, r = sigmoid(m, x_z + h_z), sigmoid(m, x_r + h_r)
    return [disturb("h", z * h + (1 - z) * m.tanh(x_h + r * h_h))]


def gru_before(m, x, states, weights, disturb=undisturbed):
    (h,), (W, U, b) = states, weights
    x_z, x_r, x_h = m.split(x @ W + b, 3, axis=-1)
    U_z, U_r, U_h = m.split(U, 3, axis=-1)
    z, r = sigmoid(m, x_z + h @ U_z), sigmoid(m, x_r + h @ U_r)
    return [disturb("h", z * h + (1 - z) * m.tanh(x_h + (r * h) @ U_h))]


STEPS = {"rnn": rnn, "lstm": lstm, "gru_after": gru_after, "gru_before": gru_before}


def weights_of(kind, cell):
    """Kernel, recurrent kernel and bias as arrays; zeros for a bias that the cell does without."""
    arrays = cell.get_weights()
    if len(arrays) == 2:
        columns = arrays[0].shape[1]
        arrays.append(np.zeros((2, columns) if kind == "gru_after" else columns, arrays[0].dtype))
    return arrays


def loop(kind, x, states, weights, mask=None, disturbances=None, go_backwards=False):
    """A whole sequence in TensorFlow: `[B, T, I]` → the output of every step `[B, T, H]`, in the input's order.

    A masked step keeps the states and repeats the last output. `disturbances` are added to the states where they
    come into being, by signal, each `[T, B, H]`.
    """
    length = x.shape[1]
    outputs, output = [None] * length, tf.zeros_like(states[0])
    for t in reversed(range(length)) if go_backwards else range(length):
        disturb = undisturbed if disturbances is None else lambda signal, value, t=t: value + disturbances[signal][t]
        new = STEPS[kind](tf, x[:, t], states, weights, disturb)
        present = True if mask is None else tf.constant(mask)[:, t, None]
        output = tf.where(present, new[0], output)
        states = [tf.where(present, after, before) for after, before in zip(new, states, strict=True)]
        outputs[t] = output
    return tf.stack(outputs, axis=1)
