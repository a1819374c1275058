"""Writes a tokenizer in a format other than tokenizer.json, or refuses what the format cannot say.

What was written is read again before it is put into its place, and has to be equivalent.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headway.errors import OutputError, TokenizerError, nearest
from headway.ggml.writing import written_container
from headway.tokenizer.formats.bpe_files import write_bpe_files
from headway.tokenizer.formats.documents import Document
from headway.tokenizer.formats.equivalence import difference
from headway.tokenizer.formats.files import CONFIG, written_json
from headway.tokenizer.formats.folder import find
from headway.tokenizer.formats.gguf_vocabulary import gguf_values
from headway.tokenizer.formats.tiktoken import write_tiktoken
from headway.tokenizer.formats.wordpiece_vocab import write_vocab_txt
from headway.tokenizer.reference import Pipeline
from headway.tokenizer.roles import ROLES
from headway.tokenizer.sentencepiece_models import SpmModels

__all__ = ["WRITERS", "export"]

Files = dict[str, bytes]


def _write_sentencepiece(document: Document, pipeline: Pipeline, config: Document) -> Files:
    if not isinstance(pipeline.model, SpmModels):
        raise TokenizerError(
            "a .model is written of what was read from one, or from a GGUF of its kind",
            next_step="choose another format: a tokenizer.json cannot say all that a .model says",
        )
    said = config.get("tokenizer_class")
    in_text = bool(pipeline.added.raw)
    around = document.get("post_processor") or {"single": []}
    places = ["Sequence" if "Sequence" in slot else "Special" for slot in around["single"]]
    own: Document = {
        "add_bos_token": places[:1] == ["Special"],
        "add_eos_token": places[-1:] == ["Special"],
        **{name: config[name] for name in ("extra_ids",) if name in config},
    }
    if in_text:
        own["tokenizer_class"] = said or "LlamaTokenizer"
    return {"tokenizer.model": pipeline.model.model.to_bytes(), CONFIG: written_json(own)}


def _write_gguf(document: Document, pipeline: Pipeline, config: Document) -> Files:
    """A vocabulary alone, as ggml's programs have them for tests of tokenizers."""
    values = gguf_values(document, pipeline, config)
    content = written_container({"general.architecture": "llama", **values})
    return {"tokenizer.gguf": content, CONFIG: written_json({})}


def _of_document(write: Callable[[Document], Files]) -> Writer:
    return lambda document, pipeline, config: write(document)


Writer = Callable[[Document, Pipeline, Document], Files]

WRITERS: dict[str, Writer] = {
    "bpe": _of_document(write_bpe_files),
    "gguf": _write_gguf,
    "sentencepiece": _write_sentencepiece,
    "tiktoken": _of_document(write_tiktoken),
    "wordpiece": _of_document(write_vocab_txt),
}
"""Format -> what writes its files."""


def export(
    document: Document, pipeline: Pipeline, config: Document, folder: Path, format: str
) -> list[Path]:
    """Writes a tokenizer into a folder, which is made if need be, whole or not at all.

    Args:
        document: the content of its tokenizer.json.
        pipeline: its steps.
        config: what its tokenizer_config.json says, roles of tokens included.
        folder: where to.
        format: one of `WRITERS`.

    Returns:
        The files.
    """
    if format not in WRITERS:
        raise TokenizerError(
            f"no format {format!r:.40} {nearest(format, WRITERS)}".rstrip(),
            allowed=", ".join(WRITERS),
        )
    files = WRITERS[format](document, pipeline, config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
    except OSError as error:
        raise _not_writable(folder, error) from error
    try:
        for name, content in files.items():
            (made / name).write_bytes(content)
        _refuse_other(document, pipeline, made, format)
        _add_roles(made / CONFIG, files[CONFIG], config)
        return [path.replace(folder / path.name) for path in sorted(made.iterdir())]
    except OSError as error:
        raise _not_writable(folder, error) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _refuse_other(document: Document, pipeline: Pipeline, made: Path, format: str) -> None:
    """An error where files say something else than the tokenizer does."""
    try:
        read = find(made).read()
    except TokenizerError as error:
        reason = str(error).replace(f"{made}/", "")
        raise TokenizerError(f"the format {format} cannot say this tokenizer: {reason}") from error
    part = difference(document, read.document)
    if part is None and read.pipeline is not None and not _same_spm(pipeline, read.pipeline):
        part = "model"
    if part is not None:
        raise TokenizerError(
            f"the format {format} cannot say this tokenizer: its {part} is "
            f"{_short(document.get(part))}, and would be {_short(read.document.get(part))}",
            next_step="save it as tokenizer.json, which says everything, or choose another format",
        )


def _same_spm(ours: Pipeline, theirs: Pipeline) -> bool:
    same_text = ours.added.raw.keys() == theirs.added.raw.keys()
    a, b = ours.model, theirs.model
    return (
        same_text and isinstance(a, SpmModels) and isinstance(b, SpmModels) and a.model == b.model
    )


def _short(value: Any) -> str:
    if isinstance(value, dict) and "vocab" in value:
        value = {name: field for name, field in value.items() if name not in ("vocab", "merges")}
    shown = str(value)
    return shown if len(shown) <= 150 else shown[:147] + "..."


def _add_roles(path: Path, written: bytes, config: Document) -> None:
    names = (*(f"{role}_token" for role in ROLES), "model_max_length")
    said = {name: config[name] for name in names if name in config}
    path.write_bytes(written_json({**json.loads(written), **said}))


def _not_writable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{folder} cannot be written: {error.strerror or error}", next_step="choose another folder"
    )
