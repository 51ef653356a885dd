"""The errors of this package: one root class, each message says what to do next."""

from __future__ import annotations


class McupruneError(Exception):
    """Root of all errors a user can cause or meet.

    The message says what was found, what is allowed, and what to do next.
    """


class InputError(McupruneError):
    """The input is missing, unreadable or not of the expected form (exit code 2)."""


class UnknownNameError(InputError):
    """A name is not in a catalogue; the message names the nearest known one."""


class UnsupportedModelError(InputError):
    """The model cannot be pruned or deployed: subclassed, tf_keras, no prunable channel ..."""


class InfeasibleBudgetError(InputError):
    """A budget lies below what the narrowest network needs.

    Attributes:
        resource: Name of the resource (``"sram"``, ``"flash"``, ``"macs"``).
        required: Smallest reachable value, in the resource's unit (bytes or MACs).
        available: What the budget allows, in the same unit.
    """

    def __init__(self, message: str, *, resource: str, required: int, available: int) -> None:
        super().__init__(message)
        self.resource = resource
        self.required = required
        self.available = available


class TrainingDivergedError(McupruneError):
    """The training loss became NaN or infinite."""


class EngineError(McupruneError):
    """An engine (LiteRT, TFLM) refused or failed to execute a model."""


class MissingToolError(EngineError):
    """A program or package that an engine needs is not installed; the message says how to."""


class FirmwareError(EngineError):
    """A firmware does not fit its board, or does what the hardware does not allow.

    It tells something about the model, not about how the simulator was called.
    """


class ConversionError(McupruneError):
    """The TFLite converter could not produce a full-int8 file."""


class PlanError(McupruneError):
    """A memory plan or an execution schedule is unsound.

    Attributes:
        failure: Name of the rule it breaks (``"overlap"``, ``"absent"`` ...).
    """

    def __init__(self, message: str, *, failure: str) -> None:
        super().__init__(message)
        self.failure = failure
