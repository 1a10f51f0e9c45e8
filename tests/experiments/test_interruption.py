"""A signal that was lost on its way still ends the training."""

import contextlib
import os
import signal

import pytest

from rnnscope.experiments.common import interruption
from tests.experiments.test_divergence import fit


@pytest.fixture
def listening(monkeypatch):
    monkeypatch.setattr(interruption, "_requested", False)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    interruption.listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "terminate"])
def test_an_interruption_that_was_swallowed_ends_training_at_the_next_step(listening, number):
    with contextlib.suppress(KeyboardInterrupt):  # as a library would
        os.kill(os.getpid(), number)
    with pytest.raises(KeyboardInterrupt):
        fit("mse", None)


def test_training_goes_on_where_nobody_interrupts(listening):
    fit("mse", None)
