"""How Sphinx makes a site of this folder:

    python -m sphinx -W docs build/site

The pages are those that one reads without a site as well: CommonMark with `$` for mathematics, links from file to file.
A link to a page, a heading or a file that is not there is an error.
"""

import inspect
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.inspect import stringify_signature

from rnnscope.experiments.common.quiet import import_tensorflow

README = Path(__file__).parents[1] / "README.md"
REPOSITORY = "https://github.com/rnnscope/rnnscope/blob/main/"
PICTURES = "https://raw.githubusercontent.com/rnnscope/rnnscope/main/"

import_tensorflow()  # and the layers, here once; autodoc, left alone, imports everything twice
import rnnscope.callbacks  # noqa: E402, F401

project = "rnnscope"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = "rnnscope"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_math_renderer = "mathml"
exclude_patterns = ["*.py"]
smartquotes_action = "D"  # -- between an argument and its meaning
highlight_language = "text"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
default_role = "py:obj"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_use_ivar = True
napoleon_custom_sections = [("Call arguments", "params_style")]


def home(app: Sphinx, name: str, content: list[str]) -> None:
    """Open the site with the README, whose links to the repository lead to pages of the site."""
    if name == "index":
        readme = README.read_text(encoding="utf-8")
        for address, folder in ((f"{REPOSITORY}docs/", ""), (f"{PICTURES}docs/", "")):
            readme = readme.replace(f"]({address}", f"]({folder}")
        content[0] = f"{readme}\n{content[0]}"
        app.env.note_dependency(str(README))


def mathematics(translator: Any, formula: nodes.Element) -> None:
    """A formula as MathML, which browsers draw by themselves: no script, no font, no network."""
    block = isinstance(formula, nodes.math_block)
    tree = latex2mathml.math(xmlns="http://www.w3.org/1998/Math/MathML", **({"display": "block"} if block else {}))
    try:
        latex2mathml.parse_latex_math(tree, formula.astext())
    except MathError as error:
        logging.getLogger(__name__).warning("%s: %s", formula.astext(), error, location=formula)
    for node in list(tree.iter("munderover")):
        if node[0].tag == "mi":  # the index of a letter with a hat: docutils puts it below, TeX beside
            letter, _, hat = node
            node[0] = latex2mathml.mover(letter, hat)
            del node[2]
            node.tag = "msub"
    for sign in tree.iter("mo"):
        if sign.text == "‖":  # of two, only the first would grow
            sign.set("stretchy", "false")
    translator.body.append(tree.toxml())
    raise nodes.SkipNode


def paragraphs(app: Sphinx, what: str, name: str, thing: object, options: Any, lines: list[str]) -> None:
    """Docstrings are Markdown where the two languages differ: an indented block is code."""
    for number in reversed(range(2, len(lines))):
        line, above, before = lines[number], lines[number - 1], lines[number - 2]
        if line.startswith("    ") and not above and before and not before.startswith(" "):
            lines[number:number] = ["::", ""]


def signature(app: Sphinx, what: str, name: str, thing: Any, options: Any, found: str, returns: str) -> Any:
    """A layer's arguments are those of `__init__`; Keras's `__new__` hides them."""
    if what != "class":
        return None
    return stringify_signature(inspect.signature(thing), show_annotation=False, show_return_annotation=False), None


def setup(app: Sphinx) -> None:
    """Registers the above."""
    app.add_html_math_renderer("mathml", (mathematics, None), (mathematics, None))
    app.connect("source-read", home)
    app.connect("autodoc-process-docstring", paragraphs, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", signature)
