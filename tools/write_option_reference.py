"""Writes docs/reference/configuration.md: every choice and every option, from conf/ and the types behind it.

    python tools/write_option_reference.py

What an option means is said by the comment beside it in its YAML file, or where many files have it, by the text below
its field in `experiments/configuration/schema.py` or `experiments/data/options.py`; of a study's fields by the
docstrings in `experiments/studies/study.py`.
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
ENGINES = ("hydra/launcher", "hydra/sweeper")
"""Groups whose options are those of another program, which checks them."""
GIVEN = ("_target_", "name", "requires")
"""Options that come with a choice."""
NAMED = {"activation": ACTIVATIONS, "initializer": INITIALIZERS}
"""Values that many options have in common, listed once."""
INTRODUCTION = """
<!-- Written by tools/write_option_reference.py from conf/ and the types behind it. -->

`rnnscope train cell=gru cell.units=128 seed=7` makes a choice and sets two options; with `--cfg job` behind it, it
only shows the configuration of the run.

Every group has a folder in `conf/`, and every choice a file in it. A choice that builds on another has its options,
with some other values. A value that is not allowed is refused before anything starts, and so are options that
contradict each other. What belongs to a choice is not listed: its `name`, its `_target_`, and in `requires` the
packages that it needs.
"""
TYPES = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    list[str]: "list of texts",
    list[int]: "list of whole numbers",
    Any: "text, or a list of texts",
}
STUDIES = """
A [study](../studies/README.md) is a sweep with rules, typed as `rnnscope train -m study=vanishing`. What is typed
beside it replaces what the study says. [A study of your own](../howto/own_study.md) is a YAML file with these fields.
"""
FILE = {
    "A study's file": Study,
    "A rule": Rule,
    "A figure of a metric": Figure,
    "A figure of a signal": Profile,
    "A published figure": Published,
}
"""What a study's file consists of."""
FORMS = {
    str: "text",
    float: "number",
    bool: "`true` or `false`",
    dict[str, str]: "`{option: value}`",
    tuple[str, ...]: "list of texts",
    tuple[dict[str, str], ...]: "list of `{option: value}`",
    tuple[Rule, ...]: "list of [rules](#a-rule)",
    tuple[Figure | Profile, ...]: "list of [figures](#a-figure-of-a-metric)",
    tuple[Published, ...]: "list of [published figures](#a-published-figure)",
}
ELSEWHERE = {
    "`metrics.find` knows": "stands [in this table](../studies/README.md#metrics)",
    "`None`": "`null`",
    "`SIGNALS`": ", ".join(f"`{name}`" for name in SIGNALS),
}
"""What a docstring says in Python, in the words of this page."""


@dataclasses.dataclass(frozen=True)
class Option:
    """A line of a table, but for its default."""

    name: str
    kind: str
    meaning: str


# ------------------------------------------------------------- what the files say


def heading(path: Path) -> str:
    """The comment at the top of a YAML file; a line that is set in is a command."""
    lines = re.match(r"(?:#.*\n)*", path.read_text(encoding="utf-8"))[0].splitlines()  # type: ignore[index]
    said = [line.removeprefix("#").removeprefix(" ") for line in lines]
    return " ".join(f"`{line.strip()}`" if line.startswith("  ") else escaped(line) for line in said)


def escaped(text: str) -> str:
    """Text for a table's cell."""
    return re.sub(r"([|*\[<])", r"\\\1", text)


def comments(path: Path) -> dict[str, str]:
    """What stands beside the keys of a YAML file, and of the files that it builds on."""
    found: dict[str, str] = {}
    for base in builds_on(path):
        found |= comments(path.with_name(f"{base}.yaml"))
    text = path.read_text(encoding="utf-8")
    return found | dict(_comments(yaml.compose(text), text.splitlines(), ""))


def builds_on(path: Path) -> list[str]:
    """The choices of its own group that a file begins with."""
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
        elif beside := re.match(r"\s+# *(.+)", lines[value.end_mark.line][value.end_mark.column :]):
            yield name, beside[1]


@functools.cache
def texts_below_fields() -> dict[tuple[str, str], str]:
    """By class and field, the text below it, written as beside an option."""
    analyzers = map(
        ModuleAnalyzer.for_module, ("rnnscope.experiments.configuration.schema", "rnnscope.experiments.data.options")
    )
    found = {key: " ".join(lines).strip() for each in analyzers for key, lines in each.find_attr_docs().items()}
    return {key: f"{text[0].lower()}{text[1:].removesuffix('.')}" for key, text in found.items()}


def meaning(key: str, beside: Mapping[str, str], schema: type, where: str) -> str:
    """What an option means.

    Raises:
        LookupError: nobody says it.
    """
    said = [beside.get(key), *(texts_below_fields().get((each.__name__, key)) for each in schema.__mro__)]
    for text in said:
        if text:
            return escaped(text)
    raise LookupError(f"{where}: {key} has no meaning; say it beside it, or below its field in {schema.__module__}")


# ------------------------------------------------------------ what the types say


def kind(field: dataclasses.Field) -> str:
    """An option's type and limits, in words."""
    optional = type(None) in getattr(field.type, "__args__", ())
    plain = next(each for each in field.type.__args__ if each is not type(None)) if optional else field.type
    limits = field.metadata
    words = allowed(limits["choices"]) if "choices" in limits else TYPES[plain]  # type: ignore[index]
    bounds = {"at_least": "at least", "above": "above", "at_most": "at most"}
    words += "".join(f", {bounds[key]} {limits[key]}" for key in bounds if key in limits)
    return f"{words}; or `null`" if optional else words


def allowed(choices: tuple[str, ...]) -> str:
    """The values that an option may have."""
    for name, values in NAMED.items():
        if set(choices) <= set(values):
            left_out = listed([value for value in values if value not in choices])
            return f"[{name}](#{name}s)" + (f" but {left_out}" if left_out else "")
    return listed(list(choices))


def written(value: Any) -> str:
    """A value as it would be typed."""
    if value == MISSING:
        return "to be given"
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=1000).splitlines()[0]}`"


# ----------------------------------------------------------------------- tables


def table(columns: tuple[str, ...], *rows: tuple[str, ...]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, ("---",) * len(columns), *rows))


def listed(names: list[str]) -> str:
    """Names in a table's cell."""
    return ", ".join(f"`{name}`" for name in names)


def choices_of(group: str) -> list[str]:
    """The choices of a group that have a file."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def choices_table(group: str) -> str:
    """The choices of a group, and what their files say."""
    rows = []
    for choice in choices_of(group):
        path = CONF / group / f"{choice}.yaml"
        on = f" Builds on {listed(builds_on(path))}." if builds_on(path) else ""
        rows.append((f"`{choice}`", heading(path) + on))
    return table(("choice", "what it is"), *rows)


def options_of(group: str, choice: str) -> dict[str, dataclasses.Field]:
    """By name, the options of a choice."""
    schema, _ = composed(group, choice)
    return {field.name: field for field in dataclasses.fields(schema) if field.name not in GIVEN}


@functools.cache
def composed(group: str, choice: str) -> tuple[Any, dict[str, Any]]:
    """The type of a choice, and its values."""
    of_all = next(field.type for field in dataclasses.fields(Config) if field.name == group)
    values = OmegaConf.merge(of_all, hydra.compose(f"{group}/{choice}")[group])
    return OmegaConf.get_type(values), OmegaConf.to_container(values)  # type: ignore[return-value]


def options_tables(group: str) -> str:
    """The options of a group: a line for each that has a meaning of its own, a table for those of the same choices."""
    defaults: dict[Option, dict[str, str]] = {}
    for choice in choices_of(group):
        beside = comments(CONF / group / f"{choice}.yaml")
        schema, values = composed(group, choice)
        for name, field in options_of(group, choice).items():
            said = meaning(name, beside, schema, f"conf/{group}/{choice}.yaml")
            defaults.setdefault(Option(name, kind(field), said), {})[choice] = written(values[name])
    bases = [choice for choice in choices_of(group) if not builds_on(CONF / group / f"{choice}.yaml")]
    tables: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for option, values in defaults.items():
        row = f"`{group}.{option.name}`", option.kind, default(values), option.meaning
        tables.setdefault(tuple(choice for choice in bases if choice in values), []).append(row)
    columns = ("option", "allowed", "default", "meaning")
    return "\n\n".join(
        f"{owners(having, bases)}\n\n{table(columns, *tables[having])}"
        for having in sorted(tables, key=lambda having: (-len(having), having))
    )


def default(values: dict[str, str]) -> str:
    """An option's default, and where it is another one."""
    (common, count), *others = Counter(values.values()).most_common()
    if not others:
        return common
    named = {value: ", ".join(choice for choice in values if values[choice] == value) for value, _ in others}
    first = common if count > 1 else f"{common} ({next(iter(values))})"
    return "; ".join([first, *(f"{value} ({choices})" for value, choices in named.items())])


def owners(having: tuple[str, ...], bases: list[str]) -> str:
    """Whose options stand in a table; those that build on one of them have them too."""
    missing = [choice for choice in bases if choice not in having]
    if not missing:
        return "Options of all:"
    return f"Of {f'all but {listed(missing)}' if len(missing) < len(having) / 2 else listed(list(having))}:"


def run_table() -> str:
    """The options that stand in conf/config.yaml itself."""
    path = CONF / "config.yaml"
    config, beside = hydra.compose("config"), comments(path)
    rows = []
    for schema, node, prefix in ((Config, config, ""), (Sweep, config.sweep, "sweep.")):
        for field in dataclasses.fields(schema):
            key = f"{prefix}{field.name}"
            if key not in (*GROUPS, "sweep"):
                said = meaning(key, beside, schema, "conf/config.yaml")
                rows.append((f"`{key}`", kind(field), written(node[field.name]), said))
    return table(("option", "allowed", "default", "meaning"), *rows)


def engine_table(path: Path) -> str:
    """The options of a launcher or sweeper."""
    beside, prefix = comments(path), f"hydra.{path.parent.name}"
    rows = []
    for key, value in _flat(yaml.safe_load(path.read_text(encoding="utf-8")), ""):
        if key not in ("_target_", "defaults"):
            if key not in beside:
                raise LookupError(f"conf/hydra/{path.parent.name}/{path.name}: {key} has no meaning; say it beside it")
            rows.append((f"`{prefix}.{key}`", written(value), escaped(beside[key])))
    return table(("option", "default", "meaning"), *rows)


def _flat(options: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


# --------------------------------------------------------------------- studies


def study_parts() -> Iterator[str]:
    """What can be typed of studies, and the fields of a study's file."""
    yield "## `study`"
    yield STUDIES.strip()
    names, scales = listed(sorted(study_files())), listed(list(SCALES))
    yield table(
        ("option", "allowed", "default", "meaning"),
        ("`study`", f"{names}, or one of your own", "none", "the claim that is put to the test"),
        (
            "`study.scale`",
            scales,
            written(SCALES[0]),
            "smoke takes seconds, shows that the study runs, decides nothing",
        ),
    )
    for part, schema in FILE.items():
        rows = [study_row(field, schema.__doc__ or "") for field in dataclasses.fields(schema)]
        yield f"### {part}"
        yield table(("field", "what it is", "default", "meaning"), *rows)


def study_row(field: dataclasses.Field, attributes: str) -> tuple[str, ...]:
    """A field of a study's file.

    Args:
        field: of a dataclass.
        attributes: the dataclass's docstring.

    Raises:
        LookupError: the docstring says nothing about it.
    """
    said = re.search(rf"^        {field.name}: (.+(?:\n {{9,}}.+)*)", attributes, flags=re.MULTILINE)
    if not said:
        raise LookupError(f"{field.name} of a study's file has no meaning; say it in experiments/studies/study.py")
    meaning = escaped(" ".join(said[1].split()).removesuffix("."))
    for here, there in ELSEWHERE.items():
        meaning = meaning.replace(here, there)
    return f"`{field.name}`", form(field.type), left_out(field), meaning


def form(of: Any) -> str:
    """A type of a field, in words."""
    if of in FORMS:
        return FORMS[of]
    return "; or ".join("`null`" if each is type(None) else form(each) for each in of.__args__)


def left_out(field: dataclasses.Field) -> str:
    """What a field is if nothing is said of it."""
    if field.default_factory is not dataclasses.MISSING:
        return "none"
    return "to be given" if field.default is dataclasses.MISSING else written(field.default)


# ------------------------------------------------------------------------- page


def page() -> str:
    """The whole page."""
    prepare()
    with composing():
        beside = comments(CONF / "config.yaml")
        parts = ["# Configuration", INTRODUCTION.strip(), "## A run", run_table()]
        for group in GROUPS:
            parts += [
                f"## `{group}`",
                sentence(beside[f"defaults.{group}"]),
                choices_table(group),
                options_tables(group),
            ]
        parts += study_parts()
        for group in ENGINES:
            parts += [
                f"## `{group}`",
                sentence(beside[f"defaults.override {group}"]) + " Each of these programs checks its own options.",
            ]
            for choice in choices_of(group):
                path = CONF / group / f"{choice}.yaml"
                parts += [f"### `{group}={choice}`", heading(path), engine_table(path)]
        for name, values in NAMED.items():
            parts += [f"## {name.capitalize()}s", listed(list(values))]
    return "\n\n".join(parts) + "\n"


def sentence(text: str) -> str:
    """A comment as a sentence."""
    return f"{text[0].upper()}{escaped(text[1:])}."


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    files.write_text(PAGE, page())
