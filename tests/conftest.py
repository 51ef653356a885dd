import os
import random
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import settings

# Tests run side by side, so TensorFlow keeps to one thread in each process.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

# Keras draws the seeds of initial weights from here: those of networks in the tests' modules.
random.seed(0)

SHARED = Path(__file__).resolve().parents[2] / "shared"

# How long an example takes depends on what else the machine does.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def weights_by_name(request) -> None:
    """Let a test have the same random weights in every run, whatever ran before it."""
    random.seed(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of public models and measurements beside the checkout."""
    if not (SHARED / "models").is_dir():
        pytest.skip(f"needs the reference models in {SHARED}")
    return SHARED


@pytest.fixture
def command(monkeypatch, capfd, tmp_path):
    """The command line in an empty folder: takes words, gives exit code, stdout and stderr."""
    from mcuprune import cli

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mcuprune", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return (int(stopped.value.code or 0), *capfd.readouterr())

    return run
