"""Every test starts from the same seed, and without compilation unless it asks for the `compiled` fixture."""

import random

import pytest

from rnnscope import set_compile


@pytest.fixture(autouse=True)
def seeded_and_interpreted():
    random.seed(0)  # where Keras's initialisers and dropout take their seeds from
    set_compile(False)
    yield
    set_compile(True)


@pytest.fixture
def compiled(seeded_and_interpreted):
    set_compile(True)
