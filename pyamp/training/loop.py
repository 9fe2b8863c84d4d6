"""The training loop: Adam on the likelihood's loss, validated, checkpointed, resumable."""

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
from pyamp.surrogate import Surrogate
from pyamp.training.batches import Batches
from pyamp.training.config import TrainingConfig
from pyamp.training.logs import Logs

CHECKPOINT_NAME = "checkpoint.pt"


@dataclass(frozen=True)
class Points:
    """Momenta ``(n, legs, 4)`` in GeV and stripped amplitudes ``(n,)``, float64."""

    momenta: torch.Tensor
    amplitude: torch.Tensor


class Trainer:
    """Trains the network of a surrogate; the data stay in memory, preprocessed once.

    Parameters
    ----------
    surrogate : Surrogate
        Its preprocessing constants are set from the training points.
    config : TrainingConfig
    dataset_sha256 : str
        Hash of the dataset; a checkpoint of another one is refused.
    directory : Path
        Gets ``checkpoint.pt``, ``log.csv`` and TensorBoard events.
    training, validation : Points
    resume : bool
        Continue from ``checkpoint.pt`` if there is one; the result equals that of the uninterrupted run.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        config: TrainingConfig,
        dataset_sha256: str,
        directory: Path,
        training: Points,
        validation: Points,
        resume: bool = False,
    ) -> None:
        self._surrogate = surrogate
        self._config = config
        self._identity = {"configuration": config.sha256(), "dataset": dataset_sha256}
        self._checkpoint = directory / CHECKPOINT_NAME
        surrogate.fit_preprocessing(training.momenta, training.amplitude)
        surrogate.posterior.to(getattr(torch, config.dtype))
        self._features, self._target = surrogate.preprocess(training.momenta, training.amplitude)
        self._validation = surrogate.preprocess(validation.momenta, validation.amplitude)
        self._batches = Batches(len(self._target), config.batch_size, config.seed)
        self._optimizer = torch.optim.Adam(surrogate.posterior.parameters(), lr=config.learning_rate)
        self._step = 0
        self._seconds = 0.0
        self._best_loss = math.inf
        self._best_weights = copy.deepcopy(surrogate.posterior.state_dict())
        self._validations_since_best = 0
        if resume and self._checkpoint.exists():
            self._load()
        self._logs = Logs(directory, self._step)

    def run(self, progress: Progress) -> float:
        """Train to the end; the surrogate is left with the weights of the lowest validation loss.

        Returns
        -------
        float
            Seconds spent in training, earlier parts of a resumed run included.
        """
        task = progress.add_task("training", total=self._config.steps, completed=self._step)
        with self._logs:
            self._train(progress, task)
        self._save()
        progress.update(task, completed=self._config.steps)
        self._surrogate.posterior.load_state_dict(self._best_weights)
        return self._seconds

    def _train(self, progress: Progress, task: TaskID) -> None:
        config = self._config
        last_checkpoint = last_time = time.monotonic()
        while self._step < config.steps and not self._out_of_patience():
            loss = self._take_step()
            self._step += 1
            if self._step % config.validation_interval == 0 or self._step == config.steps:
                self._validate(float(loss))
                progress.update(
                    task, completed=self._step, description=f"training, validation loss {self._best_loss:.3f}"
                )
                now = time.monotonic()
                self._seconds += now - last_time
                last_time = now
                if now - last_checkpoint > config.checkpoint_seconds:
                    self._save()
                    last_checkpoint = now

    def _take_step(self) -> torch.Tensor:
        rate = self._learning_rate(self._step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        indices = self._batches.indices(self._step)
        posterior = self._surrogate.posterior
        outputs = posterior(self._features[indices])
        loss = self._surrogate.likelihood.loss(outputs, self._target[indices]).mean()
        self._optimizer.zero_grad(set_to_none=True)
        # The members do not see each other: the sum of their losses has the gradients of each alone.
        (posterior.members * loss).backward()  # type: ignore[no-untyped-call]
        limit = self._config.gradient_clip * math.sqrt(posterior.members)
        torch.nn.utils.clip_grad_norm_(posterior.parameters(), limit)
        self._optimizer.step()
        return loss.detach()

    def _learning_rate(self, step: int) -> float:
        config = self._config
        if step < config.warmup_steps:
            return config.learning_rate * (step + 1) / config.warmup_steps
        fraction = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
        return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * fraction))

    def _validate(self, training_loss: float) -> None:
        with torch.inference_mode():
            features, target = self._validation
            loss = float(self._surrogate.likelihood.loss(self._surrogate.posterior(features), target).mean())
        if not math.isfinite(loss):
            raise PyampError(
                f"training: the validation loss is {loss} at step {self._step}, a finite number expected; "
                "lower learning_rate or check the amplitudes"
            )
        self._validations_since_best += 1
        if loss < self._best_loss:
            self._best_loss = loss
            self._best_weights = copy.deepcopy(self._surrogate.posterior.state_dict())
            self._validations_since_best = 0
        self._logs.write(self._step, training_loss, loss, self._learning_rate(self._step - 1))

    def _out_of_patience(self) -> bool:
        return 0 < self._config.patience <= self._validations_since_best

    def _save(self) -> None:
        state = {
            "identity": self._identity,
            "step": self._step,
            "seconds": self._seconds,
            "best_loss": self._best_loss,
            "best_weights": self._best_weights,
            "validations_since_best": self._validations_since_best,
            "weights": self._surrogate.posterior.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        temporary = self._checkpoint.with_suffix(".tmp")
        torch.save(state, temporary)
        rename_durably(temporary, self._checkpoint)

    def _load(self) -> None:
        try:
            state: dict[str, Any] = torch.load(self._checkpoint, weights_only=True)
        except Exception as error:
            raise PyampError(
                f"{self._checkpoint}: not a readable checkpoint ({type(error).__name__}); "
                "delete it or train without --resume"
            ) from error
        for what, expected in self._identity.items():
            if state["identity"][what] != expected:
                raise PyampError(
                    f"{self._checkpoint}: written with another {what}; give that {what}, or train without --resume"
                )
        self._step = state["step"]
        self._seconds = state["seconds"]
        self._best_loss = state["best_loss"]
        self._best_weights = state["best_weights"]
        self._validations_since_best = state["validations_since_best"]
        self._surrogate.posterior.load_state_dict(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
