"""The kinds of firmware projects: which files lie where."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from mcuprune.suggest import unknown_name


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of project. Places may hold ``{name}``, the model's name in C.

    Attributes:
        title: What it is for.
        model_folder: Where the model's sources lie.
        golden_folder: Where golden vectors and their test lie.
        templates: Template by place.
        tflm_templates: Further ones of projects with TensorFlow Lite Micro.
    """

    title: str
    model_folder: str
    golden_folder: str
    templates: Mapping[str, str]
    tflm_templates: Mapping[str, str] = dataclasses.field(default_factory=dict)


FORMATS: Mapping[str, Format] = {
    "arduino": Format(
        "library for the Arduino IDE",
        "src",
        "examples/GoldenVectors",
        {
            "library.properties": "arduino/library.properties.j2",
            "examples/GoldenVectors/GoldenVectors.ino": "arduino/GoldenVectors.ino.j2",
            "README.md": "arduino/README.md.j2",
        },
    ),
    "platformio": Format(
        "PlatformIO project",
        "lib/{name}/src",
        "src",
        {
            "platformio.ini": "platformio/platformio.ini.j2",
            "lib/{name}/library.json": "platformio/library.json.j2",
            "src/main.cpp": "platformio/main.cpp.j2",
            "README.md": "platformio/README.md.j2",
        },
    ),
    "zephyr": Format(
        "Zephyr application",
        "model",
        "src",
        {
            "CMakeLists.txt": "zephyr/CMakeLists.txt.j2",
            "prj.conf": "zephyr/prj.conf.j2",
            "sample.yaml": "zephyr/sample.yaml.j2",
            "src/main.c": "zephyr/main.c.j2",
            "README.md": "zephyr/README.md.j2",
        },
    ),
    "esp-idf": Format(
        "ESP-IDF project",
        "components/{name}",
        "main",
        {
            "CMakeLists.txt": "esp_idf/CMakeLists.txt.j2",
            "sdkconfig.defaults": "esp_idf/sdkconfig.defaults.j2",
            "main/CMakeLists.txt": "esp_idf/main_CMakeLists.txt.j2",
            "main/main.c": "esp_idf/main.c.j2",
            "components/{name}/CMakeLists.txt": "esp_idf/component_CMakeLists.txt.j2",
            "README.md": "esp_idf/README.md.j2",
        },
        {"components/{name}/idf_component.yml": "esp_idf/idf_component.yml.j2"},
    ),
    "cmake": Format(
        "CMake project, for this machine and Cortex-M",
        "model",
        "test",
        {
            "CMakeLists.txt": "cmake/CMakeLists.txt.j2",
            "cmake/arm-none-eabi.cmake": "cmake/arm-none-eabi.cmake.j2",
            "emulator/startup.c": "cmake/startup.c.j2",
            "emulator/mps2.ld": "cmake/mps2.ld.j2",
            "test/main.c": "shared/main.c.j2",
            "README.md": "cmake/README.md.j2",
        },
        {"cmake/tflm.cmake": "cmake/tflm.cmake.j2"},
    ),
    "cmsis-pack": Format(
        "CMSIS-Pack",
        "model",
        "test",
        {
            "{vendor}.{name}.pdsc": "cmsis_pack/package.pdsc.j2",
            "test/main.c": "shared/main.c.j2",
            "README.md": "cmsis_pack/README.md.j2",
        },
    ),
}


def find_format(name: str) -> Format:
    """Return the format called ``name``.

    Raises:
        UnknownNameError: No such format; names the nearest.
    """
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    return FORMATS[name]


def format_names(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the formats that a user asks for, each once.

    Args:
        given: One, several or none.

    Raises:
        UnknownNameError: One is not known; names the nearest.

    >>> format_names("cmake"), format_names(["zephyr", "cmake", "zephyr"]), format_names(None)
    (('cmake',), ('zephyr', 'cmake'), ())
    """
    names = (given,) if isinstance(given, str) else tuple(dict.fromkeys(given or ()))
    for name in names:
        find_format(name)
    return names
