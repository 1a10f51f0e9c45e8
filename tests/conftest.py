"""The two tiers of tests, and what tests anywhere share: a server for commands, a TensorBoard, a browser.

The default tier, `python -m pytest`, touches every module and takes minutes. The marker `slow` is for everything else:
`python -m pytest -m slow`, or `-m ""` for both. A test is slow

- if it says so: `@pytest.mark.slow`, or `pytestmark` for a file;
- if its file or function is listed below;
- if its function has many sets of parameters and others are chosen for the default tier; see `chosen`.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.server import close_server

# ------------------------------------------------------------------------- tiers

SLOW = (
    "tests/backends/",
    "tests/e2e/test_clusters.py",
    "tests/e2e/test_continue.py",
    "tests/e2e/test_datasets.py",
    "tests/e2e/test_faults.py",
    "tests/e2e/test_howto.py",
    "tests/e2e/test_isolation.py",
    "tests/e2e/test_machine_faults.py",
    "tests/e2e/test_programs.py",
    "tests/e2e/test_resume.py",
    "tests/e2e/test_search.py::test_a_search_goes_on_where_it_was_killed_and_goes_on_to_more",
    "tests/e2e/test_study.py",
    "tests/e2e/test_tensorboard.py",
    "tests/e2e/test_train.py::test_a_loss_that_is_no_longer_finite_ends_the_run_as_diverged",
    "tests/e2e/test_train.py::test_a_run_that_raises_is_recorded_and_the_others_finish",
    "tests/e2e/test_train.py::test_a_sweep_of_every_cell_ends_with_one_table_that_has_a_row_for_each_cell",
    "tests/e2e/test_train.py::test_a_sweep_that_is_stopped_ends_as_interrupted_with_its_table",
    "tests/e2e/test_train.py::test_another_seed_gives_other_figures",
    "tests/e2e/test_train.py::test_every_cell_that_can_be_chosen_trains_and_is_measured",
    "tests/e2e/test_train.py::test_kernel_gradients_and_looks_inside_are_written_where_they_are_asked_for",
    "tests/e2e/test_train.py::test_norms_of_every_layer_and_direction_are_written_every_so_many_steps",
    "tests/e2e/test_train.py::test_the_same_seed_gives_the_same_figures_alone_or_in_a_sweep_of_every_cell",
    "tests/e2e/test_train.py::test_without_telemetry_nothing_is_measured",
    "tests/e2e/test_trainer.py",
    "tests/experiments/test_data_csv.py",
    "tests/experiments/test_data_online.py::test_without_internet_one_line_says_what_needs_it",
    "tests/experiments/test_networks_of_every_kind.py::test_a_network_has_no_weight_that_nothing_depends_on",
    "tests/experiments/test_outputs.py::test_a_sequence_matches_if_every_symbol_that_is_asked_for_does",
    "tests/experiments/test_outputs.py::test_keras_computes_the_same_while_training[sequences]",
    "tests/experiments/test_outputs.py::test_scores_do_not_depend_on_how_the_part_is_cut[sequences]",
    "tests/experiments/test_study_files.py::test_every_study_asks_for_runs_that_can_be_run_and_judged",
    "tests/layers/test_batch_parts.py::test_a_model_trains_in_parts_as_it_does_whole",
    "tests/layers/test_cell_combinations.py::test_any_combination_follows_the_equations_in_outputs_and_derivatives",
    "tests/layers/test_encoder_decoder.py::test_a_look_inside_shows_the_encoder_and_not_a_decoder_that_reads_itself",
    "tests/layers/test_encoder_decoder.py::test_fit_learns_to_write_a_sequence_backwards",
    "tests/layers/test_encoder_decoder.py::test_told_what_it_writes_itself_the_decoder_writes_it_again",
    "tests/layers/test_finite_differences.py::test_derivatives_along_random_directions_equal_central_differences",
    "tests/layers/test_gradient_flow.py::test_training_with_it_is_training_without",
    "tests/layers/test_stacked.py::test_a_stack_is_its_layers_called_one_after_another",
    "tests/layers/test_stacked.py::test_a_stack_trains_under_xla_on_sequences_of_any_length",
    "tests/test_backends.py",
    "tests/test_docs.py::test_the_python_of_a_page_runs_from_top_to_bottom[own_data.md]",
    "tests/test_types.py",
    "tests/test_wheel.py",
)
"""How the names of slow tests begin. A test that needs more than the extra `test` is slow, too."""
NOT_SLOW = (
    "tests/backends/test_equations.py::test_a_sequence_and_its_derivatives_follow_the_equations",
    "tests/e2e/test_resume.py::test_a_run_that_is_stopped_by_ctrl_c_or_killed_ends_like_one_that_was_left_alone[patience",
    "tests/experiments/test_study_files.py::test_every_study_asks_for_runs_that_can_be_run_and_judged[vanishing-smoke]",
)
"""How the names of tests among them begin that may be in the default tier."""
CHOSEN = 2
"""Sets of parameters of each function in the default tier."""
ALL = 1_000_000
OTHERWISE = {
    "tests/e2e/test_mistakes.py": 8,
    "tests/experiments/test_model.py::test_every_architecture_trains": 1,
    "tests/experiments/test_networks_of_every_kind.py": 1,
    "tests/experiments/test_training.py": 1,
    "tests/layers/test_gradient_flow.py": 1,
    "tests/layers/test_models.py": 1,
    "tests/layers/test_saving.py::test_an_exported_model_answers_without_keras": 1,
    "tests/layers/test_stacked.py": 1,
    "tests/layers/test_imports.py": ALL,
    "tests/tensorboard_gradient_flow/test_plugin.py": ALL,
    "tests/tensorboard_gradient_flow/test_profile.py": ALL,
    "tests/tensorboard_gradient_flow/test_series.py": ALL,
    "tests/tensorboard_gradient_flow/test_tab.py": 1,
    "tests/test_cli.py": ALL,
    "tests/test_docs.py::test_links_and_pictures_of_a_page_are_there": ALL,
    "tests/test_docs.py::test_every_other_command_has_arguments_that_exist": ALL,
    "tests/test_doctests.py": ALL,
    "tests/test_imports.py": ALL,
}
"""Files and functions of which the default tier has another number: quick ones are whole, long ones have fewer."""


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: not in the default tier; see tests/conftest.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    functions: dict[str, list[pytest.Item]] = {}
    for item in items:
        functions.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for function, tests in functions.items():
        default = chosen([test for test in tests if not is_slow(test)], number_of(function))
        for test in tests:
            if test not in default:
                test.add_marker(pytest.mark.slow)


def is_slow(test: pytest.Item) -> bool:
    """Return whether a test is marked or listed as slow."""
    listed = test.nodeid.startswith(SLOW) and not test.nodeid.startswith(NOT_SLOW)
    return listed or test.get_closest_marker("slow") is not None


def number_of(function: str) -> int:
    """Return how many tests of a function are in the default tier at most."""
    return next((number for name, number in OTHERWISE.items() if function.startswith(name)), CHOSEN)


def chosen(tests: Sequence[pytest.Item], number: int) -> list[pytest.Item]:
    """Return the tests of one function that are in the default tier.

    They are as few as show every value of every parameter, and at most `number`. The choice depends on the order of the
    tests alone: each test shows the most values that none before it shows. Ties are broken by an order that jumps about
    the list, since neighbors differ in little.
    """
    if len(tests) <= number:
        return list(tests)
    left = sorted(tests, key=lambda test: tests.index(test) * 0.618034 % 1)
    result: list[pytest.Item] = []
    seen: set[tuple[int, str]] = set()
    while left and len(result) < number:
        values = {test: set(enumerate(_values(test))) for test in left}
        best = max(left, key=lambda test: len(values[test] - seen))
        if result and values[best] <= seen:
            break
        seen |= values[best]
        result.append(best)
        left.remove(best)
    return result


def _values(test: pytest.Item) -> list[str]:
    """Return the texts by which pytest names a test's parameters."""
    callspec = getattr(test, "callspec", None)
    return [] if callspec is None else callspec.id.split("-")


# ------------------------------------------------------------------------ server


@pytest.fixture(scope="session", autouse=True)
def _server_is_closed() -> Iterator[None]:
    yield
    close_server()


# ----------------------------------------------------------------------- browser

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def serve():
    """`serve(folder, "--load_fast=false", …)`: where a TensorBoard shows a folder."""

    def start(folder, *flags):
        from tensorboard import program

        board = program.TensorBoard()
        board.configure(argv=["tensorboard", "--logdir", str(folder), "--host", "127.0.0.1", "--port", "0", *flags])
        return board.launch()

    return start


@pytest.fixture(scope="session")
def browser():
    """A browser without a window."""
    if BROWSER is None:
        pytest.skip("needs chromium or google-chrome to look at TensorBoard's pages")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield launched
        launched.close()


def is_complaint(message):
    """Whether a message of the browser's console is about the page: a browser asks any server for an icon."""
    return message.type == "error" and not message.location["url"].endswith("/favicon.ico")


@pytest.fixture
def page(browser, address, request):
    """A page that must not complain; a screenshot is kept in `screenshots/` where that folder exists."""
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    complaints, foreign = [], []
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda sent: None if sent.url.startswith((address, "data:", "blob:")) else foreign.append(sent.url)
    )
    yield page
    if Path("screenshots").is_dir():
        page.screenshot(path=f"screenshots/{re.sub(r'[^a-z0-9_]+', '-', request.node.name)}.png")
    page.close()
    assert complaints == []
    assert foreign == []
