"""From a task's signature to a network that trains on it: every kind of input and output, padding, states, scales."""

import itertools
import time

import keras
import numpy as np
import pytest

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.data import Split, Task
from rnnscope.experiments.data.outputs import Classes, Labels, Sequences, Symbols, Values
from rnnscope.experiments.training.batches import batches, examples, in_streams, network_inputs
from rnnscope.experiments.training.callbacks import FreshStates, Solved, Stopwatch
from rnnscope.experiments.training.losses import compile_arguments
from rnnscope.experiments.training.measured_model import MeasuredModel, Measurements
from rnnscope.experiments.training.model import build_network, build_optimizer

N, T = 24, 5
RANDOM = np.random.default_rng(6)
MASK = np.arange(T) < RANDOM.integers(2, T + 1, size=N)[:, None]
NUMBERS = RANDOM.normal(3, 2, size=(N, T, 2)).astype("float32")
SYMBOLS = RANDOM.integers(1, 6, size=(N, T)).astype("int32")
LETTERS = tuple("·abcde")


def integers(*shape):
    return RANDOM.integers(0, 3, size=shape).astype("int32")


def normal(*shape):
    return RANDOM.normal(40, 9, size=shape).astype("float32")


PARTS = {
    "class": (Split(NUMBERS, integers(N)), Classes(3)),
    "class, padded": (Split(NUMBERS, integers(N), MASK), Classes(3)),
    "class of symbols, padded": (Split(SYMBOLS, integers(N), MASK), Classes(3)),
    "class per step, padded": (Split(NUMBERS, integers(N, T), MASK, MASK), Classes(3, per_step=True)),
    "values": (Split(NUMBERS, normal(N, 2)), Values(2)),
    "values per step, padded": (Split(NUMBERS, normal(N, T, 2), MASK, MASK), Values(2, per_step=True)),
    "labels, padded": (Split(NUMBERS, integers(N, T, 4).clip(0, 1).astype("float32"), MASK, MASK), Labels(4)),
    "next symbol": (Split(SYMBOLS, np.roll(SYMBOLS, -1, axis=1)), Symbols(6)),
    "sequence, padded": (
        Split(SYMBOLS, integers(N, 4), MASK, np.arange(4) < RANDOM.integers(1, 5, size=N)[:, None]),
        Sequences(3),
    ),
}


def task_of(kind):
    part, output = PARTS[kind]
    symbols = LETTERS if part.inputs.ndim == 2 else ()
    return Task(part, part, part, output, (), symbols, standardise=not symbols).scaled()


def model_of(config, task, batch_size=None):
    keras.utils.set_random_seed(2)
    model = MeasuredModel.around(build_network(config, task.signature, batch_size))
    model.measurements = Measurements()
    model.compile(build_optimizer(config.optimizer), **compile_arguments(task.output))
    return model


def trained(config, task, part, steps=2):
    """Losses, norms and weights after some steps on the whole part."""
    model = model_of(config, task)
    losses = [model.train_on_batch(*examples(part, task.output), return_dict=True) for _ in range(steps)]
    return losses, model.measurements.read(), model.get_weights()


@pytest.fixture
def small(compose):
    return lambda *overrides: compose("cell.units=7", "optimizer.learning_rate=0.01", *overrides)


@pytest.mark.parametrize(("kind", "cell"), list(zip(PARTS, itertools.cycle(["rnn", "lstm", "gru"]), strict=False)))
def test_a_network_for_every_kind_learns(small, kind, cell):
    task = task_of(kind)
    model = model_of(small(f"cell={cell}"), task)
    data = batches(task.train, task.output, batch_size=8, epochs=range(12), seed=1)
    history = model.fit(data, epochs=12, steps_per_epoch=3, shuffle=False, verbose=0).history["loss"]
    assert history[-1] < 0.95 * history[0]
    predictions = model.predict(network_inputs(task.test, task.output), verbose=0)
    sums = task.output.measure(predictions, task.test)
    assert all(np.isfinite(total) and count > 0 for total, count in sums.values())


@pytest.mark.parametrize(
    ("kind", "overrides"),
    [
        *((kind, ()) for kind in PARTS if "padded" in kind),
        ("class per step, padded", ("architecture=bidirectional",)),
        ("labels, padded", ("architecture=residual", "architecture.depth=2")),
        ("sequence, padded", ("architecture=bidirectional", "architecture.depth=2")),
    ],
    ids=str,
)
def test_what_stands_in_the_padding_reaches_neither_loss_nor_metrics_nor_weights_nor_norms(small, kind, overrides):
    task = task_of(kind)
    part = task.train
    inputs, targets = part.inputs.copy(), part.targets.copy()
    inputs[~part.mask] = 1 if task.symbols else 99.0
    if part.target_mask is not None:
        targets[~part.target_mask] = 1
    filled = Split(inputs, targets, part.mask, part.target_mask)
    config = small(*overrides)
    for mine, other in zip(trained(config, task, part), trained(config, task, filled), strict=True):
        keras.tree.map_structure(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), mine, other)


@pytest.mark.parametrize("kind", ["class, padded", "class per step, padded", "labels, padded"])
def test_padded_sequences_train_like_sequences_that_were_never_longer(small, kind):
    task = task_of(kind)
    short = 3
    per_step = task.output.per_step
    cut = Split(task.train.inputs[:, :short], task.train.targets[:, :short] if per_step else task.train.targets)
    mask = np.broadcast_to(np.arange(T) < short, (N, T))
    padded = Split(task.train.inputs, task.train.targets, mask, mask if per_step else None)
    bare = Task(cut, cut, cut, task.output, ())
    wide = Task(padded, padded, padded, task.output, ())
    losses, norms, weights = trained(small(), bare, cut)
    padded_losses, padded_norms, padded_weights = trained(small(), wide, padded)
    assert padded_losses == [pytest.approx(logs, rel=1e-4) for logs in losses]
    for key in norms:
        np.testing.assert_allclose(padded_norms[key][:short], norms[key], rtol=1e-3, atol=1e-7)
        if per_step:
            np.testing.assert_array_equal(padded_norms[key][short:], 0)
    for one, other in zip(padded_weights, weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_what_standardises_is_part_of_the_network(small):
    task = task_of("values")
    network = build_network(small(), task.signature)
    standardise = network.get_layer("standardise")
    seen = np.asarray(standardise(task.train.inputs)).reshape(-1, 2)
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(seen.std(axis=0), 1, rtol=1e-5)
    head = network.get_layer("head")
    head.set_weights([np.zeros_like(weight) for weight in head.get_weights()])
    answers = network.predict(task.test.inputs, verbose=0)
    np.testing.assert_allclose(answers, np.broadcast_to(task.train.targets.mean(axis=0), answers.shape), rtol=1e-5)


def test_symbols_are_embedded_in_vectors_about_as_long_as_a_one_hot_code(small):
    embedding = build_network(small("architecture.embedding_units=500"), task_of("next symbol").signature).get_layer(
        "embedding"
    )
    np.testing.assert_allclose(np.linalg.norm(embedding.get_weights()[0], axis=1), 1, atol=0.15)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_decoder_is_like_its_encoder(small, bidirectional):
    config = small("architecture.depth=2", f"architecture.bidirectional={bidirectional}")
    layer = build_network(config, task_of("sequence, padded").signature).get_layer("encoder_decoder")
    assert [inner.name for inner in layer.decoder.layers] == ["decoder_layer_1", "decoder_layer_2"]
    assert [inner.cell.units for inner in layer.decoder.layers] == ([14, 14] if bidirectional else [7, 7])


@pytest.mark.parametrize("kind", ["sequence, padded", "next symbol"])
def test_a_network_has_no_weight_that_nothing_depends_on(small, kind):
    config = small("architecture=deep_output", "architecture.depth=2", "architecture.transition_depth=1")
    task = task_of(kind)
    model = model_of(config, task)
    model.train_on_batch(*examples(task.train, task.output))
    assert dict(zip((w.path for w in model.trainable_weights), model.weight_norms.numpy() > 0, strict=True)) == {
        weight.path: True for weight in model.trainable_weights
    }


# --------------------------------------------------------------------- stateful


def test_streams_go_on_where_the_batch_before_has_ended():
    split = Split(np.arange(11)[:, None], np.arange(11))
    np.testing.assert_array_equal(in_streams(split, 3).targets.reshape(-1, 3), [[0, 3, 6], [1, 4, 7], [2, 5, 8]])


def test_more_streams_than_examples_are_refused():
    with pytest.raises(UserError, match=r"^trainer.batch_size=12: expected at most 11, .*$"):
        in_streams(Split(np.arange(11)[:, None], np.arange(11)), 12)


def test_a_stateful_network_reads_windows_like_one_long_sequence_and_starts_afresh_in_every_pass(small):
    text = RANDOM.integers(0, 6, size=61).astype("int32")
    windows = Split(text[:60].reshape(12, 5), text[1:61].reshape(12, 5))
    streams = in_streams(windows, 3)  # three streams of four windows
    task = Task(streams, streams, streams, Symbols(6), (), LETTERS, stateful=True)
    model = model_of(small(), task, batch_size=3)
    long = Split(text[:60].reshape(3, 20), text[1:61].reshape(3, 20))
    whole = model_of(small(), Task(long, long, long, Symbols(6), (), LETTERS))
    for one, other in zip(whole.trainable_variables, model.trainable_variables, strict=True):
        one.assign(other)
    model.optimizer.learning_rate = 0.0
    fresh = FreshStates()
    history = model.fit(
        batches(streams, task.output, 3, range(2), None),
        epochs=2, steps_per_epoch=4, shuffle=False, verbose=0, callbacks=[fresh],
        validation_data=examples(streams, task.output), validation_batch_size=3,
    ).history  # fmt: skip
    expected = whole.evaluate(long.inputs, long.targets, verbose=0, return_dict=True)["loss"]
    for losses in (history["loss"], history["val_loss"]):
        assert losses == pytest.approx([expected] * 2, rel=1e-5)


# --------------------------------------------------------- what a run notes of it


def test_solved_is_the_first_step_at_which_the_criterion_is_met(small):
    task = task_of("class")
    model = model_of(small(), task)
    for criterion, values, step in [
        (("accuracy", 0.9), [0.2, 0.91, 0.95], 20),
        (("mse", 0.01), [0.2, 0.05, 0.01], 30),
        (("mse", 0.001), [0.2, 0.05, 0.01], None),
        (None, [1.0, 1.0, 1.0], None),
    ]:
        solved = Solved(Task(task.train, task.train, task.train, task.output, (), solved=criterion))
        solved.set_model(model)
        for epoch, value in enumerate(values):
            model.optimizer.iterations.assign(10 * (epoch + 1))
            solved.on_epoch_end(epoch, {f"val_{criterion[0]}": value} if criterion else {})
        assert solved.step == step


def test_waiting_is_seen_where_the_data_are_slow_and_only_there(small):
    task = task_of("class")
    data = batches(task.train, task.output, 4, range(2), 1)

    def slowly():
        for batch in data:
            time.sleep(0.2)
            yield batch

    shares = {}
    for name, pipeline in {"quick": data, "slow": slowly()}.items():
        stopwatch = Stopwatch(timesteps=1)
        model_of(small(), task).fit(
            pipeline, epochs=2, steps_per_epoch=6, shuffle=False, verbose=0, callbacks=[stopwatch]
        )
        shares[name] = stopwatch.summary()["share_data"]
        assert stopwatch.steps == 11  # but for the first
    assert 0 < shares["quick"] < shares["slow"] < 1
