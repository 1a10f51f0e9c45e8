"""Checks of a composed configuration beyond its types: limits, names, packages. TensorFlow is not imported."""

import dataclasses
import importlib.util
import math
import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from rnnscope.signals import SIGNALS

from ..common.errors import UserError, suggestion
from ..data.options import looks_ahead
from .schema import LSTM, SCALED_INITIALIZERS
from .targets import GROUPS_WITH_TARGETS, current


def validate(config: DictConfig) -> None:
    """Raise `UserError` for the first problem that prevents a configuration from running.

    Args:
        config: a configuration composed from `conf/`, whose types are already correct.
    """
    for problem in _problems(config):
        raise UserError(problem)


def _problems(config: DictConfig) -> Iterator[str]:
    for key in map(str, config):
        if OmegaConf.is_missing(config, key):
            yield f"{key} is not set; choose one, as in {key}=…"
    for key, what in {"path": "your file", "target": "the column to forecast"}.items():
        if OmegaConf.is_missing(config.dataset, key):
            yield f"dataset.{key} is not set; name {what}, as in dataset.{key}=…"
    yield from _old_names(config)
    yield from _unknown_options(config, "")
    yield from _outside_limits(config, "")
    for signal in config.telemetry.signals:
        if signal not in SIGNALS:
            yield f"telemetry.signals={list(config.telemetry.signals)}: expected some of h, c and kernel, got {signal}"
    yield from _at_odds(config.cell, config.architecture, config.optimizer)
    yield from _at_odds_with_data(config)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", config.name):
        yield (
            f"name={config.name}: expected letters, digits, '.', '_' or '-', starting with none of '.' and '-'; "
            "it becomes a folder under runs/"
        )
    for module, package in config.dataset.requires.items():
        if importlib.util.find_spec(module) is None:
            yield (
                f"dataset={config.dataset.name} needs the package {package}, which is not installed: "
                f"pip install {package}"
            )


def _old_names(config: DictConfig) -> Iterator[str]:
    """Yield one message for each class or function with a name from before version 0.2."""
    for group in GROUPS_WITH_TARGETS:
        target = config[group]._target_
        if current(target) != target:
            yield f"{group}._target_={target}: this has another name now; write _target_: {current(target)}"


def _at_odds(cell: DictConfig, architecture: DictConfig, optimizer: DictConfig) -> Iterator[str]:
    """Yield one message for each option that is incompatible with another option."""
    initializer = cell.get("recurrent_initializer")
    if cell.get("recurrent_gain", 1.0) != 1.0 and initializer not in SCALED_INITIALIZERS:
        yield (
            f"cell.recurrent_gain={cell.recurrent_gain}: expected 1.0 beside cell.recurrent_initializer={initializer}; "
            f"only {' and '.join(SCALED_INITIALIZERS)} are scaled"
        )
    if architecture.cell_zoneout and not issubclass(OmegaConf.get_type(cell), LSTM):  # type: ignore[arg-type]
        yield f"architecture.cell_zoneout={architecture.cell_zoneout}: expected 0 for cell={cell.name}, which has no c"
    if architecture.transition_shortcut and not architecture.transition_depth:
        yield "architecture.transition_shortcut=True: expected architecture.transition_depth of at least 1 beside it"
    for size in architecture.output_units:
        if size < 1:
            yield f"architecture.output_units={list(architecture.output_units)}: expected sizes of at least 1"
    if architecture.skip and architecture.depth == 1:
        yield f"architecture.skip={architecture.skip}: expected architecture.depth of at least 2 beside it"
    if architecture.skip == "residual" and architecture.bidirectional and architecture.merge_mode != "concat":
        yield f"architecture.merge_mode={architecture.merge_mode}: expected concat beside architecture.skip=residual"
    clips = [name for name in ("global_clipnorm", "clipnorm", "clipvalue") if optimizer[name] is not None]
    if len(clips) > 1:
        given = " and ".join(f"optimizer.{name}={optimizer[name]}" for name in clips)
        yield f"{given}: expected one way to clip; set the other{'s' if len(clips) > 2 else ''} to null"


def _at_odds_with_data(config: DictConfig) -> Iterator[str]:
    """Yield one message for each option that is incompatible with the dataset."""
    dataset = config.dataset
    if config.architecture.bidirectional and looks_ahead(OmegaConf.get_type(dataset), dataset):
        yield (
            f"architecture.bidirectional=True: expected false for dataset={dataset.name}, which asks at every step for "
            "what a network reading backwards has already seen"
        )
    if dataset.get("stateful") and config.telemetry.inspect_every:
        yield (
            f"telemetry.inspect_every={config.telemetry.inspect_every}: expected 0 beside dataset.stateful=true, whose "
            "network reads whole batches only"
        )


def unknown_option(parents: str, key: str, schema: type) -> str:
    """Return the message for an option that does not exist, with the closest existing option."""
    allowed = [field.name for field in dataclasses.fields(schema) if not field.name.startswith("_")]
    received = f"{parents}.{key}" if parents else key
    return f"{received}: there is no such option in {parents or 'the configuration'}; {suggestion(key, allowed)}"


def _unknown_options(node: DictConfig, prefix: str) -> Iterator[str]:
    """Yield one message for each key that was added with `+`, as in `+cell.foo=3`, and is not in the types."""
    schema = OmegaConf.get_type(node)
    if not dataclasses.is_dataclass(schema):
        return
    known = {field.name for field in dataclasses.fields(schema)}
    for key in node:
        if key not in known:
            yield unknown_option(prefix.rstrip("."), str(key), schema)
        elif isinstance(node[key], DictConfig):
            yield from _unknown_options(node[key], f"{prefix}{key}.")


def _outside_limits(node: DictConfig, prefix: str) -> Iterator[str]:
    """Yield one message for each value outside the limits of its field."""
    for field in dataclasses.fields(OmegaConf.get_type(node)):  # type: ignore[arg-type]
        key, value = f"{prefix}{field.name}", node[field.name]
        if isinstance(value, DictConfig) and dataclasses.is_dataclass(OmegaConf.get_type(value)):
            yield from _outside_limits(value, f"{key}.")
        elif value is not None:
            yield from _outside(key, value, field.metadata)


def _outside(key: str, value: Any, limits: Any) -> Iterator[str]:
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{key}={value}: expected a finite number"
    elif "at_least" in limits and value < limits["at_least"]:
        yield f"{key}={value}: expected a value of at least {limits['at_least']}"
    elif "above" in limits and value <= limits["above"]:
        yield f"{key}={value}: expected a value above {limits['above']}"
    elif "at_most" in limits and value > limits["at_most"]:
        yield f"{key}={value}: expected a value of at most {limits['at_most']}"
    elif "choices" in limits and value not in limits["choices"]:
        yield f"{key}={value}: {suggestion(str(value), limits['choices'])}"
