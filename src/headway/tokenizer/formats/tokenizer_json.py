"""tokenizer.json: the format of the `tokenizers` package, which holds a whole pipeline.

Its settings for truncation and padding are set aside when it is read and when it is written:
Headway shortens and fills up nothing unless it is asked to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.formats.documents import Content
from headway.tokenizer.formats.files import read_object

__all__ = ["read_tokenizer_json"]


def read_tokenizer_json(path: Path, config: dict[str, Any]) -> Content:
    """The content of the file, with truncation and padding switched off."""
    content = read_object(path)
    if "model" not in content:
        raise TokenizerError(
            f"{path} has no field 'model', so it is no tokenizer.json",
            next_step="give a tokenizer.json, vocab.txt, vocab.json with merges.txt, or .model",
        )
    if content.get("version", "1.0") != "1.0":
        raise TokenizerError(f"{path} is of version {content['version']!r:.40}", allowed="'1.0'")
    return Content({**content, "truncation": None, "padding": None})
