"""From a configuration to a network."""

import keras
import pytest

import layers
from experiments.data import load
from experiments.model import build_network, build_optimizer


def network(compose, *overrides):
    config = compose("dataset=adding", "dataset.train_size=4", "cell.units=5", *overrides)
    return build_network(config, load(config.dataset, config.seed))


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
    assert all(isinstance(layer, layers.Bidirectional) for layer in stack.layers)
    names = [(layer.forward_layer.name, layer.backward_layer.name) for layer in stack.layers]
    assert names == [("forward_layer_1", "backward_layer_1"), ("forward_layer_2", "backward_layer_2")]


def test_options_of_the_cell_reach_every_layer(compose):
    overrides = ["architecture.depth=2", "cell.activation=relu", "cell.dropout=0.1", "cell.unit_forget_bias=2"]
    for layer in network(compose, *overrides).get_layer("stack").layers:
        assert layer.cell.activation is keras.activations.relu
        assert layer.cell.dropout == 0.1
        assert layer.cell.bias.numpy()[5:10].tolist() == [2.0] * 5


def test_optimizers_take_their_options(compose):
    optimizer = build_optimizer(
        compose("optimizer=sgd", "optimizer.momentum=0.5", "optimizer.learning_rate=0.25").optimizer
    )
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert optimizer.momentum == 0.5
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.global_clipnorm == 1.0
