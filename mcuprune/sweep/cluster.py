"""Ray, started for a sweep or joined: how many trials run at once, on which share of a machine."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from typing import Any

from mcuprune.errors import InputError, MissingToolError

EXTRA = "sweep"
# Trials exchange files, so Ray needs little more than its least, 75 MiB.
OBJECT_STORE_BYTES = 100 * 1024 * 1024
_ENVIRONMENT = {
    # A trial keeps its files in its run folder, named from where the sweep was started.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # Ray's own tables; ours are shown.
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Ctrl-C is ours to answer.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Trials have the priority that the sweep was given, not 15 steps less.
    "RAY_worker_niceness": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclasses.dataclass(frozen=True)
class Workers:
    """What trials run on.

    Attributes:
        at_once: How many trials run at once; None for as many as there is room for.
        cpus: Cores of each.
        gpus: GPUs of each; less than one shares a GPU among several.
        address: A running cluster (``auto``, ``host:6379``, ``ray://host:10001``); None starts one
            on this machine, which ends with the sweep.

    Raises:
        InputError: A number is not positive.
    """

    at_once: int | None = None
    cpus: int = 1
    gpus: float = 0.0
    address: str | None = None

    def __post_init__(self) -> None:
        if (self.at_once is not None and self.at_once < 1) or self.cpus < 1 or self.gpus < 0:
            raise InputError(
                f"workers {self.at_once}, CPUs {self.cpus} and GPUs {self.gpus} per trial: give at "
                "least one worker and one CPU, and no negative number"
            )

    @property
    def on_this_machine(self) -> int:
        """How many trials the cluster of this machine runs at once."""
        return self.at_once or max(1, (os.cpu_count() or 1) // self.cpus)


def require_ray() -> None:
    """Check that what a sweep needs is installed.

    Raises:
        MissingToolError: It is not; says how to install it.
    """
    prepare_environment()
    try:
        import optuna  # noqa: F401
        import ray.tune  # noqa: F401
    except ImportError as error:
        raise MissingToolError(
            f"a sweep needs Ray Tune and Optuna, which are not installed ({error}): "
            f"pip install 'mcuprune[{EXTRA}]'"
        ) from error


def prepare_environment() -> None:
    """Set what Ray reads from the environment, unless the user has; before it is imported."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


@contextlib.contextmanager
def running_cluster(workers: Workers) -> Iterator[int]:
    """Start or join a cluster, which is left when the block ends.

    Args:
        workers: What trials run on.

    Yields:
        How many trials have room at once.

    Raises:
        InputError: There is no cluster at the address, or no room for a single trial.
    """
    import ray

    _connect(ray, workers)
    try:
        yield _room(ray, workers)
    finally:
        ray.shutdown()


def _connect(ray: Any, workers: Workers) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if workers.address is not None:
        try:
            ray.init(address=workers.address, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InputError(
                f"no Ray cluster at {workers.address} can be joined ({error}): start one with ray "
                "start --head, set RAY_AUTH_MODE=token if it asks for a token, or leave out "
                "--ray-address"
            ) from error
        return
    ray.init(
        address="local",
        num_cpus=workers.on_this_machine * workers.cpus,
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        **quiet,
    )


def _room(ray: Any, workers: Workers) -> int:
    there = ray.cluster_resources()
    room = int(there.get("CPU", 0) // workers.cpus)
    if workers.gpus:
        room = min(room, int(there.get("GPU", 0) / workers.gpus))
    if room < 1:
        raise InputError(
            f"a trial of {workers.cpus} CPUs and {workers.gpus:g} GPUs finds no room: the cluster "
            f"has {there.get('CPU', 0):g} CPUs and {there.get('GPU', 0):g} GPUs. Lower --cpus or "
            "--gpus"
        )
    return room if workers.at_once is None else min(room, workers.at_once)
