"""The command `rnnscope generate`, which generates text or a tune symbol by symbol from the network's predictions."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from ..common import files
from ..common.console import console
from ..common.errors import UserError
from ..common.quiet import import_tensorflow, without_stderr
from ..common.seeds import stream
from ..data import Signature
from ..data.outputs import Symbols
from ..runs import stored
from ..runs.directory import RunDirectory


def generate(
    directory: Path,
    length: int,
    prompt: str | None,
    temperature: float,
    seed: int,
    output: Path | None,
    config_dir: Path | None = None,
) -> None:
    """Generate symbols with the network of a run, and print them.

    Args:
        directory: directory of a completed run whose targets are the next symbols.
        length: number of symbols to generate.
        prompt: text that the network reads first. The default is a line break, or the last symbol of an alphabet
            without line breaks.
        temperature: number by which the logits are divided. With 0, the most likely symbol is always chosen.
        seed: seed of the random choices.
        output: file to which the text is also written.
        config_dir: folder with custom configuration files, as in `train.py --config-dir`.

    Raises:
        UserError: the run does not exist, is not completed or has a different kind of task, the prompt contains unknown
            symbols, or the file cannot be written.
    """
    signature = _signature(directory)
    prompt = "\n" if prompt is None and "\n" in signature.symbols else prompt or signature.symbols[-1]
    read = _numbers(prompt, signature)
    config = stored.configuration(directory, config_dir)
    with console().status("starting TensorFlow"), without_stderr():
        import_tensorflow()
        step = _writer(directory / "model.keras", config, signature)
    random = stream(seed, "generate")
    for symbol in read[:-1]:
        step(symbol)
    chosen = read[-1]
    text = prompt
    for _ in range(length):
        chosen = _choose(step(chosen), temperature, random)
        text += signature.symbols[chosen]
    print(text)
    if output is not None:
        try:
            files.write_text(output, text)
        except OSError as error:
            raise UserError(f"{output}: cannot be written ({error.strerror}); choose another file") from error


def _signature(directory: Path) -> Signature:
    run = RunDirectory(directory)
    if run.state != "completed" or run.signature is None:
        raise UserError(
            f"{directory}: expected the directory of a completed run, such as runs/default/lstm-text_chars-…"
        )
    if not isinstance(run.signature.output, Symbols):
        raise UserError(
            f"{directory}: its network answers with {type(run.signature.output).__name__.lower()}; expected a run that "
            "learnt the next symbol, as with dataset=text_chars or dataset=tunes"
        )
    return run.signature


def _numbers(prompt: str, signature: Signature) -> list[int]:
    """Encode a prompt as the indices of its symbols."""
    known = {symbol: number for number, symbol in enumerate(signature.symbols)}
    for character in prompt:
        if character not in known:
            raise UserError(f"--prompt: {character!r} is not in the run's alphabet: {''.join(signature.symbols)!r}")
    return [known[character] for character in prompt]


def _writer(model: Path, config: DictConfig, signature: Signature) -> Any:
    """Return a stateful function from a symbol to the logits of the next symbol."""
    import keras
    import tensorflow as tf

    from ..training.model import build_network

    one_step = dataclasses.replace(signature, steps=1, stateful=True)
    network = build_network(config, one_step, batch_size=1)  # first, because it imports the module of a custom cell
    trained = keras.models.load_model(model, compile=False, safe_mode=True)
    for mine, learnt in zip(network.trainable_variables, trained.trainable_variables, strict=True):
        mine.assign(learnt)

    @tf.function
    def logits(symbol):
        return network(tf.reshape(symbol, (1, 1)), training=False)[0, 0]

    return lambda symbol: logits(tf.constant(symbol)).numpy()


def _choose(logits: np.ndarray, temperature: float, random: np.random.Generator) -> int:
    """Sample a symbol from the softmax of the logits, divided by the temperature."""
    if temperature == 0:
        return int(logits.argmax())
    scaled = logits.astype("float64") / temperature
    weights = np.exp(scaled - scaled.max())
    return int(random.choice(len(weights), p=weights / weights.sum()))
