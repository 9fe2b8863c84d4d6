"""YAML files checked against pydantic models, with errors of one line that name the nearest known key."""

import difflib
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pyamp.errors import PyampError


class StrictModel(BaseModel):
    """Base of everything that is read from a file: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=BaseModel)


def load_yaml(path: str | Path, model: type[M]) -> M:
    """Read a YAML file as a model.

    Raises
    ------
    PyampError
        If the file is missing, is no YAML mapping, or does not fit the model.
    """
    path = Path(path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise PyampError(f"{path}: cannot read: {reason}; expected a YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "malformed"
        raise PyampError(f"{path}: not valid YAML{where}: {problem}") from None
    return validated(data, model, str(path))


def validated(data: object, model: type[M], source: str) -> M:
    """Check data against a model; `source` (a file name, say) begins the message of the error."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise PyampError(f"{source}: {_first_complaint(error, model)}") from None


def nearest(name: str, known: list[str]) -> str:
    """The known name most like `name`, for "did you mean"."""
    return max(known, key=lambda k: difflib.SequenceMatcher(None, name.lower(), k.lower()).ratio())


def _first_complaint(error: ValidationError, model: type[BaseModel]) -> str:
    complaints = error.errors(include_url=False)
    # A misspelt key also makes its right spelling missing: the misspelling is what helps.
    first = next((c for c in complaints if c["type"] == "extra_forbidden"), complaints[0])
    key = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, first["loc"][:-1])
        guess = nearest(str(first["loc"][-1]), known)
        return f"unknown key '{key}'; did you mean '{guess}'? Known: {', '.join(known)}{more}"
    if first["type"] == "missing":
        return f"key '{key}' is missing{more}"
    if first["type"] == "value_error":
        at = f"{key}: " if key else ""
        return f"{at}{first['msg'].removeprefix('Value error, ')}{more}"
    expected = first["msg"][0].lower() + first["msg"][1:]
    at = f"key '{key}'" if key else "the whole"
    return f"{at} is {_short(first['input'])}; {expected}{more}"


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:  # an element of a list or dictionary
            continue
        annotation: Any = field.annotation
        for candidate in (annotation, *get_args(annotation)):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return list(model.model_fields)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
