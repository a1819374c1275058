"""JSON files of a model folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headway.errors import CheckpointError

__all__ = ["read_json", "read_object", "write_json"]


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        CheckpointError: no such file, or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise CheckpointError(f"{path} is nested too deeply") from None
    except ValueError as error:
        raise CheckpointError(
            f"{path} is not JSON: {error}", next_step="copy or download it again"
        ) from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None


def read_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        CheckpointError: no such file, not JSON, or not an object.
    """
    values = read_json(path)
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} holds a {type(values).__name__}", allowed="a JSON object")
    return values


def write_json(path: Path, values: Any) -> None:
    """Writes a JSON file; characters beyond ASCII are escaped, so that any string can be stored."""
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="ascii")
