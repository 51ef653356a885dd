"""How many trials have room, on clusters that only pretend to be."""

from __future__ import annotations

import sys
import types

import pytest

from mcuprune.errors import InputError
from mcuprune.sweep.cluster import Workers, running_cluster


@pytest.fixture
def cluster(monkeypatch):
    """A cluster to be joined, of 8 CPUs and 1 GPU."""
    pretended = types.SimpleNamespace(
        init=lambda **_: None,
        shutdown=lambda: None,
        cluster_resources=lambda: {"CPU": 8.0, "GPU": 1.0},
    )
    monkeypatch.setitem(sys.modules, "ray", pretended)
    return pretended


@pytest.mark.parametrize(
    ("options", "room"),
    [
        ({}, 8),
        ({"cpus": 3}, 2),
        ({"gpus": 0.5}, 2),
        ({"gpus": 1, "cpus": 2}, 1),
        ({"gpus": 0.25, "at_once": 3}, 3),
        ({"gpus": 0.25, "at_once": 30}, 4),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_room_is_what_cpus_and_gpus_leave(options, room):
    with running_cluster(Workers(address="there", **options)) as at_once:
        assert at_once == room


@pytest.mark.usefixtures("cluster")
def test_no_room_says_what_there_is():
    workers = Workers(address="there", gpus=2)
    with (
        pytest.raises(InputError, match=r"8 CPUs and 1 GPUs\. Lower --cpus or --gpus"),
        running_cluster(workers),
    ):
        pass


def test_no_cluster_at_the_address(cluster):
    def refuse(**options):
        raise ConnectionError(f"nothing at {options['address']}")

    cluster.init = refuse
    with (
        pytest.raises(InputError, match="no Ray cluster at there:1 can be joined"),
        running_cluster(Workers(address="there:1")),
    ):
        pass
