"""The file `study.json` in the folder of a study's runs, written before the runs start and read for the report."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..common import files
from ..common.errors import UserError
from ..common.values import mapping
from ..runs.reader import Run, read_run, same
from .definition import study_of
from .metrics import is_over
from .request import SCALES, Asked
from .study import Rule, Study, said

_FILE = "study.json"
_EXTREMES = {"smallest": min, "largest": max}
"""Special values of a condition, which select the smallest or largest value of the option among the runs."""


@dataclasses.dataclass(frozen=True)
class Kept:
    """A study with its runs, read from a folder.

    Attributes:
        name: name of the study.
        scale: one of `SCALES`.
        typed: other overrides of the command.
        study: definition of the study, with each `smallest` or `largest` replaced by the actual value.
        runs: all requested runs, including those that have not started, each with the options that the study uses.
        changed: whether the rules were changed after a run had ended.
    """

    name: str
    scale: str
    typed: list[str]
    study: Study
    runs: list[Run]
    changed: bool


def keep(folder: Path, asked: Asked, options: Mapping[Path, Mapping[str, str]]) -> None:
    """Save the definition of a study and the list of its runs.

    Args:
        folder: folder of the runs.
        asked: requested study.
        options: options of each run as on the command line, including the seed, by run directory.
    """
    definition = dataclasses.asdict(asked.study)
    before = mapping(files.read_json(folder / _FILE))
    ended = any(is_over(read_run(path)) for path in options)
    rules_before = mapping(before.get("definition")).get("rules")
    others = ended and rules_before is not None and _told(rules_before) != _told(definition["rules"])
    told = ("seed", *asked.study.options)
    files.write_json(
        folder / _FILE,
        {
            "study": asked.name,
            "scale": asked.scale,
            "typed": asked.typed,
            "definition": definition,
            "changed": bool(before.get("changed")) or others,
            "runs": {path.name: {key: of[key] for key in told if key in of} for path, of in options.items()},
        },
    )


def _told(rules: Any) -> list[dict[str, Any]]:
    """Return the fields of rules that are not `None`.

    Rules are compared without the other fields because the file may come from a version that did not have them.
    """
    return [{key: value for key, value in mapping(rule).items() if value is not None} for rule in rules]


def read_kept(folder: Path) -> Kept:
    """Read the study whose runs are in a folder.

    Raises:
        UserError: the folder does not contain a study.
    """
    found = mapping(files.read_json(folder / _FILE))
    runs, definition = mapping(found.get("runs")), found.get("definition")
    if not runs or found.get("scale") not in SCALES:
        raise UserError(f"{folder}: holds no study ({_FILE}); expected the folder of one, made by train.py -m study=…")
    study = study_of(definition, f"{folder / _FILE}: definition")
    options = {str(name): {str(key): str(value) for key, value in mapping(of).items()} for name, of in runs.items()}
    typed = [str(override) for override in found.get("typed") or []]
    read = [_with_options(read_run(folder / name), of) for name, of in options.items()]
    name = str(found.get("study", folder.name))
    return Kept(name, found["scale"], typed, resolved(study, options.values()), read, found.get("changed") is True)


def _with_options(run: Run, options: dict[str, str]) -> Run:
    """Return a run with the options that the study requested, even if its own files cannot be read."""
    beside_seed = {key: value for key, value in options.items() if key != "seed"}
    message = run.message if run.path.is_dir() else "it has not begun"
    return dataclasses.replace(run, options=run.options | beside_seed, seed=options.get("seed", ""), message=message)


# ------------------------------------------------------------------- selection


def check_groups(asked: Asked, options: Iterable[Mapping[str, str]]) -> None:
    """Check that every rule, figure and published result of a study has runs.

    Args:
        asked: requested study.
        options: options of each run.

    Raises:
        UserError: the conditions of a rule, figure or published result match no run.
    """
    options = list(options)
    study, place = resolved(asked.study, options), f"study={asked.name} at {asked.scale} scale"
    for number, rule in enumerate(study.rules, start=1):
        for conditions in rule.conditions:
            if not any(meets(each, conditions) for each in options):
                raise UserError(
                    f"{place}: rules[{number}]: no run has {said(conditions)}; change the rule or the grids"
                )
    for number, published in enumerate(study.published, start=1):
        if not any(meets(each, published.of) for each in options):
            raise UserError(f"{place}: published[{number}]: no run has {said(published.of)}; change it or the grids")
    for number, figure in enumerate(study.figures, start=1):
        drawn = [each for each in options if meets(each, figure.where)]
        if not any(set(figure.options) <= set(each) for each in drawn):
            told = f"{' and '.join(figure.options)}{f' where {said(figure.where)}' if figure.where else ''}"
            raise UserError(f"{place}: figures[{number}]: no run has {told}; change the figure or the grids")


def meets(options: Mapping[str, str], conditions: Mapping[str, str]) -> bool:
    """Return whether a run with these options meets all conditions."""
    return all(same(value, options.get(key)) for key, value in conditions.items())


def resolved(study: Study, options: Iterable[Mapping[str, str]]) -> Study:
    """Return a study in whose conditions `smallest` and `largest` are replaced by the actual values.

    Args:
        study: study to resolve.
        options: options of each run.
    """
    options = list(options)
    return dataclasses.replace(
        study,
        rules=tuple(_resolved_rule(rule, options) for rule in study.rules),
        figures=tuple(
            dataclasses.replace(figure, where=_resolved(figure.where, {}, options)) for figure in study.figures
        ),
        published=tuple(dataclasses.replace(each, of=_resolved(each.of, {}, options)) for each in study.published),
    )


def _resolved_rule(rule: Rule, options: list[Mapping[str, str]]) -> Rule:
    against = rule.against
    if isinstance(against, dict):
        against = _resolved(against, rule.where, options)
    of, where = _resolved(rule.of, rule.where, options), _resolved(rule.where, rule.of, options)
    return dataclasses.replace(rule, of=of, against=against, where=where)


def _resolved(
    conditions: dict[str, str], beside: Mapping[str, str], options: list[Mapping[str, str]]
) -> dict[str, str]:
    """Replace `smallest` and `largest` in conditions by values among the runs that meet all other conditions."""
    plain = {key: value for key, value in {**beside, **conditions}.items() if value not in _EXTREMES}
    others = [of for of in options if meets(of, plain)]

    def value_of(key: str, value: str) -> str:
        numbers = [of[key] for of in others if _is_number(of.get(key))]
        return _EXTREMES[value](numbers, key=float) if value in _EXTREMES and numbers else value

    return {key: value_of(key, value) for key, value in conditions.items()}


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and float(text) == float(text)
    except ValueError:
        return False
