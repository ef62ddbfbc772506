"""Fixtures of the tests of Ray."""

import pytest

from thaw.work.options import EngineOptions


@pytest.fixture(scope="session")
def cluster():
    """A cluster of one node, to which others may be added."""
    from ray.cluster_utils import Cluster

    arguments = {"num_cpus": 3, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=arguments)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def options(cluster):
    """Options of two workers on that cluster."""
    return EngineOptions(engine="ray", ray_address=cluster.address, workers=2)
