"""The Keras callback: ``model.fit(..., callbacks=[MCUPruning(budget)])``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras

from mcuprune.budget import Budget, require_budget
from mcuprune.errors import InputError, TrainingDivergedError
from mcuprune.pruning.arguments import whole_number, window
from mcuprune.pruning.backup import Backup, go_on, let_go
from mcuprune.pruning.companions import Companions, companions_of
from mcuprune.pruning.controls import Controls
from mcuprune.pruning.pruner import Pruner
from mcuprune.pruning.replicas import average_statistics, scope_of
from mcuprune.pruning.tensorboard import TensorBoardLog

# Arguments that say where to write, not how to train.
_FOLDERS = ("backup_dir", "log_dir")


class MCUPruning(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Prunes the model that ``fit`` trains until it meets a budget.

    Channels are gated, priced by the resource model of the microcontroller, and removed for good
    in a few cuts between ``start_epoch`` and ``end_epoch``; the epochs after it fine-tune what
    remains. After ``fit`` the model is a plain, smaller ``keras.Model``: no wrapper, nothing to
    strip. Epoch logs gain ``sram``, ``flash`` and ``macs`` (predicted, bytes and MACs; those that
    the budget limits) and the same with ``_budget``. ``EarlyStopping``, ``ReduceLROnPlateau`` and
    ``ModelCheckpoint(save_best_only=True)`` in the same list judge the network after its last cut
    only; ``BackupAndRestore`` is refused.

    Args:
        budget: Limits to meet, in bytes and MACs.
        start_epoch: Epochs of plain training before the first gate moves, counted from where
            ``fit`` begins (``initial_epoch``).
        end_epoch: Epochs after which the last cut is made, counted likewise; a third of those of
            this ``fit`` by default, so that the small network gets most of the training.
        cuts: How often channels are removed on the way, the last one included. Each costs a new
            trace of the training step, some seconds.
        round_to: Widths become multiples of this; by default of what the kernels of the budget's
            board take at once, of 1 without a board. Narrower groups keep their width.
        min_channels: No coupling group becomes narrower; a number, or one per layer name, pattern
            or class (``{"conv*": 8}``), which then holds for the groups that those layers put out.
        max_channels: Every coupling group is cut to at most this, even where the budget is met
            without; likewise.
        exclude: A layer name, pattern (``"stem*"``) or class (``keras.layers.Dense``, ``"Dense"``)
            whose output channels all stay, or several.
        verbose: 1 prints a line per cut, or that there is nothing to cut.
        backup_dir: A folder of this training alone. The state after each epoch is kept there, and
            the same program, started again after it was killed, goes on with the next epoch:
            build, compile and fit the same model as before. Deleted at the end of ``fit``. The
            result is that of an undisturbed training if the order of the data in an epoch depends
            on nothing but the epoch, and TensorFlow computes the same twice
            (``tf.config.experimental.enable_op_determinism``). Other callbacks begin anew.
        plan_memory: Whether the arena is counted with the memory plan that
            :func:`mcuprune.deploy` writes into the file. False for files of another converter, in
            which TFLM plans by itself.
        log_dir: A folder for TensorBoard, which gets widths, resources, the penalty and its
            multipliers after each epoch as scalars, and the gates as histograms.

    Raises:
        InputError: The epochs make no sense, or an argument is of another type.
        MissingToolError: ``log_dir`` is given and TensorBoard is not installed.

    Example:
        >>> from mcuprune import Budget
        >>> pruning = MCUPruning(Budget(sram="16KiB"), start_epoch=1, end_epoch=4)
        >>> pruning.get_config()["budget"]
        {'sram': 16384, 'flash': None, 'macs': None}
    """

    def __init__(
        self,
        budget: Budget,
        start_epoch: int = 1,
        end_epoch: int | None = None,
        cuts: int = 3,
        round_to: int | None = None,
        min_channels: int | Mapping[str | type, int] = 1,
        exclude: str | type | Iterable[str | type] = (),
        verbose: int = 0,
        max_channels: int | Mapping[str | type, int] | None = None,
        backup_dir: str | Path | None = None,
        plan_memory: bool = True,
        log_dir: str | Path | None = None,
    ) -> None:
        super().__init__()
        require_budget(budget)
        self.budget = budget
        self.start_epoch, self.end_epoch = window("epoch", start_epoch, end_epoch)
        self.cuts = whole_number("cuts", cuts, at_least=1)
        self.controls = Controls.given(exclude, round_to, min_channels, max_channels)
        self.verbose = verbose
        self.plan_memory = plan_memory
        self.pruner: Pruner | None = None
        self._companions = Companions([])
        self._last_epoch: tuple[int, dict[str, Any]] | None = None
        self._whole: Mapping[str, int] = {}
        self.backup_dir = None if backup_dir is None else Path(backup_dir)
        self.log_dir = None if log_dir is None else Path(log_dir)
        self._log = None if self.log_dir is None else TensorBoardLog(self.log_dir)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain values."""
        given = [n for n in ("latency", "board") if getattr(self.budget, n) is not None]
        limits = ("sram", "flash", "macs", *given)
        budget = {name: getattr(self.budget, name) for name in limits}
        names = ("start_epoch", "end_epoch", "cuts", "verbose", "plan_memory")
        own = {name: getattr(self, name) for name in names}
        config = {"budget": budget, **own, **self.controls.to_json()}
        folders = {name: getattr(self, name) for name in _FOLDERS}
        return {**config, **{name: str(path) for name, path in folders.items() if path is not None}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MCUPruning:
        """Make a callback from what :meth:`get_config` returned."""
        return cls(**{**config, "budget": Budget(**config["budget"])})

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Find the groups, refuse an impossible budget, attach the gates."""
        self._per_epoch = self.params["steps"]
        self._span = self._span_within(self.params["epochs"])
        self._companions.release()
        self._companions = companions_of(self)
        self._last_epoch = None
        if not self.model.optimizer.built:
            with scope_of(self.model):
                self.model.optimizer.build(self.model.trainable_variables)
        self.pruner = Pruner(
            self.model,
            self.budget,
            start_step=self._step_of(self._span[0]),
            end_step=self._step_of(self._span[1]),
            cuts=self.cuts,
            plan_memory=self.plan_memory,
            **self.controls.to_json(),
        )
        self._whole = self.pruner.groups.widths()
        resumed = self.backup_dir is not None and self._resume(Backup(self.backup_dir))
        self._is_begun = resumed
        self._trace_anew()
        if not self.pruner.done:
            self._refuse_backups()
        elif self.verbose and not resumed:
            self._tell("the budget is met already, nothing is removed from")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start counting the epoch's batches; keep other callbacks from judging while we prune.

        Raises:
            InputError: ``initial_epoch`` of ``fit`` leaves fewer epochs than pruning needs.
        """
        self._seen = 0
        if not self._is_begun:
            self._begin(self.params["epochs"] - epoch)
        if self._running().done:
            self._companions.judge_anew()
        else:
            self._companions.hold(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move gates and cut channels when due."""
        steps, self._seen = batch + 1 - self._seen, batch + 1
        if self._running().step(steps):
            self._trace_anew()
            if self._running().done:
                self._companions.save_from_now_on()
            if self.verbose:
                self._tell("cut to")

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Let several devices judge the network by the statistics that are saved of it."""
        average_statistics(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write resources and budget into the logs; stop a training that diverged.

        Raises:
            TrainingDivergedError: The loss is NaN or infinite.
        """
        logs = logs if logs is not None else {}
        pruner = self._running()
        loss = logs.get("loss", 0.0)
        if not math.isfinite(loss):
            self.release()
            raise TrainingDivergedError(
                f"the training loss became {loss} in epoch {epoch + 1}. The model was left plain "
                "but is not usable; lower the learning rate, clip gradients (clipnorm=1.0), or "
                "check the input for NaN."
            )
        if self._per_epoch is None:
            self._per_epoch = self._seen
            self._place_phase()
        self._last_epoch = epoch, logs
        average_statistics(self.model)
        if self.backup_dir is not None:
            state = {"pruner": pruner.state(), "steps_per_epoch": self._per_epoch}
            Backup(self.backup_dir).save(self.model, epoch, self._training(), state)
        logs.update(pruner.resources())
        if self._log is not None:
            self._log.write(epoch, pruner)
        logs.update({f"{name}_budget": limit for name, limit in self.budget.limits()})

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Cut to the budget if training ended before the last cut."""
        pruner = self._running()
        unfinished = not pruner.done
        if unfinished:
            pruner.finish()
            self._trace_anew()
            if self.verbose:
                self._tell("cut to")
            warnings.warn(
                "training ended before the last cut of channels, which is made now: nothing was "
                "trained since. Train on with another fit, or end pruning earlier (end_epoch)",
                stacklevel=2,
            )
        self._companions.release()
        if unfinished and self._last_epoch:
            self._companions.save(*self._last_epoch)
        if self._log is not None:
            self._log.close()
        if self.backup_dir is not None:
            let_go(self.model)
            Backup(self.backup_dir).discard()

    def _begin(self, epochs: int) -> None:
        """Take note of how many epochs there are: Keras tells only now where it begins."""
        try:
            self._span = self._span_within(epochs)
        except InputError:
            self.release()
            raise
        self._is_begun = True
        self._place_phase()

    def _span_within(self, epochs: int) -> tuple[int, int]:
        """Return where pruning starts and ends in so many epochs."""
        end_epoch = self.end_epoch or max(self.start_epoch + 1, epochs // 3)
        if end_epoch <= epochs:
            return self.start_epoch, end_epoch
        if self.end_epoch is None:
            raise InputError(
                f"start_epoch {self.start_epoch} leaves no epoch to prune in: fit has {epochs}. "
                "Train longer or start pruning earlier"
            )
        raise InputError(
            f"end_epoch {end_epoch} lies beyond the {epochs} epochs of fit: train longer or "
            "end pruning earlier"
        )

    def _place_phase(self) -> None:
        phase = self._running().phase
        phase.start_step, phase.end_step = map(self._step_of, self._span)

    def release(self) -> None:
        """Leave a plain model after an interrupted ``fit``; the budget may not be met."""
        self._companions.release()
        if self.pruner is not None:
            self.pruner.release()
            self._trace_anew()

    def _resume(self, backup: Backup) -> bool:
        """Go on where a killed training was, if one was."""
        saved = backup.load(self._training())
        if saved is None:
            return False
        self._running().restore(saved.state["pruner"])
        self._per_epoch = saved.state["steps_per_epoch"]
        go_on(self.model, saved, self.params["epochs"])
        return True

    def _training(self) -> dict[str, Any]:
        """Return what tells this training from others."""
        config = {n: value for n, value in self.get_config().items() if n not in _FOLDERS}
        return {**config, "epochs": self.params["epochs"], "widths": self._whole}

    def _refuse_backups(self) -> None:
        try:
            self._companions.refuse_backups()
        except InputError:
            self.release()
            raise

    def _running(self) -> Pruner:
        if self.pruner is None:
            raise InputError("MCUPruning works inside fit: pass it in callbacks=[...]")
        return self.pruner

    def _step_of(self, epoch: int) -> int:
        # With an unknown epoch length the schedule waits for the first epoch to end.
        return epoch * self._per_epoch if self._per_epoch else epoch * 10**9

    def _trace_anew(self) -> None:
        self.model.make_train_function(force=True)
        self.model.test_function = None
        self.model.predict_function = None

    def _tell(self, what: str) -> None:
        pruner = self._running()
        used = ", ".join(f"{name} {value:,}" for name, value in pruner.resources().items())
        widths = " ".join(f"{name}={w}" for name, w in pruner.groups.widths().items())
        origin = "predicted"
        if pruner.is_planned:
            origin += " with the memory plan that mcuprune.deploy writes"
        keras.src.utils.io_utils.print_msg(f"mcuprune: {what} {widths} ({used}, {origin})")
