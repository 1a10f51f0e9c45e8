"""Every test starts from the same seed; the report says which backend it was."""

import keras
import pytest

from tests.layers.conftest import seeded_and_interpreted as seeded_and_interpreted


@pytest.fixture(autouse=True, scope="session")
def backend_reported(record_testsuite_property):
    record_testsuite_property("backend", keras.backend.backend())
