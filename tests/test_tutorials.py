"""The tutorials' Python runs as printed, page by page; their commands run with fewer epochs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "tutorials"
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md")}


@pytest.mark.parametrize("name", sorted(name for name in PAGES if PYTHON.search(PAGES[name])))
def test_pages_run_from_top_to_bottom(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in PYTHON.findall(PAGES[name]):
        exec(code, names)


def commands(page: str) -> list[str]:
    """Return what a page types after ``$ mcuprune``."""
    lines = "\n".join(CONSOLE.findall(PAGES[page])).splitlines()
    return [line.removeprefix("$ mcuprune ") for line in lines if line.startswith("$ mcuprune ")]


def recordings(folder: Path) -> None:
    """Write tones in place of spoken digits: a pitch per digit, 12 takes, 8 kHz, 16 bit, mono."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for digit in range(10):
        for take in range(12):
            time = np.arange(4000) / 8000
            tone = np.sin(2 * np.pi * (250 + 130 * digit) * time) + rng.normal(
                scale=0.05, size=4000
            )
            with wave.open(str(folder / f"{digit}_tone_{take}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes((tone * 12_000).astype("<i2").tobytes())


def test_keywords_go_from_wav_files_to_a_simulated_board(tmp_path: Path) -> None:
    recordings(tmp_path / "recordings")
    typed = commands("keywords")
    assert [line.split()[0] for line in typed] == ["run", "simulate", "check"]
    for line in typed:
        fewer = ["--epochs", "4"] if line.startswith("run") else []
        done = subprocess.run(
            [sys.executable, "-m", "mcuprune", *line.split(), *fewer],
            cwd=tmp_path,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
