"""Groups of options that several commands share: one frozen dataclass for each group."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import wraps
from inspect import Parameter
from typing import Any, get_type_hints

Command = Callable[..., None]


def with_options(parameter: str, group: type[Any]) -> Callable[[Command], Command]:
    """Give a command the options of a group in the place of its `parameter`, a value of the dataclass `group`.

    Typer reads the options of a command from its signature, so the wrapper shows one that lists all fields.
    """

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        hints = get_type_hints(group, include_extras=True)
        defaults = {field.name: None if field.default is MISSING else field.default for field in fields(group)}
        options = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=hints[name])
            for name, default in defaults.items()
        ]

        @wraps(command)
        def wrapper(*arguments: object, **values: object) -> None:
            # The values have the types of the fields: typer has converted them by the same annotations.
            options = group(**{name: values.pop(name, default) for name, default in defaults.items()})
            command(*arguments, **values, **{parameter: options})

        # Parameters of the command come first in the help, then the shared options.
        own = [each for each in signature.parameters.values() if each.name != parameter]
        full = signature.replace(parameters=[*own, *options])
        wrapper.__dict__["__signature__"] = full
        wrapper.__annotations__ = {name: each.annotation for name, each in full.parameters.items()}
        return wrapper

    return decorate
