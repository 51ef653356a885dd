"""The program for several hosts that the docs print, in two processes."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mcuprune

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "distributed.md"
PROGRAM = re.compile(r"```python title=\"hosts.py\"\n(.*?)```", re.DOTALL)
RUNNER = Path(__file__).with_name("run_on_host.py")


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as opened:
        found = [opened.enter_context(socket.socket()) for _ in range(count)]
        for each in found:
            each.bind(("localhost", 0))
        return [each.getsockname()[1] for each in found]


def trained(folder: Path, hosts: int) -> tuple[list[list[str]], list[list[np.ndarray]]]:
    """Run the program on some hosts; return what each printed of its cuts, and its weights."""
    printed = PROGRAM.findall(PAGE.read_text(encoding="utf-8"))
    (folder / "hosts.py").write_text(printed[0], encoding="utf-8")
    workers = [f"localhost:{port}" for port in free_ports(hosts)]
    started = [start(folder, workers, index) for index in range(hosts)]
    try:
        ended = [process.communicate(timeout=580) for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0] * hosts, ended[0][1][-3000:]
    cuts = [[line for line in out.splitlines() if "cut to" in line] for out, _ in ended]
    files = [np.load(folder / f"weights{index}.npz") for index in range(hosts)]
    return cuts, [[file[name] for name in file.files] for file in files]


def start(folder: Path, workers: list[str], index: int) -> subprocess.Popen[str]:
    task = {"type": "worker", "index": index}
    cluster = json.dumps({"cluster": {"worker": workers}, "task": task})
    otherwise = ["otherwise"] if index else []
    return subprocess.Popen(
        [sys.executable, str(RUNNER), "hosts.py", f"weights{index}.npz", *otherwise],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "TF_CONFIG": cluster},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_hosts_that_judge_otherwise_end_with_one_network(tmp_path: Path) -> None:
    cuts, weights = trained(tmp_path, 2)
    assert len(cuts[0]) == 3
    assert cuts[0] == cuts[1]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    budget = mcuprune.Budget(sram="2.5KiB", flash="6KiB")
    assert mcuprune.check(tmp_path / "build" / "hosts" / "model.tflite", budget).fits
    (tmp_path / "alone").mkdir()
    alone, (expected,) = trained(tmp_path / "alone", 1)
    assert alone[0] == cuts[0]
    assert [weight.shape for weight in weights[0]] == [weight.shape for weight in expected]
