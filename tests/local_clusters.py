"""Clusters of two worker processes on this machine, as `workers`: Dask's and Ray's."""

import contextlib
import sys

import cloudpickle
import pytest

# One cluster at a time: with two, workers may not start within the time they have.
in_turn = pytest.mark.xdist_group("clusters")
# What Dask and Ray leave open when they end is not ours.
quiet = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@contextlib.contextmanager
def dask(module, threads=1):
    """A block with a cluster of Dask, as its Client.

    Args:
        module: the name of the test's module: the workers cannot import it.
        threads: how many each worker has. Default: 1
    """
    from distributed import Client, LocalCluster

    cloudpickle.register_pickle_by_value(sys.modules[module])
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=threads, dashboard_address=None
    )
    with cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        yield client


@contextlib.contextmanager
def ray(module):
    """A block with a cluster of Ray, as "ray"; without Ray the test is skipped."""
    ray = pytest.importorskip("ray")
    ray.cloudpickle.register_pickle_by_value(sys.modules[module])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        yield "ray"
    finally:
        ray.shutdown()


CLUSTERS = {"dask": dask, "ray": ray}
