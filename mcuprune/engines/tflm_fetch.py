"""Fetches TensorFlow Lite Micro with CMake's FetchContent, for users without a checkout of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from mcuprune.engines.tflm_library import cache_folder
from mcuprune.errors import EngineError, MissingToolError

# Of August 2026, with which firmware and projects were tried.
TFLM_COMMIT = "90b983c2b3f1480642e040bbd2ddb37b998f3424"
# In place of a checkout's folder.
FETCH = "fetch"
_SCRIPT = Path(__file__).parent / "firmware" / "fetch_tflm.cmake"
_RESULT = "checkout.txt"


def fetched_checkout(source: Path | None = None) -> Path:
    """Fetch TFLM, or find what an earlier call has fetched into the user's cache folder.

    Args:
        source: A checkout to take in place of GitHub's, as ``FETCHCONTENT_SOURCE_DIR_TFLITE_MICRO``
            of CMake does; what its makefile downloads is fetched into it if it lacks it.

    Returns:
        The checkout, with what its makefile downloads.

    Raises:
        MissingToolError: CMake is not installed.
        EngineError: Something cannot be fetched; with CMake's last words.
    """
    build = cache_folder() / f"tflite-micro-{TFLM_COMMIT[:12]}"
    result = build / _RESULT
    if source is None and result.is_file():
        return Path(result.read_text(encoding="utf-8"))
    cmake = shutil.which("cmake")
    if cmake is None:
        raise MissingToolError(
            "CMake, which fetches TensorFlow Lite Micro, is not installed: apt-get install cmake "
            "git make, or give a checkout with --tflm DIR"
        )
    build.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_SCRIPT, build / "CMakeLists.txt")
    given = (
        () if source is None else (f"-DFETCHCONTENT_SOURCE_DIR_TFLITE_MICRO={source.resolve()}",)
    )
    _run((cmake, "-S", str(build), "-B", str(build), f"-DTFLM_COMMIT={TFLM_COMMIT}", *given))
    return Path(result.read_text(encoding="utf-8"))


def _run(command: tuple[str, ...]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last_words = " ".join((done.stdout + done.stderr).split()[-60:])
        raise EngineError(
            f"CMake could not fetch TensorFlow Lite Micro: {last_words}: give a checkout with "
            "--tflm DIR"
        )
