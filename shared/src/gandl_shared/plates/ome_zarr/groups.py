"""The groups of an OME-Zarr: their attributes in Zarr 2 (NGFF 0.4) and Zarr 3 (NGFF 0.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gandl_shared.errors import InvalidImage
from gandl_shared.files.keys import KeyedFiles, check_key, parse_json, read_text

VERSIONS = {2: "0.4", 3: "0.5"}
"""The version of NGFF by the format of Zarr that it is stored in."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The OME attributes of a group, and the format of Zarr (2 or 3) that they were stored in."""

    path: str
    zarr_format: int
    attributes: Mapping[str, Any]  # Any: JSON of a file

    def member(self, path: str) -> str:
        """Return the path of a member of this group. Raises InvalidImage if it leads out of the group."""
        return join(self.path, check_key(path, self.path or "the root"))


def join(path: str, name: str) -> str:
    """Return the path of `name` below `path`, which is empty for the root."""
    return f"{path}/{name}" if path else name


def read_group(files: KeyedFiles, path: str) -> Group | None:
    """Return a group, or None if there is none at `path` (empty for the root). Raises InvalidImage for bad JSON."""
    key = join(path, "zarr.json")
    content = read_text(files, key)
    if content is not None:
        document = parse_json(content, key, files.label)
        if document.get("zarr_format") != 3 or document.get("node_type") != "group":
            return None
        attributes = entry(document, "attributes", dict, f"{key} in {files.label}", {})
        return Group(path=path, zarr_format=3, attributes=entry(attributes, "ome", dict, key, {}))
    key = join(path, ".zattrs")
    content = read_text(files, key)
    if content is None:
        return None
    return Group(path=path, zarr_format=2, attributes=parse_json(content, key, files.label))


def check_version(group: Group, stated: Mapping[str, Any], label: str) -> None:
    """Raise InvalidImage if the metadata are of a version that gandl does not read."""
    version = group.attributes.get("version") if group.zarr_format == 3 else stated.get("version", VERSIONS[2])
    if version != VERSIONS[group.zarr_format]:
        detail = f"{group.path or 'the root'} of {label} is OME-Zarr {version} in Zarr {group.zarr_format}"
        raise InvalidImage(f"{detail}; gandl reads 0.4 in Zarr 2 and 0.5 in Zarr 3")


def entry(
    document: Mapping[str, Any], name: str, kind: type | tuple[type, ...], where: str, default: Any = None
) -> Any:
    """Return a value of a JSON object. Raises InvalidImage if it is of another kind, or absent without a default."""
    value = document.get(name, default)
    if not isinstance(value, kind) or isinstance(value, bool):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(each.__name__ for each in kinds)
        raise InvalidImage(f"{where} has no {name} of type {names} (it has {str(value)[:60]}); export the plate again")
    return value


def objects(document: Mapping[str, Any], name: str, where: str, default: Any = None) -> Sequence[Mapping[str, Any]]:
    """Return a list of JSON objects. Raises InvalidImage if it is something else."""
    values = entry(document, name, list, where, default)
    if not all(isinstance(value, dict) for value in values):
        raise InvalidImage(f"{where} has no list of objects under {name}; export the plate again")
    return list(values)
