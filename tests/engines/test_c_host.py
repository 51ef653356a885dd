"""Generated C as an engine beside LiteRT and TFLM."""

import numpy as np
import pytest

from mcuprune.engines.c_host import CHost, host_compiler
from mcuprune.errors import EngineError, InputError


def test_a_compiler_is_found_by_name_or_by_pip(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "no-such-compiler" not in host_compiler()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("mcuprune.engines.c_host.find_spec", lambda _: None)
    with pytest.raises(EngineError, match="install gcc or clang"):
        host_compiler()
    monkeypatch.setattr("mcuprune.engines.c_host.find_spec", lambda name: name)
    assert host_compiler()[-2:] == ("ziglang", "cc")


def test_it_reports_its_arena_and_compiler(shared):
    model = (shared / "models/tflm/hello_world_int8.tflite").read_bytes()
    run = CHost().run(model, np.zeros((2, 1), np.int8))
    assert run.engine == "c-host"
    # Two tensors of 16 bytes in use at once.
    assert run.arena is not None
    assert (run.arena.head_bytes, run.arena.tail_bytes, run.arena.total_bytes) == (32, 0, 32)
    assert run.outputs.shape == (2, 1)
    assert run.version == " ".join(host_compiler())


def test_inputs_must_fit(shared):
    model = (shared / "models/tflm/hello_world_int8.tflite").read_bytes()
    with pytest.raises(EngineError, match="int8"):
        CHost().run(model, np.zeros((2, 1), np.float32))
    with pytest.raises(InputError, match="TFL3"):
        CHost().run(b"no model", np.zeros((2, 1), np.int8))
