"""A tokenizer for another process: the contents of its files go there, and are read again."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from headway.tokenizer.formats.folder import find
from headway.tokenizer.reference import Pipeline
from headway.tokenizer.sentencepiece_models import SpmModels

__all__ = ["Contents", "contents_of", "steps_in"]


class Contents(NamedTuple):
    """All that a tokenizer is made of.

    Attributes:
        document: its tokenizer.json, as JSON.
        config: its tokenizer_config.json, as JSON.
        converted: whether it was read from another kind of file.
        files: name -> content of SentencePiece's files, where its steps are those.
    """

    document: str
    config: str
    converted: bool
    files: tuple[tuple[str, bytes], ...]


def contents_of(
    document: dict[str, Any], steps: Pipeline, config: dict[str, Any], *, converted: bool
) -> Contents:
    """The contents of a tokenizer's files."""
    files: tuple[tuple[str, bytes], ...] = ()
    if isinstance(steps.model, SpmModels):
        from headway.tokenizer.formats.export import WRITERS  # which imports all writers

        files = tuple(WRITERS["sentencepiece"](document, steps, config).items())
    return Contents(json.dumps(document), json.dumps(config), converted, files)


def steps_in(contents: Contents) -> tuple[dict[str, Any], Pipeline]:
    """The document, and the steps that were the tokenizer's."""
    document = json.loads(contents.document)
    if not contents.files:
        return document, Pipeline.from_document(document)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.files:
            (Path(folder) / name).write_bytes(content)
        steps = find(Path(folder)).read().pipeline
    return document, steps or Pipeline.from_document(document)
