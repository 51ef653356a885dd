import os
from pathlib import Path

import pytest
from hypothesis import settings

# Tests run side by side, so TensorFlow keeps to one thread in each process.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"

# How long an example takes depends on what else the machine does.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of public models and measurements beside the checkout."""
    if not (SHARED / "models").is_dir():
        pytest.skip(f"needs the reference models in {SHARED}")
    return SHARED
