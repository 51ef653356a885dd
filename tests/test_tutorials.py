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
# Language, the file that a block is shown as, what it holds.
BLOCK = re.compile(r"```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ mcuprune (.+)$(?:\n\$ echo \$\?\n(\d))?", re.MULTILINE)
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md")}
# Needs recordings, and fewer epochs.
FROM_RECORDINGS = "keywords"
# Prunes and simulates MobileNet: two minutes.
LONG = "pretrained"


def test_every_topic_has_its_page():
    assert set(PAGES) == {
        *("own-model", "keywords", "residual", "gestures", "pretrained"),
        *("loop", "custom-layer", "board", "ci"),
    }


def mcuprune(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mcuprune", *line.split()],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "name",
    [
        *sorted(set(PAGES) - {FROM_RECORDINGS, LONG}),
        pytest.param(LONG, marks=pytest.mark.slow),
    ],
)
def test_pages_run_from_top_to_bottom(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, file, text in BLOCK.findall(PAGES[name]):
        if file:
            (tmp_path / file).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(text, names)
        else:
            for line, code in COMMAND.findall(text):
                done = mcuprune(line, tmp_path)
                assert done.returncode == int(code or 0), f"{line}: {done.stderr[-3000:]}"


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
    typed = [
        line
        for language, _, text in BLOCK.findall(PAGES[FROM_RECORDINGS])
        if language == "console"
        for line, _ in COMMAND.findall(text)
    ]
    assert [line.split()[0] for line in typed] == ["run", "simulate", "check"]
    for line in typed:
        fewer = " --epochs 4" if line.startswith("run") else ""
        done = mcuprune(line + fewer, tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]
