"""Construction of a Keras model and its optimizer from a configuration and the signature of a task."""

import math
from typing import Any

import keras
from hydra.utils import get_class

import rnnscope

from ..common.seeds import number
from ..configuration.schema import SCALED_INITIALIZERS
from ..data import Signature
from ..data.outputs import Sequences, Values
from .precision import precision, whole


def build_network(config: Any, signature: Signature, batch_size: int | None = None) -> keras.Model:
    """Build the network: inputs → a stack of recurrent layers → one Dense head.

    The head returns logits, or values in the units of the data. Numeric inputs `[B, T, F]` are standardized if the
    task requires it. Symbols `[B, T]` are embedded. Padded sequences have a second input, `mask`. If the output is a
    sequence, the stack is an encoder and a second stack of the same kind is the decoder. The target is then another
    input, of which only the length is used in inference.

    Recurrent layers are called `layer_1`, `layer_2`, … from the input to the output for every cell, so that the curves
    of different cells share a chart. Their names are `forward_layer_1` and `backward_layer_1` in a bidirectional
    stack, and `encoder_layer_1` and `decoder_layer_1` in an encoder and decoder.

    Args:
        config: a complete configuration.
        signature: the inputs and outputs of the task.
        batch_size: B; required only for a stateful network.
    """
    inputs: dict[str, Any] = {}
    with precision(config.trainer.precision):
        sequence = _sequence(config, signature, batch_size, inputs)
        if signature.masked:
            inputs["mask"] = keras.Input((signature.steps,), batch_size, dtype="bool", name="mask")
        outputs = _answers(config, signature, sequence, inputs)
        return keras.Model(inputs if len(inputs) > 1 else inputs["sequence"], outputs, name=config.cell.name)


def _sequence(config: Any, signature: Signature, batch_size: int | None, inputs: dict[str, Any]) -> Any:
    """Return the input as the recurrent layers read it, `[B, T, F]`."""
    if signature.symbols:
        inputs["sequence"] = keras.Input((signature.steps,), batch_size, dtype="int32", name="sequence")
        return _embedding(config, signature.features, "embedding")(inputs["sequence"])
    shape = (signature.steps, signature.features)
    inputs["sequence"] = sequence = keras.Input(shape, batch_size, name="sequence")
    if not signature.input_mean:
        return sequence
    variance = [scale**2 for scale in signature.input_scale]
    mean = list(signature.input_mean)
    return keras.layers.Normalization(mean=mean, variance=variance, dtype=whole(), name="standardise")(sequence)


def _embedding(config: Any, symbols: int, name: str) -> keras.layers.Embedding:
    """Return a layer that maps each symbol to a vector of length about 1, the length of a one-hot code."""
    units = config.architecture.embedding_units
    return keras.layers.Embedding(symbols, units, keras.initializers.RandomNormal(stddev=units**-0.5), name=name)


def _answers(config: Any, signature: Signature, sequence: Any, inputs: dict[str, Any]) -> Any:
    output, mask = signature.output, inputs.get("mask")
    head = keras.layers.Dense(output.size, dtype=whole(), name="head")
    if isinstance(output, Sequences):
        inputs["target"] = keras.Input((None,), dtype="int32", name="target")
        return _encoder_decoder(config, output, head)(sequence, inputs["target"], mask=mask)
    stack = _stack(config, "", output.per_step, stateful=signature.stateful)
    outputs = head(stack(sequence, mask=mask))
    if isinstance(output, Values) and output.scale:
        own_units = keras.layers.Rescaling(list(output.scale), list(output.offset), dtype=whole(), name="own_units")
        outputs = own_units(outputs)
    return outputs


def _encoder_decoder(config: Any, output: Sequences, head: Any) -> rnnscope.EncoderDecoder:
    """Return an encoder and a decoder with the same architecture.

    The decoder reads only forward. If the encoder is bidirectional, the decoder has twice as many units, so that it can
    receive the states of both directions.
    """
    both = config.architecture.bidirectional
    return rnnscope.EncoderDecoder(
        _stack(config, "encoder_", return_sequences=False, return_state=True),
        _stack(config, "decoder_", True, return_state=True, bidirectional=False, factor=2 if both else 1),
        head,
        _embedding(config, output.size, "written"),
        name="encoder_decoder",
    )


def _stack(
    config: Any,
    prefix: str,
    return_sequences: bool,
    *,
    return_state: bool = False,
    stateful: bool = False,
    bidirectional: bool | None = None,
    factor: int = 1,
) -> rnnscope.Stacked:
    """Return the recurrent layers of the architecture; `factor` multiplies their numbers of units."""
    architecture = config.architecture
    if bidirectional is None:
        bidirectional = architecture.bidirectional

    def layer(index: int) -> keras.layers.Layer:
        name = f"{prefix}layer_{index}"
        unread = return_state and not return_sequences and index == architecture.depth  # the encoder's output
        recurrent = rnnscope.RNN(
            _wrapped(_cell(config, f"{prefix}{index}", factor), config, f"{prefix}{index}", unread),
            return_sequences=return_sequences or index < architecture.depth,
            return_state=return_state,
            stateful=stateful,
            name=name,
        )
        if not bidirectional:
            return recurrent
        return rnnscope.Bidirectional(recurrent, architecture.merge_mode, name=f"{prefix}bidirectional_{index}")

    return rnnscope.Stacked(
        [layer(index) for index in range(1, architecture.depth + 1)],
        skip=architecture.skip,
        dropout=architecture.dropout,
        seed=number(config.seed, f"{prefix}dropout between layers"),
        name=f"{prefix}stack",
    )


def _cell(config: Any, index: str, factor: int) -> rnnscope.Cell:
    options = {key: config.cell[key] for key in config.cell if key not in ("_target_", "name", "recurrent_gain")}
    options["units"] *= factor
    if options.get("projection_units"):
        options["projection_units"] *= factor
    if config.cell.get("recurrent_initializer") in SCALED_INITIALIZERS:
        initializer = _SCALED[config.cell.recurrent_initializer]
        options["recurrent_initializer"] = initializer(gain=config.cell.recurrent_gain)
    return get_class(config.cell._target_)(seed=number(config.seed, f"dropout {index}"), **options)


_SCALED = {"identity": rnnscope.ScaledIdentity, "orthogonal": keras.initializers.Orthogonal}


def _wrapped(cell: rnnscope.Step, config: Any, index: str, unread: bool) -> rnnscope.Step:
    """Return the cell with the extensions that the architecture adds to it.

    If `unread`, the output of the cell is not used, and only extensions of its states are added.
    """
    chosen = config.architecture
    if chosen.transition_depth:
        cell = rnnscope.DeepTransitionCell(cell, chosen.transition_depth, shortcut=chosen.transition_shortcut)
    if chosen.zoneout or chosen.cell_zoneout:
        seed = number(config.seed, f"zoneout {index}")
        cell = rnnscope.ZoneoutCell(cell, chosen.zoneout, chosen.cell_zoneout, seed=seed)
    if chosen.output_units and not unread:
        cell = rnnscope.DeepOutputCell(cell, list(chosen.output_units))
    return cell


def build_optimizer(config: Any) -> keras.optimizers.Optimizer:
    """Build the optimizer from the configuration group `optimizer`."""
    options = {key: config[key] for key in config if key not in ("_target_", "name")}
    return get_class(config._target_)(**options)


def weights_table(network: keras.Model) -> str:
    """Return a Markdown table of the path, shape and size of every weight."""
    rows = [f"| {w.path} | {' × '.join(map(str, w.shape))} | {math.prod(w.shape):,} |" for w in network.weights]
    return "\n".join(["| weight | shape | parameters |", "|---|---|---:|", *rows])
