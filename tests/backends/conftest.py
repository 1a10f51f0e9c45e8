"""Every test starts from the same seed; the report says which backend it was."""

import random

import keras
import pytest

from layers import set_compile


@pytest.fixture(autouse=True)
def seeded_and_interpreted():
    random.seed(0)  # where Keras's initialisers and dropout take their seeds from
    set_compile(False)
    yield
    set_compile(True)


@pytest.fixture(autouse=True, scope="session")
def backend_reported(record_testsuite_property):
    record_testsuite_property("backend", keras.backend.backend())
