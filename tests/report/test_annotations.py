"""Annotations of GitHub Actions."""

from __future__ import annotations

from mcuprune.cost.verdict import Verdict, VerdictRow
from mcuprune.report.annotations import annotation, failure

FITS = VerdictRow("flash", required=10, available=20, unit="B")
EXCEEDS = VerdictRow("sram", required=3_000, available=2_000, unit="B")


def test_an_exceeded_budget_is_an_error_at_its_line():
    assert annotation(Verdict((EXCEEDS, FITS)), "kws", "budgets.yaml", 7) == (
        "::error title=kws exceeds its budget,file=budgets.yaml,line=7::"
        "sram: 3,000 B needed, 2,000 B allowed, 1,000 B too many%0Aflash: 10 B needed, 20 B allowed"
    )


def test_a_budget_that_is_met_is_a_notice():
    assert annotation(Verdict((FITS,)), "kws").startswith("::notice title=kws meets its budget::")


def test_what_github_would_read_as_its_own_is_escaped():
    said = annotation(Verdict((FITS,)), "100%: a,b\n::error::", "c:\\x,y")
    assert said.count("\n") == 0
    assert "title=100%25%3A a%2Cb%0A%3A%3Aerror%3A%3A meets its budget,file=c%3A\\x%2Cy::" in said


def test_a_failed_check_is_one_line():
    assert failure("100 %\nno file") == "::error title=mcuprune could not check::100 %25%0Ano file"
