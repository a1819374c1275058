"""Finds the file of a tokenizer, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from headway.errors import TokenizerError
from headway.tokenizer.formats.bpe_files import read_bpe_files
from headway.tokenizer.formats.documents import Content
from headway.tokenizer.formats.files import read_object
from headway.tokenizer.formats.gguf import read_gguf
from headway.tokenizer.formats.llama2c import read_llama2c
from headway.tokenizer.formats.sentencepiece import read_sentencepiece
from headway.tokenizer.formats.tiktoken import holds_ranks, read_tiktoken
from headway.tokenizer.formats.tokenizer_json import read_tokenizer_json
from headway.tokenizer.formats.wordpiece_vocab import read_vocab_txt

__all__ = ["FILES", "Found", "find", "holds_tokenizer"]

Reader = Callable[[Path, dict[str, Any]], Content]


def _read_dot_model(path: Path, config: dict[str, Any]) -> Content:
    """SentencePiece's, or Llama 3's, which holds tiktoken's ranks."""
    return (read_tiktoken if holds_ranks(path) else read_sentencepiece)(path, config)


# What is looked for in a folder, in this order; * stands for any beginning of a name.
FILES: dict[str, Reader] = {
    "tokenizer.json": read_tokenizer_json,
    "*vocab.json": read_bpe_files,
    "*encoder.json": read_bpe_files,
    "*.model": _read_dot_model,
    "*.tiktoken": read_tiktoken,
    "*vocab.txt": read_vocab_txt,
    "*.gguf": read_gguf,
    "tok*.bin": read_llama2c,
}


# model_type of a config.json -> the class of its .model, where no file beside it names one.
CLASSES = {
    "albert": "AlbertTokenizer",
    "camembert": "CamembertTokenizer",
    "deberta-v2": "DebertaV2Tokenizer",
    "llama": "LlamaTokenizer",
    "t5": "T5Tokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
}


class Found(NamedTuple):
    """A tokenizer's file, how to read it, and the configuration beside it."""

    path: Path
    reader: Reader
    config: dict[str, Any]

    @property
    def converts(self) -> bool:
        """Whether the file is of another kind than tokenizer.json."""
        return self.reader is not read_tokenizer_json

    def read(self) -> Content:
        """The content, as that of a tokenizer.json."""
        return self.reader(self.path, self.config)


def find(path: Path) -> Found:
    """The tokenizer at a path: a file of a known kind, or a folder with one."""
    if path.is_dir():
        for pattern, reader in FILES.items():
            matches = sorted(path.glob(pattern))
            if matches:
                config = _config(path)
                if reader is _read_dot_model and not config.get("tokenizer_class"):
                    config |= _class_of_model(path)
                return Found(_only(matches, path), reader, config)
        raise TokenizerError(f"{path} has no tokenizer", allowed=", ".join(FILES))
    if not path.is_file():
        raise TokenizerError(f"{path} does not exist", next_step="check the path")
    for pattern, reader in FILES.items():
        if path.match(pattern):
            return Found(path, reader, {})
    if path.suffix == ".json":
        return Found(path, read_tokenizer_json, {})
    if path.suffix in (".bpe", ".txt") and any(n in path.name for n in ("merges", "vocab.bpe")):
        return Found(path, read_bpe_files, {})
    raise TokenizerError(
        f"{path} is no tokenizer's file by its name",
        allowed=f"{', '.join(FILES)}, merges.txt, or a folder with one of them",
    )


def holds_tokenizer(path: Path) -> bool:
    """Whether a folder has a tokenizer's file, or a file is one by its name."""
    if path.is_dir():
        return any(True for pattern in FILES for _ in path.glob(pattern))
    return any(path.match(pattern) for pattern in FILES)


def _only(matches: list[Path], folder: Path) -> Path:
    if len(matches) > 1:
        raise TokenizerError(
            f"{folder} has {len(matches)} tokenizers: {', '.join(m.name for m in matches[:5])}",
            next_step="give the path of one of them",
        )
    return matches[0]


def _config(folder: Path) -> dict[str, Any]:
    """tokenizer_config.json, with the roles of special_tokens_map.json where it names none."""
    config: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            config.update(read_object(folder / name))
    return config


def _class_of_model(folder: Path) -> dict[str, Any]:
    """The tokenizer's class that the model's config.json names, or that its kind of model has."""
    values = read_object(folder / "config.json") if (folder / "config.json").is_file() else {}
    kind = values.get("model_type")
    name = values.get("tokenizer_class") or (CLASSES.get(kind) if isinstance(kind, str) else None)
    return {"tokenizer_class": name} if name else {}
