"""The training loop: one stage of optimiser steps, validated, checkpointed, resumable."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress, TaskID

from pyamp.errors import PyampError
from pyamp.files import rename_durably
from pyamp.likelihoods import Likelihood
from pyamp.posteriors import Posterior
from pyamp.training.batches import Batches
from pyamp.training.logs import Logs
from pyamp.training.natural_gradient import NaturalGradient
from pyamp.training.optimizers import Gradient, Optimizer
from pyamp.training.sample import Sample
from pyamp.training.stage import StageConfig

COOLDOWN_START = 0.5


@dataclass(frozen=True)
class RunFiles:
    """Where a stage writes.

    Attributes
    ----------
    directory : Path
        Gets the checkpoint, ``log.csv`` and TensorBoard events.
    checkpoint : str
        Name of the checkpoint.
    identity : dict
        Hashes of what determines the result; a checkpoint of something else is refused.
    checkpoint_seconds : float
        Time between checkpoints.
    resume : bool
        Continue from the checkpoint if there is one; the result equals that of the uninterrupted run.
    """

    directory: Path
    checkpoint: str
    identity: dict[str, str]
    checkpoint_seconds: float = 30.0
    resume: bool = False

    def load(self) -> dict[str, Any] | None:
        """The state from which to continue, if there is one.

        Raises
        ------
        PyampError
            A checkpoint that cannot be read or is of something else.
        """
        path = self.directory / self.checkpoint
        if not (self.resume and path.exists()):
            return None
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
        except Exception as error:
            raise PyampError(
                f"{path}: not a readable checkpoint ({type(error).__name__}); "
                "delete it or train without --resume"
            ) from error
        for what, expected in self.identity.items():
            if state["identity"].get(what) != expected:
                raise PyampError(
                    f"{path}: written with another {what}; give that {what}, or train without --resume"
                )
        return state


class Trainer:
    """One stage of training; the data stay on the device, preprocessed.

    Parameters
    ----------
    posterior : Posterior
        Is converted to the stage's arithmetic.
    likelihood : Likelihood
    config : StageConfig
    training, validation : Sample
    files : RunFiles
    seed : int
    device : str
    first_step : int
        Steps of the stages before this one: where the log continues.
    """

    def __init__(
        self,
        posterior: Posterior,
        likelihood: Likelihood,
        config: StageConfig,
        training: Sample,
        validation: Sample,
        files: RunFiles,
        seed: int = 1,
        device: str = "cpu",
        first_step: int = 0,
    ) -> None:
        self._posterior = posterior
        self._likelihood = likelihood
        self._config = config
        self._files = files
        self._checkpoint = files.directory / files.checkpoint
        self._first_step = first_step
        dtype = getattr(torch, config.dtype)
        posterior.to(device=device, dtype=dtype)
        self._training = training.to(dtype, device)
        self._validation = validation.to(dtype, device)
        self._batches = Batches(len(training.target), config.batch_size, seed)
        make_optimizer = NaturalGradient if config.optimizer == "natural_gradient" else Gradient
        self._optimizer: Optimizer = make_optimizer(posterior, likelihood, config)
        self._step = 0
        self._seconds = 0.0
        self._best_loss = math.inf
        self._best_weights = copy.deepcopy(posterior.state_dict())
        self._average = copy.deepcopy(posterior.state_dict()) if config.ema_decay else None
        self._validations_since_best = 0
        state = files.load()
        if state is not None:
            self._continue(state)

    def run(self, progress: Progress, title: str = "training") -> float:
        """Train to the end; the posterior is left with the weights of the lowest validation loss.

        Returns
        -------
        float
            Seconds spent in training, earlier parts of a resumed run included.
        """
        task = progress.add_task(title, total=self._config.steps, completed=self._step)
        if self._unfinished():
            # Only then: opening the log drops the rows of what a resumed run does again.
            with Logs(self._files.directory, self._first_step + self._step) as logs:
                self._train(progress, task, title, logs)
            self._save()
        progress.update(task, completed=self._config.steps)
        self._posterior.load_state_dict(self._best_weights)
        return self._seconds

    def _train(self, progress: Progress, task: TaskID, title: str, logs: Logs) -> None:
        config = self._config
        last_checkpoint = last_time = time.monotonic()
        while self._unfinished():
            batch = self._training.batch(self._batches.indices(self._step), self._step)
            loss = self._optimizer.step(batch, self._learning_rate(self._step), self._step / config.steps)
            self._step += 1
            self._update_average()
            if self._step % config.validation_interval == 0 or self._step == config.steps:
                self._validate(float(loss), logs)
                progress.update(
                    task, completed=self._step, description=f"{title}, validation loss {self._best_loss:.3g}"
                )
                now = time.monotonic()
                self._seconds += now - last_time
                last_time = now
                if now - last_checkpoint > self._files.checkpoint_seconds:
                    self._save()
                    last_checkpoint = now

    def _learning_rate(self, step: int) -> float:
        config = self._config
        if step < config.warmup_steps:
            return config.learning_rate * (step + 1) / config.warmup_steps
        fraction = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
        match config.schedule:
            case "cosine":
                return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * fraction))
            case "linear":
                return config.learning_rate * (1.0 - fraction)
            case "cooldown":
                last = max(0.0, (fraction - COOLDOWN_START) / (1.0 - COOLDOWN_START))
                return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * last))
            case "constant":
                return config.learning_rate

    def _update_average(self) -> None:
        """Exponential moving average of the weights, with a window that grows with the steps at the start."""
        if self._average is None:
            return
        decay = min(self._config.ema_decay, (1 + self._step) / (10 + self._step))
        for name, value in self._posterior.state_dict().items():
            self._average[name].lerp_(value, 1.0 - decay)

    def _validate(self, training_loss: float, logs: Logs) -> None:
        current = None
        if self._average is not None:
            current = copy.deepcopy(self._posterior.state_dict())
            self._posterior.load_state_dict(self._average)
        with torch.no_grad():
            total = sum(
                len(chunk.target) * float(self._posterior.validation_loss(chunk, self._likelihood))
                for chunk in self._validation.chunks()
            )
        loss = total / len(self._validation.target)
        if not math.isfinite(loss):
            raise PyampError(
                f"training: the validation loss is {loss} at step {self._step}, a finite number expected; "
                "lower learning_rate or check the amplitudes"
            )
        self._validations_since_best += 1
        if loss < self._best_loss:
            self._best_loss = loss
            self._best_weights = copy.deepcopy(self._posterior.state_dict())
            self._validations_since_best = 0
        if current is not None:
            self._posterior.load_state_dict(current)
        logs.write(self._first_step + self._step, training_loss, loss, self._learning_rate(self._step - 1))

    def _unfinished(self) -> bool:
        out_of_patience = 0 < self._config.patience <= self._validations_since_best
        return self._step < self._config.steps and not out_of_patience

    def _save(self) -> None:
        state = {
            "identity": self._files.identity,
            "step": self._step,
            "seconds": self._seconds,
            "best_loss": self._best_loss,
            "best_weights": self._best_weights,
            "average": self._average,
            "validations_since_best": self._validations_since_best,
            "weights": self._posterior.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        temporary = self._checkpoint.with_suffix(".tmp")
        torch.save(state, temporary)
        rename_durably(temporary, self._checkpoint)

    def _continue(self, state: dict[str, Any]) -> None:
        self._step = state["step"]
        self._seconds = state["seconds"]
        self._best_loss = state["best_loss"]
        self._best_weights = state["best_weights"]
        self._average = state["average"]
        self._validations_since_best = state["validations_since_best"]
        self._posterior.load_state_dict(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
