"""From a configuration to a network."""

import keras
import numpy as np
import pytest

import rnnscope
from rnnscope.experiments.configuration.composition import CONF
from rnnscope.experiments.data import load
from rnnscope.experiments.training.losses import compile_arguments
from rnnscope.experiments.training.model import build_network, build_optimizer


def network(compose, *overrides):
    config = compose("dataset=adding", "dataset.train_size=4", "cell.units=5", *overrides)
    return build_network(config, load(config.dataset, config.seed).signature)


@pytest.mark.parametrize(
    ("cell", "recurrent"),
    [("rnn", 5 * (2 + 5 + 1)), ("lstm", 4 * 5 * (2 + 5 + 1)), ("gru", 3 * 5 * (2 + 5 + 1) + 3 * 5)],
)
def test_parameters_are_those_of_the_equations(compose, cell, recurrent):
    assert network(compose, f"cell={cell}").count_params() == recurrent + 5 + 1


def test_layers_are_named_from_the_input_up(compose):
    stack = network(compose, "architecture.depth=3", "cell=gru").get_layer("stack")
    assert [layer.name for layer in stack.layers] == ["layer_1", "layer_2", "layer_3"]
    assert [layer.return_sequences for layer in stack.layers] == [True, True, False]


def test_directions_are_part_of_the_names(compose):
    stack = network(compose, "architecture.depth=2", "architecture.bidirectional=true").get_layer("stack")
    assert all(isinstance(layer, rnnscope.Bidirectional) for layer in stack.layers)
    names = [(layer.forward_layer.name, layer.backward_layer.name) for layer in stack.layers]
    assert names == [("forward_layer_1", "backward_layer_1"), ("forward_layer_2", "backward_layer_2")]


def test_options_of_the_cell_reach_every_layer(compose):
    overrides = ["architecture.depth=2", "cell.activation=relu", "cell.dropout=0.1", "cell.unit_forget_bias=2"]
    for layer in network(compose, *overrides).get_layer("stack").layers:
        assert layer.cell.activation is keras.activations.relu
        assert layer.cell.dropout == 0.1
        assert layer.cell.bias.numpy()[5:10].tolist() == [2.0] * 5


def test_what_the_architecture_adds_is_put_around_every_cell_in_one_order(compose):
    overrides = [
        "architecture.depth=2", "architecture.transition_depth=3", "architecture.transition_shortcut=true",
        "architecture.zoneout=0.1", "architecture.cell_zoneout=0.5", "architecture.output_units=[7,6]",
    ]  # fmt: skip
    for layer in network(compose, *overrides).get_layer("stack").layers:
        outer = layer.cell
        assert (type(outer), outer.units) == (rnnscope.DeepOutputCell, [7, 6])
        assert (type(outer.cell), outer.cell.rate, outer.cell.cell_rate) == (rnnscope.ZoneoutCell, 0.1, 0.5)
        inner = outer.cell.cell
        assert (type(inner), inner.depth, inner.shortcut) == (rnnscope.DeepTransitionCell, 3, True)
        assert type(inner.cell) is rnnscope.LSTMCell


def test_skips_and_dropout_between_layers_reach_the_stack(compose):
    stack = network(compose, "architecture=dense_skip", "architecture.dropout=0.2").get_layer("stack")
    assert (stack.skip, stack.dropout, len(stack.layers)) == ("dense", 0.2, 3)
    assert [layer.cell.kernel.shape[0] for layer in stack.layers] == [2, 2 + 5, 2 + 5 + 5]


def test_two_directions_are_merged_as_asked(compose):
    built = network(compose, "architecture=bidirectional", "architecture.merge_mode=sum")
    assert built.get_layer("stack").output.shape == (None, 5)


def test_options_that_change_a_cell_s_equations_reach_it(compose):
    overrides = ["cell.layer_normalization=true", "cell.projection_units=3", "cell.candidate_dropout=0.2"]
    cell = network(compose, *overrides).get_layer("stack").layers[0].cell
    assert (cell.layer_normalization, cell.projection_units, cell.candidate_dropout) == (True, 3, 0.2)
    assert cell.recurrent_kernel.shape == (3, 20)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_scaled_identity_starts_every_block_of_the_recurrent_kernel(compose, cell):
    overrides = [f"cell={cell}", "cell.recurrent_initializer=identity", "cell.recurrent_gain=0.5"]
    kernel = network(compose, *overrides).get_layer("stack").layers[0].cell.recurrent_kernel.numpy()
    np.testing.assert_array_equal(kernel, np.tile(0.5 * np.eye(5), kernel.shape[1] // 5))


def test_the_gain_scales_an_orthogonal_start(compose):
    kernel = network(compose, "cell=rnn", "cell.recurrent_gain=1.5").get_layer("stack").layers[0].cell.recurrent_kernel
    np.testing.assert_allclose(np.linalg.svd(kernel, compute_uv=False), 1.5, rtol=1e-5)


ARCHITECTURES = sorted(file.stem for file in (CONF / "architecture").glob("*.yaml"))


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_trains(compose, cell, architecture):
    small = ["cell.units=8", "dataset=adding", "dataset.length=6", "dataset.train_size=64"]
    config = compose(f"cell={cell}", f"architecture={architecture}", *small)
    keras.utils.set_random_seed(1)
    task = load(config.dataset, config.seed)
    model = build_network(config, task.signature)
    model.compile(build_optimizer(config.optimizer), **compile_arguments(task.output))
    history = model.fit(task.train.inputs, task.train.targets, epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]


@pytest.mark.parametrize("clip", ["global_clipnorm", "clipnorm", "clipvalue"])
def test_every_way_to_clip_reaches_the_optimizer(compose, clip):
    chosen = compose("optimizer.global_clipnorm=null", f"optimizer.{clip}=0.3").optimizer
    optimizer = build_optimizer(chosen)
    ways = {name: getattr(optimizer, name) for name in ("global_clipnorm", "clipnorm", "clipvalue")}
    assert ways == {"global_clipnorm": None, "clipnorm": None, "clipvalue": None, clip: 0.3}


def test_optimizers_take_their_options(compose):
    optimizer = build_optimizer(
        compose("optimizer=sgd", "optimizer.momentum=0.5", "optimizer.learning_rate=0.25").optimizer
    )
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert optimizer.momentum == 0.5
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.global_clipnorm == 1.0
