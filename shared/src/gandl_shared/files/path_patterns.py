"""Expressions over paths that take a time proportional to the length of the path, whatever somebody writes into them.

Python's `re` tries every way to divide a text among its wildcards, which takes half a minute for eight of them in one
file name. RE2 follows all ways at once and finds the same match, but a search by it costs more to start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import re2

MAX_WILDCARDS = 2
"""So many parts of any length in one component of a path are left to `re`, whose time is then quadratic at most."""
MAX_PATH = 4096
"""The longest path that is matched, in characters; no system of files has longer ones."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of a pattern: an expression, the name of its group (none: it is only matched), and whether it may have
    any length."""

    expression: str
    name: str | None = None
    is_wildcard: bool = False


@dataclass(frozen=True)
class PathPattern:
    """Parts that together match the end of a path, from the beginning of one of its components, in any case of letters
    unless `match_case`. A name that repeats must have the same text each time."""

    parts: tuple[Part, ...]
    match_case: bool = False

    def search(self, path: str) -> dict[str, str] | None:
        """Return the texts of the groups by name, or None for a path that does not match."""
        if len(path) > MAX_PATH:
            return None
        if self._is_simple:
            match = self._backtracking.search(path)
            return None if match is None else match.groupdict()
        try:
            path.encode()
        except UnicodeEncodeError:
            return None  # RE2 takes no names that are no Unicode
        return _linear_search(self, path)

    @cached_property
    def _is_simple(self) -> bool:
        """True where no component of a path is divided among more than MAX_WILDCARDS parts of any length."""
        counts = [0]
        for part in self.parts:
            counts[-1] += part.is_wildcard
            if "/" in part.expression and not part.is_wildcard:
                counts.append(0)
        return max(counts) <= MAX_WILDCARDS

    @cached_property
    def _backtracking(self) -> re.Pattern[str]:
        names: set[str] = set()
        pieces = []
        for part in self.parts:
            pieces.append(_repeatable(part, part.name in names))
            names.add(part.name or "")
        return re.compile(_whole(pieces), 0 if self.match_case else re.IGNORECASE)


def _repeatable(part: Part, repeats: bool) -> str:
    if part.name is None:
        return part.expression
    return f"(?P={part.name})" if repeats else f"(?P<{part.name}>{part.expression})"


def _linear_search(pattern: PathPattern, path: str) -> dict[str, str] | None:
    groups = _groups(pattern, path, {})
    if groups is None or _agree(groups):
        return None if groups is None else _firsts(groups)
    # RE2 cannot ask for the same text again, so the text of the first is looked for in the places of the others.
    groups = _groups(pattern, path, _firsts(groups))
    return None if groups is None else _firsts(groups)


def _groups(pattern: PathPattern, path: str, texts: Mapping[str, str]) -> Sequence[tuple[str, str]] | None:
    """Return the text of each group in the order of the parts; those that repeat are looked for as `texts`."""
    names = [part.name for part in pattern.parts if part.name is not None]
    pieces = []
    for position, part in enumerate(pattern.parts):
        earlier = {other.name for other in pattern.parts[:position]}
        text = texts.get(part.name) if part.name is not None and part.name in earlier else None
        expression = part.expression if text is None else re2.escape(text)
        pieces.append(expression if part.name is None else f"({expression})")
    match = _compiled(_whole(pieces), pattern.match_case).search(path)
    return None if match is None else list(zip(names, match.groups(), strict=True))


def _agree(groups: Sequence[tuple[str, str]]) -> bool:
    first = _firsts(groups)
    return all(first[name].lower() == text.lower() for name, text in groups)


def _firsts(groups: Sequence[tuple[str, str]]) -> dict[str, str]:
    return dict(reversed(groups))


def _whole(pieces: Sequence[str]) -> str:
    return f"(?:^|/){''.join(pieces)}$"


@lru_cache(maxsize=256)
def _compiled(expression: str, match_case: bool) -> Any:  # Any: RE2 has no types
    return re2.compile(expression if match_case else f"(?i){expression}")
