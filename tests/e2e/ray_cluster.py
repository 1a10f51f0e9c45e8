"""A Ray of two nodes on loopback, made by Ray's own cluster utility."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Makes Ray use 127.0.0.1, as it does on those systems; it is read when ray is imported."""


class RayCluster:
    """Two nodes of one core each, on one machine.

    Attributes:
        address: what `hydra.launcher.ray.init.address` takes.
        environment: for a command that joins it.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._second = cluster.add_node(num_cpus=1)
        self.address: str = cluster.address
        self.environment = {**os.environ, **LOOPBACK}

    def lose_a_node(self) -> None:
        """Kills the second node, and what runs there."""
        self._cluster.remove_node(self._second, allow_graceful=False)


@pytest.fixture
def ray_cluster() -> Iterator[RayCluster]:
    """A cluster for one test, which may break it."""
    pytest.importorskip("ray", reason='needs Ray: pip install -e ".[ray]"')
    with cluster() as started:
        yield started


@contextmanager
def cluster() -> Iterator[RayCluster]:
    """Starts both nodes, and leaves no process behind."""
    os.environ.update(LOOPBACK)
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="ray-")  # pytest's own folders are too long for the name of a socket
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, "temp_dir": folder}
    )
    try:
        yield RayCluster(cluster)
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
