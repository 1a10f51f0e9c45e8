"""The tab's server side: which runs and signals there are, and their numbers.

TensorBoard imports this module when it starts, and does not start where that fails: TensorFlow and Keras stay out.
"""

import json
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorboard import plugin_util
from tensorboard.backend import http_util
from tensorboard.errors import InvalidArgumentError
from tensorboard.plugins import base_plugin
from werkzeug.wrappers import Request, Response

from .format import PLUGIN_NAME
from .series import Part, Series, encode
from .source import Source

SAMPLES = 10_000
"""How many records of a tag TensorBoard is asked to keep, where nobody says otherwise with `--samples_per_plugin`."""
_PAGE = Path(__file__).parent / "page"


class Loader(base_plugin.TBLoader):
    """What the entry point names: asks for more records than the ten that a plugin of one's own gets."""

    def fix_flags(self, flags: Any) -> None:
        """Sets how many records are kept of a tag, unless the command line did."""
        flags.samples_per_plugin.setdefault(PLUGIN_NAME, SAMPLES)

    def load(self, context: base_plugin.TBContext) -> "GradientFlowPlugin":
        """The plugin."""
        return GradientFlowPlugin(context)


class GradientFlowPlugin(base_plugin.TBPlugin):
    """Serves the page, and to the page what it asks for."""

    plugin_name = PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext):
        super().__init__(context)
        self._source = Source(context.data_provider, (context.sampling_hints or {}).get(PLUGIN_NAME, SAMPLES))

    def is_active(self) -> bool:
        """Always: the empty page says how to log."""
        return True

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """The tab's name and script."""
        return base_plugin.FrontendMetadata(es_module_path="/page/index.js", tab_name="Gradient flow")

    def get_plugin_apps(self) -> dict[str, Any]:
        """Everything that can be asked for, by path: nothing that is not listed here is answered."""
        files = {f"/page/{path.relative_to(_PAGE).as_posix()}": _file(path) for path in _PAGE.rglob("*.*")}
        routes = {
            "/index": self._index,
            "/steps": self._steps,
            "/vectors": self._vectors,
            "/horizons": self._horizons,
            "/verdicts": self._verdicts,
        }
        return files | {path: _application(route) for path, route in routes.items()}

    def _index(self, request: Request) -> Response:
        """Every run that has records, and what it has."""
        index = {"runs": self._source.runs(*_context(request)), "limit": self._source.limit}
        return _respond(request, json.dumps(index), "application/json")

    def _steps(self, request: Request) -> Response:
        """At which training steps there are records, by run."""
        steps = {run: series.steps.tolist() for run, series in self._found(request).items()}
        return _respond(request, json.dumps(steps), "application/json")

    def _vectors(self, request: Request) -> Response:
        """Records at some training steps (`at`), or from one to another, no more than fit on the screen."""
        at = _numbers(request, "at")
        first, last, columns, rows = (
            next(iter(_numbers(request, name)), None) for name in ("from", "to", "columns", "rows")
        )
        if at:
            return self._binary(request, lambda series: series.at(at, rows))
        return self._binary(request, lambda series: series.between(first, last, columns, rows))

    def _horizons(self, request: Request) -> Response:
        """One number a record: how far back the gradient reached, in it or (`smooth`) in the last ten together."""
        smooth = "smooth" in request.args
        return self._binary(request, lambda series: series.horizons(smooth))

    def _verdicts(self, request: Request) -> Response:
        """Of every run asked for: the verdict on its last records."""
        verdicts = {run: series.verdict() for run, series in self._found(request).items()}
        answer = {run: vars(verdict) for run, verdict in verdicts.items() if verdict is not None}
        return _respond(request, json.dumps(answer), "application/json")

    def _found(self, request: Request) -> dict[str, Series]:
        return self._source.find(*_context(request), request.args.get("tag", ""), request.args.getlist("run"))

    def _binary(self, request: Request, part: Callable[[Series], Part]) -> Response:
        answer = encode({run: (series, part(series)) for run, series in self._found(request).items()})
        return _respond(request, answer, "application/octet-stream")


def _context(request: Request) -> tuple[Any, str]:
    return plugin_util.context(request.environ), plugin_util.experiment_id(request.environ)


def _numbers(request: Request, name: str) -> list[int]:
    """Whole numbers from the address."""
    try:
        numbers = [int(text) for text in request.args.getlist(name)]
    except ValueError as error:
        raise InvalidArgumentError(f"{name}: expected a whole number") from error
    if any(not -(2**63) <= number < 2**63 for number in numbers):
        raise InvalidArgumentError(f"{name}: expected a whole number of at most 64 bits")
    return numbers


def _respond(request: Request, content: str | bytes, kind: str) -> Response:
    """Return a response with some content of a media type."""
    response: Response = http_util.Respond(request, content, kind)
    return response


def _application(route: Callable[[Request], Response]) -> Any:
    return Request.application(route)


def _file(path: Path) -> Any:
    """An application that answers with one of the page's files."""
    kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "text/plain"
    return _application(lambda request: _respond(request, path.read_bytes(), kind))
