from __future__ import annotations

import pytest
from run_folder import HOSTILE, write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run written by hand; tests leave it as it is."""
    return write_run(tmp_path_factory.mktemp("run") / "tiny")


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory):
    """The same, all of its names written to break out of HTML and Markdown."""
    return write_run(tmp_path_factory.mktemp("run") / "hostile", HOSTILE, HOSTILE)
