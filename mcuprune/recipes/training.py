"""Training as a recipe describes it: seed, optimizer, loss, progress, and a stop at NaN."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcuprune.errors import TrainingDivergedError
from mcuprune.pruning.distillation import gives_logits
from mcuprune.recipes.datasets.dataset import Dataset, Floats, Labels
from mcuprune.recipes.kept import HISTORY_FILE
from mcuprune.recipes.schema import TrainingSection
from mcuprune.report.progress import EpochProgress

SGD_MOMENTUM = 0.9

# Called after each epoch with the training's title, the epoch from 0, Keras's logs and the model.
Watch = Callable[[str, int, Mapping[str, Any], Any], None]


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What a training run took and gave.

    Attributes:
        seconds: Wall time of ``fit``, with that of earlier processes where it went on after them.
        history: Values per epoch for each key of Keras's logs.
    """

    seconds: float
    history: Mapping[str, Sequence[float]]


def compile_model(model: Any, training: TrainingSection, epochs: int, train_inputs: int) -> None:
    """Compile a classifier, in place; its outputs are logits or have a softmax.

    Args:
        model: An uncompiled ``keras.Model``.
        training: Optimizer, learning rate and schedule.
        epochs: Epochs that the schedule spans.
        train_inputs: Number of training inputs.
    """
    import keras

    steps = epochs * math.ceil(train_inputs / training.batch_size)
    model.compile(
        optimizer=_optimizer(training, steps),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=gives_logits(model),
            label_smoothing=training.label_smoothing,
        ),
        metrics=["accuracy"],
    )


def fit(
    model: Any,
    data: Dataset,
    training: TrainingSection,
    epochs: int,
    title: str,
    folder: Path,
    callbacks: Sequence[Any] = (),
    at_end: Callable[[float], None] | None = None,
    watch: Watch | None = None,
    targets: Floats | None = None,
) -> Fitted:
    """Train a compiled model, showing every epoch on stderr.

    The order of the inputs in an epoch depends on nothing but ``training.seed`` and the epoch.

    Args:
        model: A compiled ``keras.Model``.
        data: Training and validation inputs.
        training: Batch size; the learning rate is named if training diverges.
        epochs: Passes over the training inputs.
        title: What the progress display calls the run.
        folder: Gets ``history.csv``, one line per epoch as it ends.
        callbacks: Run before the progress display, so that it shows what they add to the logs.
        at_end: Called with the wall seconds when training has ended, before the callbacks hear of
            it.
        watch: Called after each epoch, when all that is kept of it has been written.
        targets: What to learn for each training input, shape ``(n, classes)``; its label if None.

    Raises:
        TrainingDivergedError: The loss became NaN or infinite; names the epoch.
    """
    from mcuprune.recipes.batches import ShuffledBatches
    from mcuprune.recipes.history import HistoryTable

    if targets is None:
        targets = _one_hot(data.y_train, data.classes)
    batches = ShuffledBatches(data.x_train, targets, training.batch_size, training.seed)
    table = HistoryTable(folder / HISTORY_FILE)
    started = time.perf_counter()

    def seconds() -> float:
        return table.seconds_before + time.perf_counter() - started

    with EpochProgress(title, epochs) as progress:
        history = model.fit(
            batches,
            validation_data=(data.x_val, _one_hot(data.y_val, data.classes)),
            validation_batch_size=training.batch_size,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[
                _at_train_end(lambda: at_end(seconds()) if at_end else None),
                _stop_at_nan(training),
                batches.callback(),
                *callbacks,
                table,
                progress.callback(),
                *([] if watch is None else [_watched(title, model, watch)]),
            ],
        )
    return Fitted(seconds(), history.history)


def accuracy(model: Any, inputs: Floats, labels: Labels) -> float:
    """Return the share of inputs whose largest output stands at their label, 0 to 1."""
    outputs = model.predict(inputs, batch_size=256, verbose=0)
    return float(np.mean(outputs.argmax(axis=1) == labels))


def _watched(title: str, model: Any, watch: Watch) -> Any:
    import keras

    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: watch(title, epoch, logs or {}, model)
    )


def _optimizer(training: TrainingSection, steps: int) -> Any:
    import keras

    rate: Any = training.learning_rate
    if training.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(training.learning_rate, steps)
    if training.optimizer == "sgd":
        return keras.optimizers.SGD(
            rate, momentum=SGD_MOMENTUM, weight_decay=training.weight_decay or None
        )
    if training.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=training.weight_decay)
    return keras.optimizers.Adam(rate)


def _at_train_end(act: Callable[[], None]) -> Any:
    import keras

    return keras.callbacks.LambdaCallback(on_train_end=lambda _: act())


def _stop_at_nan(training: TrainingSection) -> Any:
    import keras

    def check(epoch: int, logs: Mapping[str, Any] | None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise TrainingDivergedError(
                f"the loss became {loss} in epoch {epoch + 1}: lower training.learning_rate (now "
                f"{training.learning_rate:g}), for example --set training.learning_rate="
                f"{training.learning_rate / 10:g}, and check the inputs for NaN"
            )

    return keras.callbacks.LambdaCallback(on_epoch_end=check)


def _one_hot(labels: Labels, classes: int) -> Floats:
    return np.eye(classes, dtype=np.float32)[labels]
