"""YAML files checked against pydantic models, with errors of one line that name the nearest known key."""

import difflib
import json
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, ValidationError

from pyamp.errors import PyampError


class StrictModel(BaseModel):
    """Base of everything that is read from a file: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=BaseModel)


def read_yaml(path: str | Path, expected: str) -> Any:
    """What a YAML (or JSON) file holds; `expected` says in an error what it should have been.

    Raises
    ------
    PyampError
        If the file is missing, is no text, or no YAML.
    """
    path = Path(path)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise PyampError(f"{path}: cannot read: {reason}; expected {expected}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "malformed"
        raise PyampError(f"{path}: not valid YAML{where}: {problem}") from None


def load_yaml(path: str | Path, model: type[M]) -> M:
    """Read a YAML file as a model.

    Raises
    ------
    PyampError
        If the file is missing, is no YAML mapping, or does not fit the model.
    """
    return validated(read_yaml(path, "a YAML file"), model, str(path))


def validated(data: object, model: type[M], source: str) -> M:
    """Check data against a model; `source` (a file name, say) begins the message of the error."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise PyampError(f"{source}: {_first_complaint(error, model)}") from None


def nearest(name: str, known: list[str]) -> str:
    """The known name most like `name`, for "did you mean"."""
    return max(known, key=lambda k: difflib.SequenceMatcher(None, name.lower(), k.lower()).ratio())


def by_type(default: str) -> Discriminator:
    """Chooses the member of a union of tagged models by its key ``type``, which may be left out."""

    def kind(value: object) -> str | None:
        if isinstance(value, dict):
            return str(value.get("type", default))
        return getattr(value, "type", None)

    return Discriminator(kind)


def explained(model: type[BaseModel]) -> str:
    """A YAML file with every key of a model, its default, and what it means as a comment; it can be loaded as it is."""
    return "\n".join(_explained(model(), indent=0))


def _explained(model: BaseModel, indent: int) -> list[str]:
    lines = []
    pad = "  " * indent
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        about = f"  # {field.description}" if field.description else ""
        kinds = _models_in(field.annotation)
        if isinstance(value, BaseModel):
            lines.append(f"{pad}{name}:{about}")
            lines += _explained(value, indent + 1)
        else:
            allowed = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
            choices = f"  # one of {', '.join(map(str, allowed))}" if len(allowed) > 1 else ""
            lines.append(f"{pad}{name}: {json.dumps(value)}{choices or about}")
        for kind in kinds:
            if not isinstance(value, kind):
                lines.append(f"{pad}  # or, {(kind.__doc__ or '').splitlines()[0]}")
                lines += [f"{pad}  #   {line}" for line in _explained(kind(), indent=0)]
    return lines


def _first_complaint(error: ValidationError, model: type[BaseModel]) -> str:
    complaints = error.errors(include_url=False)
    # A misspelt key also makes its right spelling missing: the misspelling is what helps.
    first = next((c for c in complaints if c["type"] == "extra_forbidden"), complaints[0])
    path, model = _walk(model, first["loc"])
    key = ".".join(path)
    more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = list(model.model_fields)
        guess = nearest(str(first["loc"][-1]), known)
        return f"unknown key '{key}'; did you mean '{guess}'? Known: {', '.join(known)}{more}"
    if first["type"] == "union_tag_invalid":
        expected = first["ctx"]["expected_tags"].replace("'", "")
        guess = nearest(first["ctx"]["tag"], expected.split(", "))
        return f"key '{key}.type' is '{first['ctx']['tag']}'; did you mean '{guess}'? Known: {expected}{more}"
    if first["type"] == "union_tag_not_found":
        return f"key '{key}' is {_short(first['input'])}; keys and values expected{more}"
    if first["type"] == "missing":
        return f"key '{key}' is missing{more}"
    if first["type"] == "value_error":
        at = f"{key}: " if key else ""
        return f"{at}{first['msg'].removeprefix('Value error, ')}{more}"
    expected = first["msg"][0].lower() + first["msg"][1:]
    at = f"key '{key}'" if key else "the whole"
    return f"{at} is {_short(first['input'])}; {expected}{more}"


def _walk(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[list[str], type[BaseModel]]:
    """The keys of a location as they stand in the file, and the model that its last key belongs to."""
    path: list[str] = []
    inner: list[type[BaseModel]] = [model]
    for part in location:
        tagged = [m for m in inner if "type" in m.model_fields and m.model_fields["type"].default == part]
        if len(inner) > 1 and tagged:  # the member of a union, which the file does not name as a key
            inner = tagged
            continue
        path.append(str(part))
        if isinstance(part, int) or not inner:  # an element of a list
            continue
        model = inner[0]
        field = model.model_fields.get(part)
        inner = [] if field is None else _models_in(field.annotation)
    return path, model


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
