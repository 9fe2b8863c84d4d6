"""Configurations that are known to work well, by name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pyamp.configuration import load_yaml
from pyamp.errors import PyampError
from pyamp.training.config import TrainingConfig


def available_recipes() -> list[str]:
    """Names of the recipes that come with pyamp."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml"))


def load_config(name_or_path: str | Path) -> TrainingConfig:
    """A recipe by its name, or a configuration from a YAML file.

    Raises
    ------
    PyampError
        Neither, or a file that is no configuration.
    """
    text = str(name_or_path)
    if text in available_recipes():
        return load_yaml(Path(str(resources.files(__name__) / f"{text}.yaml")), TrainingConfig)
    if not Path(text).exists() and not text.endswith((".yaml", ".yml")):
        raise PyampError(
            f"configuration '{text}': neither a file nor a recipe; known recipes: {', '.join(available_recipes())}"
        )
    return load_yaml(text, TrainingConfig)
