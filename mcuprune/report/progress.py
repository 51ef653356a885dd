"""Progress while training: per epoch loss, accuracy and each resource against its budget.

Everything goes to stderr. In a terminal one line per epoch builds up under a live bar; elsewhere
(a log file, CI) each epoch is one plain line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

# Written into the epoch logs by the pruning callback, each with its limit under "<name>_budget".
RESOURCES = {"sram": "SRAM B", "flash": "flash B", "macs": "MACs", "latency": "latency us"}


@dataclasses.dataclass(frozen=True)
class Measure:
    """A resource and its limit after an epoch.

    Attributes:
        label: Name with unit.
        used: Bytes or MACs.
        limit: What the budget allows, in the same unit.
    """

    label: str
    used: int
    limit: int

    @property
    def fits(self) -> bool:
        """Whether the budget is met."""
        return self.used <= self.limit


def measures(logs: Mapping[str, Any]) -> list[Measure]:
    """Return the resources in an epoch's logs that have a budget."""
    return [
        Measure(label, round(float(logs[name])), round(float(logs[f"{name}_budget"])))
        for name, label in RESOURCES.items()
        if logs.get(name) is not None and logs.get(f"{name}_budget") is not None
    ]


def epoch_text(epoch: int, epochs: int, logs: Mapping[str, Any]) -> Text:
    """Write an epoch's logs as one line.

    Args:
        epoch: Epochs done, from 1.
        epochs: Epochs in all.
        logs: Keras's logs; ``loss``, ``accuracy``, ``val_accuracy`` and resources are shown.

    >>> epoch_text(3, 60, {"loss": 0.25, "macs": 52000, "macs_budget": 40000}).plain
    'epoch  3/60  loss 0.2500  MACs 52,000/40,000 over'
    """
    text = Text(f"epoch {epoch:{len(str(epochs))}}/{epochs}")
    if "loss" in logs:
        text.append(f"  loss {float(logs['loss']):.4f}")
    for key, label in (("accuracy", "acc"), ("val_accuracy", "val")):
        if key in logs:
            text.append(f"  {label} {float(logs[key]):.1%}")
    for measure in measures(logs):
        text.append(f"  {measure.label} ")
        text.append(
            f"{measure.used:,}/{measure.limit:,}" + ("" if measure.fits else " over"),
            style="green" if measure.fits else "yellow",
        )
    return text


def announce(text: str) -> None:
    """Say on stderr what happens next."""
    Console(stderr=True).print(text, highlight=False, soft_wrap=True, markup=False)


class EpochProgress:
    """Shows epochs on stderr while training runs inside its ``with`` block.

    >>> with EpochProgress("training", epochs=2) as progress:
    ...     progress.show(0, {"loss": 0.5})
    """

    def __init__(self, title: str, epochs: int, console: Console | None = None) -> None:
        """Prepare the display.

        Args:
            title: What is being trained.
            epochs: Epochs in all.
            console: Where to write; stderr if None.
        """
        self.title = title
        self.epochs = epochs
        self.console = console or Console(stderr=True)
        self._bar = _bar(self.console)
        self._task = self._bar.add_task(title, total=epochs)

    def __enter__(self) -> EpochProgress:
        if self.console.is_terminal:
            self._bar.start()
        else:
            self.console.print(self.title, highlight=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self._bar.stop()

    def show(self, epoch: int, logs: Mapping[str, Any] | None) -> None:
        """Show a finished epoch.

        Args:
            epoch: Index of the epoch, from 0.
            logs: Keras's logs of the epoch.
        """
        self.console.print(epoch_text(epoch + 1, self.epochs, logs or {}), soft_wrap=True)
        self._bar.advance(self._task)

    def callback(self) -> Any:
        """Return a ``keras.callbacks.Callback`` that shows every epoch of ``fit``.

        Put it after the pruning callback, whose log entries it shows, and give ``fit``
        ``verbose=0``.
        """
        import keras

        return keras.callbacks.LambdaCallback(on_epoch_end=self.show)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} epochs"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
