"""Write docs/reference/configuration.md, the reference of all choices and options.

    python tools/write_option_reference.py

The description of an option is the comment behind it in its YAML file. An option that occurs in many files is described
by the docstring below its field in `experiments/configuration/schema.py` or `experiments/data/options.py` instead. The
fields of a study file are described by the docstrings in `experiments/studies/study.py`.
"""

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hydra
import yaml
from omegaconf import MISSING, OmegaConf
from sphinx.pycode import ModuleAnalyzer

from rnnscope.experiments.common import files
from rnnscope.experiments.configuration.composition import CONF, composing, prepare
from rnnscope.experiments.configuration.schema import ACTIVATIONS, INITIALIZERS, Config, Sweep
from rnnscope.experiments.studies.definition import study_files
from rnnscope.experiments.studies.request import SCALES
from rnnscope.experiments.studies.study import SIGNALS, Figure, Profile, Published, Rule, Study

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "configuration.md"
GROUPS = tuple(field.name for field in dataclasses.fields(Config) if (CONF / field.name).is_dir())
PLUGIN_GROUPS = ("hydra/launcher", "hydra/sweeper")
"""Groups whose options are defined and checked by a plugin of Hydra."""
FIXED_FIELDS = ("_target_", "name", "requires")
"""Fields that identify a choice. The page does not list them."""
VALUE_LISTS = {"activation": ACTIVATIONS, "initializer": INITIALIZERS}
"""Allowed values that many options share. The page lists them once."""
INTRODUCTION = """
<!-- Written by tools/write_option_reference.py from conf/ and its types. -->

This page lists the options of `rnnscope train`. For example, `rnnscope train cell=gru cell.units=128 seed=7` selects
the choice `gru` of the group `cell`, and sets the options `cell.units` and `seed`. Add `--cfg job` to a command to show
the configuration of the run without training.

Each group has a folder in `conf/`, and each choice of the group is a file in this folder. A choice that inherits from
another choice has the same options, some of them with other default values. Values that are not allowed, and options
that contradict each other, are rejected before a run starts. The tables do not list the fields that identify a choice:
`name`, `_target_`, and `requires`, which contains the required packages.
"""
TYPES = {
    bool: "true or false",
    int: "integer",
    float: "number",
    str: "string",
    list[str]: "list of strings",
    list[int]: "list of integers",
    Any: "string, or list of strings",
}
STUDIES = """
A [study](../studies/README.md) is a sweep with rules. `rnnscope train -m study=vanishing` runs the study `vanishing`.
Further options in the command replace the values in the study file. [A custom study](../howto/own_study.md) is a YAML
file with the fields below.
"""
STUDY_TYPES = {
    "Study file": Study,
    "Rule": Rule,
    "Figure of a metric": Figure,
    "Figure of a signal": Profile,
    "Published result": Published,
}
"""Headings, and the types of the parts of a study file."""
FIELD_TYPES = {
    str: "string",
    float: "number",
    bool: "`true` or `false`",
    dict[str, str]: "`{option: value}`",
    tuple[str, ...]: "list of strings",
    tuple[dict[str, str], ...]: "list of `{option: value}`",
    tuple[Rule, ...]: "list of [rules](#rule)",
    tuple[Figure | Profile, ...]: "list of figures, each of [a metric](#figure-of-a-metric) or of "
    "[a signal](#figure-of-a-signal)",
    tuple[Published, ...]: "list of [published results](#published-result)",
}
REPLACEMENTS = {
    "a name that `metrics.find` knows": "[one of these metrics](../studies/README.md#metrics)",
    "`metrics.find`": "[the table of metrics](../studies/README.md#metrics)",
    "`None`": "`null`",
    "`SIGNALS`": ", ".join(f"`{name}`" for name in SIGNALS),
}
"""Python terms in the docstrings, and their replacements on the page."""
REQUIRED = "required"
"""The default of an option, or of a field, that has none."""


@dataclasses.dataclass(frozen=True)
class Option:
    """A row of a table without the default value."""

    name: str
    kind: str
    description: str


# ------------------------------------------------------- comments and docstrings


def heading(path: Path) -> str:
    """Return the comment at the top of a YAML file. Indented lines are commands."""
    lines = re.match(r"(?:#.*\n)*", path.read_text(encoding="utf-8"))[0].splitlines()  # type: ignore[index]
    texts = [line.removeprefix("#").removeprefix(" ") for line in lines]
    return " ".join(f"`{text.strip()}`" if text.startswith("  ") else escaped(text) for text in texts)


def escaped(text: str) -> str:
    """Escape text for a cell of a Markdown table."""
    return re.sub(r"([|*\[<])", r"\\\1", text)


def read_comments(path: Path) -> dict[str, str]:
    """Return the comments behind the options of a YAML file and of the files that it inherits from, by option."""
    found: dict[str, str] = {}
    for base in bases(path):
        found |= read_comments(path.with_name(f"{base}.yaml"))
    text = path.read_text(encoding="utf-8")
    return found | dict(_comments(yaml.compose(text), text.splitlines(), ""))


def bases(path: Path) -> list[str]:
    """Return the choices of the same group that a YAML file inherits from."""
    defaults = yaml.safe_load(path.read_text(encoding="utf-8")).get("defaults", [])
    return [entry for entry in defaults if isinstance(entry, str) and path.with_name(f"{entry}.yaml").exists()]


def _comments(node: Any, lines: list[str], prefix: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _comments(item, lines, prefix)
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        name = f"{prefix}{key.value}"
        if isinstance(value, yaml.CollectionNode) and not value.flow_style:
            yield from _comments(value, lines, f"{name}.")
        elif comment := re.match(r"\s+# *(.+)", lines[value.end_mark.line][value.end_mark.column :]):
            yield name, comment[1]


@functools.cache
def field_docstrings() -> dict[tuple[str, str], str]:
    """Return the docstrings below fields, by class and field, in the style of a comment behind an option."""
    analyzers = map(
        ModuleAnalyzer.for_module, ("rnnscope.experiments.configuration.schema", "rnnscope.experiments.data.options")
    )
    found = {key: " ".join(lines).strip() for each in analyzers for key, lines in each.find_attr_docs().items()}
    return {key: f"{text[0].lower()}{text[1:].removesuffix('.')}" for key, text in found.items()}


def description(key: str, comments: Mapping[str, str], schema: type, file: str) -> str:
    """Return the description of an option.

    Raises:
        LookupError: the option has neither a comment nor a docstring.
    """
    candidates = [comments.get(key), *(field_docstrings().get((each.__name__, key)) for each in schema.__mro__)]
    for text in candidates:
        if text:
            return escaped(text)
    raise LookupError(
        f"{file}: {key} has no meaning; add a comment behind it, or a docstring below its field in {schema.__module__}"
    )


# ------------------------------------------------------------------------- types


def kind(field: dataclasses.Field) -> str:
    """Return the type and the limits of an option as text."""
    optional = type(None) in getattr(field.type, "__args__", ())
    plain = next(each for each in field.type.__args__ if each is not type(None)) if optional else field.type
    limits = field.metadata
    text = allowed(limits["choices"]) if "choices" in limits else TYPES[plain]  # type: ignore[index]
    bounds = {"at_least": "at least", "above": "above", "at_most": "at most"}
    text += "".join(f", {bounds[key]} {limits[key]}" for key in bounds if key in limits)
    return f"{text}; or `null`" if optional else text


def allowed(choices: tuple[str, ...]) -> str:
    """Return the allowed values of an option as text."""
    for name, values in VALUE_LISTS.items():
        if set(choices) <= set(values):
            excluded = listed([value for value in values if value not in choices])
            return f"[{name}](#{name}s)" + (f" except {excluded}" if excluded else "")
    return listed(list(choices))


def formatted(value: Any) -> str:
    """Return a value in the form that the command line accepts."""
    if value == MISSING:
        return REQUIRED
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=1000).splitlines()[0]}`"


# ----------------------------------------------------------------------- tables


def table(columns: tuple[str, ...], *rows: tuple[str, ...]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, ("---",) * len(columns), *rows))


def listed(names: list[str]) -> str:
    """Return names as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def choices_of(group: str) -> list[str]:
    """Return the choices of a group that have a file."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def choices_table(group: str) -> str:
    """Return the table of the choices of a group."""
    rows = []
    for choice in choices_of(group):
        path = CONF / group / f"{choice}.yaml"
        inherits = f" Inherits from {listed(bases(path))}." if bases(path) else ""
        rows.append((f"`{choice}`", heading(path) + inherits))
    return table(("choice", "description"), *rows)


def options_of(group: str, choice: str) -> dict[str, dataclasses.Field]:
    """Return the fields of the options of a choice, by name."""
    schema, _ = composed(group, choice)
    return {field.name: field for field in dataclasses.fields(schema) if field.name not in FIXED_FIELDS}


@functools.cache
def composed(group: str, choice: str) -> tuple[Any, dict[str, Any]]:
    """Return the type of a choice and its values."""
    base = next(field.type for field in dataclasses.fields(Config) if field.name == group)
    values = OmegaConf.merge(base, hydra.compose(f"{group}/{choice}")[group])
    return OmegaConf.get_type(values), OmegaConf.to_container(values)  # type: ignore[return-value]


def options_tables(group: str) -> str:
    """Return the options of a group: one row per description, one table per set of choices that share options."""
    defaults: dict[Option, dict[str, str]] = {}
    for choice in choices_of(group):
        comments = read_comments(CONF / group / f"{choice}.yaml")
        schema, values = composed(group, choice)
        for name, field in options_of(group, choice).items():
            text = description(name, comments, schema, f"conf/{group}/{choice}.yaml")
            defaults.setdefault(Option(name, kind(field), text), {})[choice] = formatted(values[name])
    roots = [choice for choice in choices_of(group) if not bases(CONF / group / f"{choice}.yaml")]
    tables: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for option, values in defaults.items():
        row = f"`{group}.{option.name}`", option.kind, default(values), option.description
        tables.setdefault(tuple(choice for choice in roots if choice in values), []).append(row)
    columns = ("option", "allowed values", "default", "description")
    return "\n\n".join(
        f"{owners(choices, roots)}\n\n{table(columns, *tables[choices])}"
        for choices in sorted(tables, key=lambda choices: (-len(choices), choices))
    )


def default(values: dict[str, str]) -> str:
    """Return the most common default of an option, and the choices that have another one."""
    (common, count), *others = Counter(values.values()).most_common()
    if not others:
        return common
    choices = {value: ", ".join(choice for choice in values if values[choice] == value) for value, _ in others}
    first = common if count > 1 else f"{common} ({next(iter(values))})"
    return "; ".join([first, *(f"{value} ({names})" for value, names in choices.items())])


def owners(choices: tuple[str, ...], roots: list[str]) -> str:
    """Return the line above a table that names the choices with these options. Inheriting choices have them too."""
    missing = [choice for choice in roots if choice not in choices]
    if not missing:
        return "Options of all choices:" if len(roots) > 1 else "Options:"
    if len(missing) < len(choices) / 2:
        return f"Options of all choices except {listed(missing)}:"
    return f"Options of {listed(list(choices))}:"


def run_table() -> str:
    """Return the table of the options that belong to no group."""
    path = CONF / "config.yaml"
    config, comments = hydra.compose("config"), read_comments(path)
    rows = []
    for schema, node, prefix in ((Config, config, ""), (Sweep, config.sweep, "sweep.")):
        for field in dataclasses.fields(schema):
            key = f"{prefix}{field.name}"
            if key not in (*GROUPS, "sweep"):
                text = description(key, comments, schema, "conf/config.yaml")
                rows.append((f"`{key}`", kind(field), formatted(node[field.name]), text))
    return table(("option", "allowed values", "default", "description"), *rows)


def plugin_table(path: Path) -> str:
    """Return the table of the options of a launcher or sweeper."""
    comments, prefix = read_comments(path), f"hydra.{path.parent.name}"
    rows = []
    for key, value in _flat(yaml.safe_load(path.read_text(encoding="utf-8")), ""):
        if key not in ("_target_", "defaults"):
            if key not in comments:
                raise LookupError(
                    f"conf/hydra/{path.parent.name}/{path.name}: {key} has no meaning; add a comment behind it"
                )
            rows.append((f"`{prefix}.{key}`", formatted(value), escaped(comments[key])))
    return table(("option", "default", "description"), *rows)


def _flat(options: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


# --------------------------------------------------------------------- studies


def study_parts() -> Iterator[str]:
    """Generate the section on studies: the options of the command line, and the fields of a study file."""
    yield "## `study`"
    yield STUDIES.strip()
    names, scales = listed(sorted(study_files())), listed(list(SCALES))
    yield table(
        ("option", "allowed values", "default", "description"),
        ("`study`", f"{names}, or a custom study", "none", "study to run"),
        (
            "`study.scale`",
            scales,
            formatted(SCALES[0]),
            "size of the study; smoke takes seconds and only checks that the study works",
        ),
    )
    for title, schema in STUDY_TYPES.items():
        rows = [study_row(field, schema.__doc__ or "") for field in dataclasses.fields(schema)]
        yield f"### {title}"
        yield table(("field", "type", "default", "description"), *rows)


def study_row(field: dataclasses.Field, docstring: str) -> tuple[str, ...]:
    """Return the row of a field of a study file.

    Args:
        field: field of a dataclass.
        docstring: docstring of the dataclass.

    Raises:
        LookupError: the docstring does not describe the field.
    """
    entry = re.search(rf"^        {field.name}: (.+(?:\n {{9,}}.+)*)", docstring, flags=re.MULTILINE)
    if not entry:
        raise LookupError(f"{field.name} of a study's file has no meaning; describe it in experiments/studies/study.py")
    text = escaped(" ".join(entry[1].split()).removesuffix("."))
    for term, replacement in REPLACEMENTS.items():
        text = text.replace(term, replacement)
    return f"`{field.name}`", field_type(field.type), field_default(field), text


def field_type(of: Any) -> str:
    """Return the type of a field as text."""
    if of in FIELD_TYPES:
        return FIELD_TYPES[of]
    return "; or ".join("`null`" if each is type(None) else field_type(each) for each in of.__args__)


def field_default(field: dataclasses.Field) -> str:
    """Return the default of a field as text."""
    if field.default_factory is not dataclasses.MISSING:
        return "none"
    return REQUIRED if field.default is dataclasses.MISSING else formatted(field.default)


# ------------------------------------------------------------------------- page


def page() -> str:
    """Return the whole page."""
    prepare()
    with composing():
        comments = read_comments(CONF / "config.yaml")
        parts = ["# Configuration", INTRODUCTION.strip(), "## Run and sweep", run_table()]
        for group in GROUPS:
            parts += [
                f"## `{group}`",
                sentence(comments[f"defaults.{group}"]),
                choices_table(group),
                options_tables(group),
            ]
        parts += study_parts()
        for group in PLUGIN_GROUPS:
            parts += [
                f"## `{group}`",
                sentence(comments[f"defaults.override {group}"])
                + f" Each {group.removeprefix('hydra/')} checks its own options.",
            ]
            for choice in choices_of(group):
                path = CONF / group / f"{choice}.yaml"
                parts += [f"### `{group}={choice}`", heading(path), plugin_table(path)]
        for name, values in VALUE_LISTS.items():
            parts += [f"## {name.capitalize()}s", listed(list(values))]
    return "\n\n".join(parts) + "\n"


def sentence(text: str) -> str:
    """Return a comment as a sentence."""
    return f"{text[0].upper()}{escaped(text[1:])}."


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    files.write_text(PAGE, page())
