"""Names of projects in C and as files."""

from __future__ import annotations

import re

import pytest

from mcuprune.codegen.c_text import require_identifier
from mcuprune.deployment.projects.names import project_name


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("kws", "kws_model"),
        ("My Model v2", "my_model_v2"),
        ("functional_1", "functional_1_model"),
        # Headers and a source file that would hide those of C and of the project.
        ("string", "string_model"),
        ("main", "main_model"),
        ("golden_test", "golden_test_model"),
        ("int", "int_model"),
        ("Größe", "gr_e_model"),
        ("../../etc/passwd", "etc_passwd_model"),
        ("C:\\windows", "c_windows_model"),
        ("", "model"),
        ("2fast", "model_2fast"),
    ],
)
def test_names(title, expected):
    assert project_name(title) == expected


@pytest.mark.parametrize("title", ["x" * 300, "model" + "y" * 300, "__a__" * 50, "\n\t", "模型"])
def test_any_text_becomes_a_short_identifier(title):
    name = project_name(title)
    require_identifier(name)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name)
