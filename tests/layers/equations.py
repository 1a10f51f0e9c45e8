"""Every cell with its options, and every cell around a cell, written a second time, in NumPy and double precision.

`w(variable)` is the array that stands for a weight; `chance` is what was drawn for a step, by `id` of the cell that it
was drawn for (see `drawn`); `disturb(signal, value)` may change a state where a gradient probe would look at it.
"""

from functools import partial

import keras
import numpy as np

import rnnscope
from rnnscope import RNN, CellWrapper, DeepOutputCell, DeepTransitionCell, Masks, ZoneoutCell
from tests.layers.helpers import B, H, I, T, assert_close, outputs_and_gradients, randomise, values

STEP = 1e-6
NOTHING: dict = {}
NOTHING_DRAWN = None, Masks()

PEEPHOLE = {
    "peephole": {},
    "nig": {"input_gate": False},
    "nfg": {"forget_gate": False},
    "nog": {"output_gate": False},
    "niaf": {"input_activation": False},
    "noaf": {"output_activation": False},
    "cifg": {"coupled_gates": True},
    "np": {"peepholes": False},
    "fgr": {"full_gate_recurrence": True},
}
LSTMS = {
    "lstm": (rnnscope.LSTMCell, {}),
    **{kind: (rnnscope.PeepholeLSTMCell, form) for kind, form in PEEPHOLE.items()},
}
GATED = {
    **LSTMS,
    "gru_after": (rnnscope.GRUCell, {"reset_after": True}),
    "gru_before": (rnnscope.GRUCell, {"reset_after": False}),
    "gru_write": (rnnscope.GRUCell, {"update_gate": "write"}),
    "mgu": (rnnscope.MGUCell, {}),
    "mut1": (rnnscope.MUT1Cell, {}),
    "mut2": (rnnscope.MUT2Cell, {}),
    "mut3": (rnnscope.MUT3Cell, {}),
}
LINEAR = {"mingru": (rnnscope.MinGRUCell, {}), "minlstm": (rnnscope.MinLSTMCell, {})}
CELLS = {
    "rnn": (rnnscope.SimpleRNNCell, {}),
    "indrnn": (
        rnnscope.IndRNNCell,
        {"activation": "tanh"},
    ),  # relu has a corner, at which no difference is a derivative
    **GATED,
    **LINEAR,
}


def cell_of(kind, units=H, **options):
    """A cell in double precision, unless the options say otherwise."""
    cell_class, form = CELLS[kind]
    return cell_class(units, **{"dtype": "float64", **form, **options})


def random_layer(cell, arrange=RNN, inputs=I, **options):
    """A layer around a cell, in double precision, which shows its states, with random weights."""
    layer = arrange(cell, dtype="float64", return_state=True, **{"return_sequences": True, **options})
    layer.build((B, T, inputs))
    return randomise(layer)


def states_of(cell, seed=10, batch=B, dtype="float64"):
    """Random states, as a list."""
    sizes = keras.tree.flatten(cell.state_size)
    return [values(batch, size, seed=seed + index, dtype=dtype) for index, size in enumerate(sizes)]


# ---------------------------------------------------------------------------------------------------------- cells


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


ACTIVATIONS = {
    "linear": lambda a: a,
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "softplus": lambda a: np.log1p(np.exp(a)),
    "sigmoid": sigmoid,
}


def phi(cell, a):
    return ACTIVATIONS[cell.activation.__name__](a)


def normalised(a, gain):
    centred = a - a.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5) * gain


def product(cell, left, kernel, gain, groups):
    """Blocks of `left @ kernel`, one a gate; those of a group are normalised together, where the cell is."""
    blocks, start = [], 0
    for size in groups:
        columns = slice(start * cell.units, (start + size) * cell.units)
        a = left @ kernel[:, columns]
        blocks += np.split(a if gain is None else normalised(a, gain[columns]), size, axis=-1)
        start += size
    return blocks


def of_x(cell, w, x, *groups):
    return product(cell, x, w(cell.kernel), w(cell.kernel_gain) if cell.layer_normalization else None, groups)


def of_h(cell, w, h, first, *groups):
    """As `of_x`, from the recurrent kernel's block `first` on."""
    skipped = first * cell.units
    gain = w(cell.recurrent_gain)[skipped:] if cell.layer_normalization else None
    return product(cell, h, w(cell.recurrent_kernel)[:, skipped:], gain, groups)


def bias(cell, w, blocks):
    return np.split(np.zeros(blocks * cell.units) if cell.bias is None else w(cell.bias), blocks, axis=-1)


def one(value):
    """A mask, or 1 for none."""
    return 1.0 if value is None else value


def rnn(cell, w, x, states, masks, disturb):
    (h,) = states
    recurrent = of_h(cell, w, h * one(masks.state), 0, 1)[0]
    return [disturb("h", phi(cell, of_x(cell, w, x, 1)[0] + recurrent + bias(cell, w, 1)[0]))]


def indrnn(cell, w, x, states, masks, disturb):
    (h,) = states
    recurrent = h * one(masks.state) * w(cell.recurrent_kernel)
    return [disturb("h", phi(cell, of_x(cell, w, x, 1)[0] + recurrent + bias(cell, w, 1)[0]))]


def lstm(cell, w, x, states, masks, disturb):
    h, c, *gates_before = states
    has = lambda switch, default=True: getattr(cell, switch, default)
    coupled, peepholes = has("coupled_gates", False), has("peepholes", False)
    there = {"i": has("input_gate"), "f": has("forget_gate") and not coupled, "c": True, "o": has("output_gate")}
    names = [name for name in "ifco" if there[name]]
    n = len(names)
    sums = zip(of_x(cell, w, x, n), of_h(cell, w, h * one(masks.state), 0, n), bias(cell, w, n), strict=True)
    a = {name: sum(parts) for name, parts in zip(names, sums, strict=True)}
    if gates_before:
        seen = np.split(np.concatenate(gates_before, axis=-1) @ w(cell.gate_kernel), 3, axis=-1)
        a.update({name: a[name] + s for name, s in zip("ifo", seen, strict=True)})
    gates = [name for name in names if name != "c"]
    p = dict(zip(gates, w(cell.peephole_kernel), strict=True)) if peepholes and gates else dict.fromkeys(gates, 0)
    i = sigmoid(a["i"] + p["i"] * c) if "i" in a else np.ones_like(c)
    f = 1 - i if coupled else sigmoid(a["f"] + p["f"] * c) if "f" in a else np.ones_like(c)
    g = phi(cell, a["c"]) if has("input_activation") else a["c"]
    c = disturb("c", f * c + i * g * one(masks.candidate))
    o = sigmoid(a["o"] + p["o"] * c) if "o" in a else np.ones_like(c)
    seen = normalised(c, w(cell.state_gain)) + w(cell.state_bias) if cell.layer_normalization else c
    h = o * (phi(cell, seen) if has("output_activation") else seen)
    if cell.projection_units is not None:
        h = h @ w(cell.projection_kernel)
    return [disturb("h", h), c, *((i, f, o) if gates_before else ())]


def gru(cell, w, x, states, masks, disturb):
    (h,) = states
    h_in = h * one(masks.state)
    x_z, x_r, x_h = of_x(cell, w, x, 2, 1)
    b = np.zeros((2, 3 * cell.units)) if cell.bias is None else np.atleast_2d(w(cell.bias))
    (b_z, b_r, b_h), (v_z, v_r, v_h) = (np.split(row, 3) for row in (b if len(b) == 2 else (b[0], 0 * b[0])))
    h_z, h_r = of_h(cell, w, h_in, 0, 2)
    z, r = sigmoid(x_z + h_z + b_z + v_z), sigmoid(x_r + h_r + b_r + v_r)
    if cell.reset_after:
        n = phi(cell, x_h + b_h + r * (of_h(cell, w, h_in, 2, 1)[0] + v_h))
    else:
        n = phi(cell, x_h + b_h + of_h(cell, w, r * h_in, 2, 1)[0])
    n = n * one(masks.candidate)
    return [disturb("h", z * h + (1 - z) * n if cell.update_gate == "keep" else (1 - z) * h + z * n)]


def mgu(cell, w, x, states, masks, disturb):
    (h,) = states
    h_in = h * one(masks.state)
    (x_f, x_h), (b_f, b_h) = of_x(cell, w, x, 1, 1), bias(cell, w, 2)
    f = sigmoid(x_f + of_h(cell, w, h_in, 0, 1)[0] + b_f)
    n = phi(cell, x_h + of_h(cell, w, f * h_in, 1, 1)[0] + b_h)
    return [disturb("h", (1 - f) * h + f * n * one(masks.candidate))]


def mut(cell, w, x, states, masks, disturb):
    (h,) = states
    h_in = h * one(masks.state)
    b_z, b_r, b_h = bias(cell, w, 3)
    raw = x.shape[-1] == cell.units
    U = lambda k, value: of_h(cell, w, value, k, 1)[0]
    if isinstance(cell, rnnscope.MUT1Cell):
        x_z, x_r, x_x = (*of_x(cell, w, x, 1, 1), x) if raw else of_x(cell, w, x, 1, 1, 1)
        z, r = sigmoid(x_z + b_z), sigmoid(x_r + U(0, h_in) + b_r)
        n = U(1, r * h_in) + np.tanh(x_x) + b_h
    elif isinstance(cell, rnnscope.MUT2Cell):
        x_z, x_h, x_x = (*of_x(cell, w, x, 1, 1), x) if raw else of_x(cell, w, x, 1, 1, 1)
        z, r = sigmoid(x_z + U(0, h_in) + b_z), sigmoid(x_x + U(1, h_in) + b_r)
        n = U(2, r * h_in) + x_h + b_h
    else:
        x_z, x_r, x_h = of_x(cell, w, x, 1, 1, 1)
        z, r = sigmoid(x_z + U(0, np.tanh(h_in)) + b_z), sigmoid(x_r + U(1, h_in) + b_r)
        n = U(2, r * h_in) + x_h + b_h
    return [disturb("h", phi(cell, n) * one(masks.candidate) * z + h * (1 - z))]


def mingru(cell, w, x, states, masks, disturb):
    (h,) = states
    z, n = (a + b for a, b in zip(of_x(cell, w, x, 1, 1), bias(cell, w, 2), strict=True))
    return [disturb("h", (1 - sigmoid(z)) * h + sigmoid(z) * n)]


def minlstm(cell, w, x, states, masks, disturb):
    (h,) = states
    i, f, g = (a + b for a, b in zip(of_x(cell, w, x, 1, 1, 1), bias(cell, w, 3), strict=True))
    i, f = sigmoid(i), sigmoid(f)
    return [disturb("h", f / (f + i) * h + i / (f + i) * g)]


EQUATIONS = {
    rnnscope.SimpleRNNCell: rnn,
    rnnscope.IndRNNCell: indrnn,
    rnnscope.LSTMCell: lstm,
    rnnscope.PeepholeLSTMCell: lstm,
    rnnscope.GRUCell: gru,
    rnnscope.MGUCell: mgu,
    **dict.fromkeys([rnnscope.MUT1Cell, rnnscope.MUT2Cell, rnnscope.MUT3Cell], mut),
    rnnscope.MinGRUCell: mingru,
    rnnscope.MinLSTMCell: minlstm,
}


# ------------------------------------------------------------------------------------------------------- wrappers


def undisturbed(signal, value):
    return value


def innermost(cell):
    return innermost(cell.cell) if isinstance(cell, CellWrapper) else cell


def step(cell, w, x, states, chance=NOTHING, disturb=undisturbed):
    """x `[B, I]` → the output and the new states."""
    if isinstance(cell, ZoneoutCell):
        _, new = step(cell.cell, w, x, states, chance)
        for index, (name, rate) in enumerate((("h", cell.rate), ("c", cell.cell_rate))):
            if name in cell.state_names:
                share = chance[id(cell)][name] if id(cell) in chance else rate
                new[index] = disturb(name, share * states[index] + (1 - share) * new[index])
        return new[0], new
    if isinstance(cell, DeepTransitionCell):
        only_c = lambda name, value: value if name == "h" else disturb(name, value)
        s, new = step(cell.cell, w, x, states, chance, only_c)
        for k, (U, b) in enumerate(cell.transitions, start=1):
            a = s @ w(U) + w(b)
            if cell.shortcut and k == cell.depth:
                _, masks = chance.get(id(innermost(cell)), NOTHING_DRAWN)
                a = a + (states[0] * one(masks.state)) @ w(cell.shortcut_kernel)
            s = phi(cell, a)
        return (h := disturb("h", s)), [h, *new[1:]]
    if isinstance(cell, DeepOutputCell):
        y, new = step(cell.cell, w, x, states, chance, disturb)
        for layer in cell.output_layers:
            y = phi(cell, y @ w(layer.kernel) + w(layer.bias))
        return y, new
    input_mask, masks = chance.get(id(cell), NOTHING_DRAWN)
    new = EQUATIONS[type(cell)](cell, w, x * one(input_mask), states, masks, disturb)
    return new[0], new


def drawn(cell, batch=B, length=T, inputs=I):
    """What chance decides in the first training call of a layer around this cell, for each step in reading order."""
    if isinstance(cell, CellWrapper):
        steps = drawn(cell.cell, batch, length, inputs)
        if isinstance(cell, ZoneoutCell):
            generator = keras.random.SeedGenerator(cell.seed)
            sizes = dict(zip(cell.state_names, keras.tree.flatten(cell.state_size), strict=True))
            keeps = {
                name: np.array(keras.random.uniform((length, batch, sizes[name]), seed=generator)) < rate
                for name, rate in (("h", cell.rate), ("c", cell.cell_rate))
                if rate
            }
            for t, each in enumerate(steps):
                each[id(cell)] = {name: keeps[name][t] if name in keeps else 0.0 for name in ("h", "c")}
        return steps
    twin = type(cell).from_config(cell.get_config())
    array = lambda mask: None if mask is None else np.array(mask)
    input_mask = array(twin.get_dropout_mask(np.ones((batch, inputs))))
    masks = Masks(*map(array, twin.get_masks(np.ones((batch, cell.output_size)))))
    return [{id(cell): (input_mask, masks)} for _ in range(length)]


def sequence(cell, w, x, states, mask=None, chance=None, go_backwards=False, disturb=None):
    """x `[B, T, I]` → the outputs in reading order `[B, T, …]`, and the last states. `disturb(t, signal, value)`."""
    length = x.shape[1]
    outputs, output = [], 0.0
    for index, t in enumerate(reversed(range(length)) if go_backwards else range(length)):
        at_step = undisturbed if disturb is None else partial(disturb, t)
        new_output, new = step(cell, w, x[:, t], states, chance[index] if chance else NOTHING, at_step)
        present = True if mask is None else mask[:, t, None]
        output = np.where(present, new_output, output)
        states = [np.where(present, after, before) for after, before in zip(new, states, strict=True)]
        outputs.append(output)
    return np.stack(outputs, axis=1), states


def reader(variables, arrays=None):
    """w: what stands for each variable, by default its value."""
    arrays = [variable.numpy() for variable in variables] if arrays is None else arrays
    found = {id(variable): array for variable, array in zip(variables, arrays, strict=True)}
    return lambda variable: found[id(variable)]


def assert_follows_the_equations(layer, x, states, mask=None, training=False, seed=30):
    """Outputs, last states and derivatives of a layer with `return_state`, in double precision.

    The derivatives by inputs, initial states and every weight are compared with central differences of the
    equations, each along a random direction.
    """
    cell, variables = layer.cell, layer.trainable_weights
    chance = drawn(cell, *x.shape) if training else None
    actual = outputs_and_gradients(layer, x, states, mask=mask, training=training)

    def results(points):
        x, *states = points[: 1 + len(states_before)]
        w = reader(variables, points[1 + len(states_before) :])
        outputs, last = sequence(cell, w, x, states, mask, chance, layer.go_backwards)
        return [outputs if layer.return_sequences else outputs[:, -1], *last]

    states_before = states
    points = [x, *states, *(variable.numpy() for variable in variables)]
    expected = results(points)
    assert_close(actual["outputs"], expected, tolerance=1e-10)
    weightings = [values(*output.shape, seed=20 + index, dtype="float64") for index, output in enumerate(expected)]
    loss = lambda points: sum(np.sum(y * v) for y, v in zip(results(points), weightings, strict=True))
    rounding = 1e-15 * sum(np.abs(y * v).sum() for y, v in zip(expected, weightings, strict=True)) / STEP
    for index, derivative in enumerate([*actual["inputs"], *actual["states"], *actual["weights"]]):
        direction = values(*points[index].shape, seed=seed + index, dtype="float64")
        moved = lambda sign, index=index, direction=direction: [
            point + sign * STEP * direction if i == index else point for i, point in enumerate(points)
        ]
        difference = (loss(moved(1)) - loss(moved(-1))) / (2 * STEP)
        limit = 1e-6 * np.linalg.norm(derivative) * np.linalg.norm(direction) + rounding
        assert abs(difference - np.sum(derivative * direction)) <= limit, f"source {index}"
