"""Rules that find a deployed model doubtful, each with the limit from which it does."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mcuprune.cost.verdict import Verdict, VerdictRow
from mcuprune.deployment.value_ranges import InputRange, Saturation
from mcuprune.deployment.verify import Verification
from mcuprune.engines.compare import Agreement
from mcuprune.report.doubts import Doubt

# A model is worth less than half of another: of what that has above guessing.
KEPT_ABOVE_GUESSING = 0.5
# Guessing reaches this many standard errors of the test set more than its commonest class.
GUESSING_ERRORS = 2.0
MOST_CLIPPED = MOST_SATURATED = 0.01
LEAST_USED = 0.25
# Arena and file are arrays that TFLM wants at multiples of 16 bytes.
ALIGNMENT_BYTES = 16
# LiteRT's and TFLM's reference kernels differ by up to 3 steps in sound models.
LARGEST_DIFFERENCE = 3
LEAST_SAME_CLASS = 0.99
LEAST_LIKE_FLOAT = 0.9


def deployment_doubts(
    verification: Verification, verdict: Verdict | None, float_reference: float | None = None
) -> tuple[Doubt, ...]:
    """Return what is doubtful about a deployment.

    Args:
        verification: What the engines said.
        verdict: Whether it meets its budget, None without one.
        float_reference: Accuracy of the unpruned model, 0 to 1, None where not measured.
    """
    return (
        *accuracy_doubts(verification, float_reference),
        *range_doubts(verification.input_ranges),
        *saturation_doubts(verification.saturations),
        *edge_doubts(verdict),
        *engine_doubts(verification),
    )


def accuracy_doubts(
    verification: Verification, float_reference: float | None = None
) -> Iterator[Doubt]:
    """Yield a doubt where a model is no better than guessing, or far below what it came from.

    Guessing is always answering the commonest class of the test set. Far below is less than half
    of what the other model has above guessing.
    """
    found, guessed = verification.int8_accuracy, verification.commonest_share
    if found is None or guessed is None:
        return
    error = math.sqrt(guessed * (1 - guessed) / verification.inputs)
    by_luck = guessed + GUESSING_ERRORS * error
    # A test set of nearly one class cannot tell.
    if found <= by_luck < 1.0:
        yield Doubt(
            "accuracy-collapsed",
            f"the int8 model classifies {found:.1%} of {verification.inputs:,} test inputs right, "
            f"always answering their commonest class {guessed:.1%}: it has learned nothing that "
            "the test shows. Check that test inputs are prepared like the training's, then train "
            "longer or allow a larger budget",
        )
        return
    float_pruned = verification.keras_accuracy
    yield from collapsed("the int8 model", found, "the same model in float", float_pruned, guessed)
    yield from collapsed("the model", float_pruned, "the unpruned one", float_reference, guessed)


def collapsed(
    what: str, accuracy: float | None, other: str, above: float | None, guessed: float | None
) -> Iterator[Doubt]:
    """Yield a doubt where a model keeps less than half of what another has above guessing.

    Args:
        what: Which model.
        accuracy: Its accuracy, 0 to 1, None where not measured.
        other: Which it is held against.
        above: Accuracy of that one.
        guessed: What guessing reaches.
    """
    if accuracy is None or above is None or guessed is None:
        return
    if accuracy - guessed < KEPT_ABOVE_GUESSING * (above - guessed):
        yield Doubt(
            "accuracy-collapsed",
            f"{what} classifies {accuracy:.1%} of the test inputs right, {other} {above:.1%}, "
            f"guessing {guessed:.1%}: more than half of what was learned is lost. Quantize in "
            "training, train longer, or allow a larger budget",
        )


def range_doubts(ranges: tuple[InputRange, ...]) -> Iterator[Doubt]:
    """Yield a doubt where inputs do not lie in the range that calibration gave the model.

    That is where more than 1% of the numbers are clipped, or all lie within a quarter of it.
    """
    for found in ranges:
        said = (
            f"input {found.name!r} holds {found.low:.4g} to {found.high:.4g} by its calibration, "
            f"the inputs that it was verified with lie in {found.least:.4g} to {found.most:.4g}"
        )
        advice = "calibrate with inputs that are prepared like those of the device"
        if found.clipped_share > MOST_CLIPPED:
            clipped = f"{found.clipped_share:.1%} of their numbers are clipped"
            yield Doubt("input-range", f"{said}: {clipped}; {advice}")
        elif found.used_share < LEAST_USED:
            used = f"they use {found.used_share:.1%} of the range, which costs precision"
            yield Doubt("input-range", f"{said}: {used}; {advice}")


def saturation_doubts(found: tuple[Saturation, ...]) -> Iterator[Doubt]:
    """Yield a doubt for each output of which more than 1% stands at an end of its range."""
    for output in found:
        if output.share > MOST_SATURATED:
            yield Doubt(
                "outputs-saturated",
                f"{output.share:.1%} of the numbers of output {output.name!r} stand at an end of "
                "its int8 range, so larger ones are lost: calibrate with inputs that bring out "
                "all answers",
            )


def edge_doubts(verdict: Verdict | None) -> Iterator[Doubt]:
    """Yield a doubt for each limit that is met, and by less than placing the array may cost.

    Arena and file must begin at a multiple of 16 bytes: an array that does not loses up to 15.
    Latency is rounded up to whole microseconds.
    """
    for row in () if verdict is None else verdict.rows:
        if _is_at_the_edge(row):
            cost = (
                "latency is rounded up to whole microseconds"
                if row.unit == "us"
                else f"an array that does not begin at a multiple of {ALIGNMENT_BYTES} bytes needs "
                "up to 15 B more; keep it aligned, as the files of the deployment do"
            )
            yield Doubt(
                "budget-at-the-edge",
                f"the {row.name} budget is met with {row.available - row.required:,} {row.unit} to "
                f"spare ({row.required:,} of {row.available:,} {row.unit}): {cost}",
            )


def _is_at_the_edge(row: VerdictRow) -> bool:
    least_spare = {"B": ALIGNMENT_BYTES - 1, "us": 1}.get(row.unit, 0)
    return 0 <= row.available - row.required < least_spare


def engine_doubts(verification: Verification) -> Iterator[Doubt]:
    """Yield doubts where engines disagree by more than rounding explains."""
    agreement, classes = verification.tflm_vs_litert, verification.answers_classes
    if _disagree(agreement, classes):
        yield Doubt(
            "engines-disagree",
            f"TFLM and LiteRT differ by up to {agreement.largest_difference} steps of int8 and "
            f"choose the same class on {agreement.top1_agreement:.1%} of {agreement.inputs:,} "
            "inputs: what LiteRT measured is not what the device answers. Look for the operator "
            "in which they differ, and measure accuracy with TFLM",
        )
    same = verification.litert_vs_keras
    if classes and same is not None and same < LEAST_LIKE_FLOAT:
        yield Doubt(
            "int8-differs",
            f"the int8 model chooses the same class as the Keras model on {same:.1%} of "
            f"{verification.inputs:,} inputs: calibrate with more inputs, or quantize in training",
        )


def _disagree(agreement: Agreement, classes: bool) -> bool:
    return agreement.largest_difference > LARGEST_DIFFERENCE or (
        classes and agreement.top1_agreement < LEAST_SAME_CLASS
    )
