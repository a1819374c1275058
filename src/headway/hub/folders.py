"""Models and data that already lie in a folder of this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from headway.errors import ResolveError, nearest

__all__ = ["FOUND_FILES", "MODEL_FILES", "data_at", "listed", "model_at"]

MODEL_FILES = (
    *(".bin", ".bin.gz", ".gguf", ".safetensors"),
    *(".txt", ".txt.gz", ".vec", ".vec.gz"),
)
"""Endings of files that can hold a whole model, or word vectors, where they are named."""

FOUND_FILES = (".gguf", ".safetensors")
"""Those of them that are looked for in a package without a folder of a model."""

DESCRIPTIONS = (
    *("config.json", "modules.json", "albert_config.json", "bert_config.json"),
    "adapter_config.json",
)
"""The files that make a folder a model's; the second alone for word vectors, the next ones in
ALBERT's and BERT's first releases, the last one for what was learned beside another model."""


def model_at(path: Path) -> Path:
    """`path`, once it is known to be a folder with a config.json, or a file with a whole model.

    A folder without config.json stands for the one such file in it.

    Raises:
        ResolveError: nothing there, another file, or a folder with neither or with several.
    """
    if not path.exists():
        raise _nothing_at(path, "model")
    if not path.is_dir():
        part = path.suffix in (".bin", ".safetensors") and _described(path.parent)
        if path.name.endswith(MODEL_FILES) and not part:
            return path
        raise ResolveError(
            f"{str(path)!r} is a file",
            allowed=f"a folder with config.json, or a file with a model ({', '.join(MODEL_FILES)})",
            next_step=f"name its folder, {str(path.parent)!r}" if _described(path.parent) else "",
        )
    if not _described(path):
        files = sorted(child for child in path.iterdir() if child.suffix == ".gguf")
        if len(files) == 1:
            return files[0]
        inner = sorted(child.parent for child in path.glob("*/config.json"))
        raise ResolveError(
            f"no config.json in {str(path)!r}, which holds {listed(_children(path))}",
            allowed="a folder with config.json and weights",
            next_step="one of its folders has one: " + listed(map(str, inner)) if inner else "",
        )
    return path


def _described(folder: Path) -> bool:
    return any((folder / name).is_file() for name in DESCRIPTIONS)


def data_at(path: Path) -> Path:
    """`path`, once it is known to be a file or folder.

    Raises:
        ResolveError: nothing is there.
    """
    if not path.exists():
        raise _nothing_at(path, "data")
    return path


def listed(names: Iterable[str], most: int = 12) -> str:
    """The first names, comma-separated, and how many more there are; `nothing` if there are none.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    all_names = list(names)
    more = f" and {len(all_names) - most} more" if len(all_names) > most else ""
    return (", ".join(all_names[:most]) or "nothing") + more


def _children(folder: Path) -> list[str]:
    return sorted(child.name + ("/" if child.is_dir() else "") for child in folder.iterdir())


def _nothing_at(path: Path, what: str) -> ResolveError:
    # The deepest folder that exists tells the user which part of the path is wrong.
    parent = next(folder for folder in path.absolute().parents if folder.is_dir())
    wrong = path.absolute().relative_to(parent).parts[0]
    steps = [nearest(wrong, [child.name for child in parent.iterdir()])]
    if not path.is_absolute() and len(path.parts) <= 2:
        hub = "hf://datasets/" if what == "data" else "hf://"
        steps.append(f"for a hub's {what} write {hub}{path.as_posix()}, for a package's pkg:NAME")
    return ResolveError(
        f"no file or folder {str(path)!r} (nothing named {wrong!r} in {str(parent)!r})",
        next_step="; ".join(filter(None, steps)),
    )
