"""What a deployment is, and how it is reported."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from mcuprune.budget import Budget
from mcuprune.cost.resources import Resources
from mcuprune.cost.verdict import Verdict
from mcuprune.deployment.csource import ArenaSetting
from mcuprune.deployment.optimize import Optimized
from mcuprune.deployment.verify import Verification
from mcuprune.engines.base import ArenaUse
from mcuprune.engines.compare import Agreement
from mcuprune.notebook import html_line
from mcuprune.report.doubts import Doubt
from mcuprune.report.sources import PAGE_FILE


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """Share of the test set that is classified rightly, 0 to 1; None where not measured.

    Attributes:
        float_reference: Of the unpruned Keras model.
        float_pruned: Of the Keras model that is deployed.
        int8: Of the converted model, LiteRT's reference kernels.
    """

    float_reference: float | None = None
    float_pruned: float | None = None
    int8: float | None = None

    def __str__(self) -> str:
        """Say it in a line.

        >>> print(Accuracy(0.995, 0.98, 0.975))
        float 99.5% before pruning, 98.0% after, int8 97.5%
        >>> print(Accuracy(float_pruned=0.98, int8=0.975)), print(Accuracy())
        float 98.0%, int8 97.5%
        not measured
        (None, None)
        """
        if self.float_pruned is None or self.int8 is None:
            return "not measured"
        said = f"{self.float_pruned:.1%}"
        if self.float_reference is not None:
            said = f"{self.float_reference:.1%} before pruning, {said} after"
        return f"float {said}, int8 {self.int8:.1%}"


@dataclasses.dataclass(frozen=True)
class Deployment:
    """A deployed model.

    Attributes:
        folder: Where its files are.
        resources: What the exported file costs: on the budget's board, predicted, or on the host,
            and then the arena is the one TFLM really used.
        predicted: What it was predicted to cost on the host.
        reference: What the unpruned model costs, if one was given, counted like ``resources``.
        budget: What was allowed, if anything was said.
        verdict: Whether the resources meet the budget, None without one.
        accuracy: On the test set, if one was given.
        verification: What the engines said.
        arena_setting: The tensor arena to reserve, as ``model_settings.h`` states it.
        board: Name of the board it is made for, if any.
        memory_plan: What planning the arena did to the file, None if it was not planned.
        quantization: ``"ptq"`` or ``"qat"``: ranges from calibration data or from training.
        formats: Firmware projects that were written, folders of :attr:`folder`.
        class_names: What the classes are called, in the order of their numbers; empty if unknown.
        doubts: Reasons to look twice before it is shipped.
    """

    folder: Path
    resources: Resources
    predicted: Resources
    reference: Resources | None
    budget: Budget | None
    verdict: Verdict | None
    accuracy: Accuracy
    verification: Verification
    arena_setting: ArenaSetting
    board: str | None
    memory_plan: Optimized | None = None
    quantization: str = "ptq"
    formats: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def agreement(self) -> Agreement:
        """How far TFLM and LiteRT agree, byte by byte."""
        return self.verification.tflm_vs_litert

    @property
    def arena(self) -> ArenaUse:
        """The arena that TFLM used on a 64-bit host."""
        return self.verification.arena

    def to_json(self) -> dict[str, Any]:
        """Return the contents of ``report.json``."""
        return {
            "verdict": _verdict_word(self.verdict),
            "check": None if self.verdict is None else self.verdict.to_json(),
            "board": self.board,
            "quantization": self.quantization,
            "budget": None if self.budget is None else dict(self.budget.limits()),
            "resources": {
                "reference": None if self.reference is None else self.reference.to_json(),
                "pruned": self.resources.to_json(),
            },
            "accuracy": dataclasses.asdict(self.accuracy),
            "confusion": _confusion_json(self),
            "agreement": _agreement_json(self.verification),
            "arena": _arena_json(self),
            "memory_plan": None if self.memory_plan is None else self.memory_plan.to_json(),
            "engines": list(self.verification.engines),
            "fit_seconds": None,
            "deployment": str(self.folder),
            "formats": list(self.formats),
            "doubts": [doubt.to_json() for doubt in self.doubts],
        }

    def _repr_html_(self) -> str:
        parts = [self.resources._repr_html_(), html_line(f"Report: {self.folder / PAGE_FILE}")]
        return "".join(parts if self.verdict is None else [self.verdict._repr_html_(), *parts])

    def __repr__(self) -> str:
        verdict = _verdict_word(self.verdict) or "no budget"
        needed = self.resources
        return (
            f"Deployment({str(self.folder)!r}: {verdict}, arena {needed.arena_total_bytes:,} B, "
            f"flash {needed.flash_bytes:,} B, {needed.macs:,} MACs)"
        )


def _verdict_word(verdict: Verdict | None) -> str | None:
    if verdict is None:
        return None
    return "fits" if verdict.fits else "exceeds"


def _confusion_json(deployment: Deployment) -> dict[str, Any] | None:
    counts = deployment.verification.confusion
    return None if counts is None else counts.to_json(deployment.class_names)


def _agreement_json(verification: Verification) -> dict[str, Any]:
    agreement = verification.tflm_vs_litert
    return {
        "litert_vs_keras": verification.litert_vs_keras,
        "litert_vs_keras_inputs": verification.inputs,
        "tflm_vs_litert_inputs": agreement.inputs,
        "tflm_vs_litert_bytes": agreement.bytes_total,
        "tflm_vs_litert_bytes_differing": agreement.bytes_differing,
        "tflm_vs_litert_largest_difference": agreement.largest_difference,
        "tflm_vs_litert_top1_agreement": agreement.top1_agreement,
    }


def _arena_json(deployment: Deployment) -> dict[str, Any]:
    return {
        "used": dataclasses.asdict(deployment.arena),
        "predicted": {
            "head_bytes": deployment.predicted.arena_head_bytes,
            "tail_bytes": deployment.predicted.arena_tail_bytes,
            "total_bytes": deployment.predicted.arena_total_bytes,
        },
        "smallest_bytes": deployment.arena_setting.smallest_bytes,
        "headroom_percent": deployment.arena_setting.headroom_percent,
        "tensor_arena_bytes": deployment.arena_setting.size_bytes,
        "host": "64-bit, reference kernels",
        "counted_for": deployment.arena_setting.counted_for,
        "counted_bytes": deployment.arena_setting.used_bytes,
    }
