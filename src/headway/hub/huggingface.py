"""Models and data sets of a hub: huggingface_hub does the transport, this says what to ask for.

The library's own settings hold: `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN` and
`HF_HUB_OFFLINE`. It is imported only when a name begins with `hf://`.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from headway.errors import InputError, OutputError, ResolveError, nearest
from headway.hub.folders import listed
from headway.hub.names import HubName
from headway.hub.wheels import DATA_SUFFIXES

__all__ = ["data_snapshot", "model_snapshot"]

# What a model folder is made of, without weights. Patterns are fnmatch's: '*' matches '/', too.
MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "source.spm",
    "target.spm",
    "chat_template.jinja",
    "preprocessor_config.json",
    "processor_config.json",
    "modules.json",
    "*sentence_*.json",  # sentence_bert_config.json, config_sentence_transformers.json
    "*/config.json",
    "README.md",
    "LICENSE*",
)
SAFETENSORS = (
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
    "[0-9]*_*/model.safetensors",  # a module of sentence-transformers, such as 2_Dense
)
TORCH_WEIGHTS = (
    "pytorch_model.bin",
    "pytorch_model-*-of-*.bin",
    "pytorch_model.bin.index.json",
    "[0-9]*_*/pytorch_model.bin",
)
OTHER_WEIGHTS = (
    *("flax_model.msgpack", "flax_model-*-of-*.msgpack", "flax_model.msgpack.index.json"),
    *("tf_model.h5", "tf_model-*-of-*.h5", "tf_model.h5.index.json"),
)
WEIGHTS = (SAFETENSORS, TORCH_WEIGHTS, OTHER_WEIGHTS)
"""Patterns of weight files, in the order in which they are asked for."""

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENOTDIR)
DATA_FILES = (*(f"*{suffix}" for suffix in sorted(DATA_SUFFIXES)), "LICENSE*")


def model_snapshot(name: HubName) -> Path:
    """The folder of a hub's model: configs, tokenizer, README, and the first of WEIGHTS there is.

    Raises:
        ResolveError: a data set's name; no such repository or revision, no access, no network, no
            copy in the cache while offline; no config.json or no weights in the repository.
    """
    if name.kind != "model":
        raise ResolveError(
            f"{str(name)!r} is a data set's name", allowed="hf://org/name[@revision]"
        )
    for patterns in WEIGHTS:
        folder = _snapshot(name, (*MODEL_FILES, *patterns))
        # A module's weights alone, in a folder of its own, are not the model's.
        if any(True for name in patterns if "/" not in name for _ in folder.glob(name)):
            break
    else:
        names = ", ".join(patterns[0] for patterns in WEIGHTS)
        raise _lacks(name, f"weights ({names} or tf_model.h5)")
    if not (folder / "config.json").is_file():
        raise _lacks(name, "config.json")
    return folder


def data_snapshot(name: HubName) -> Path:
    """The folder of a hub's data set, or the file or folder in it at the name's path.

    Only data files are downloaded, no scripts.

    Raises:
        ResolveError: a model's name; no such repository, revision or path, no access, no network,
            no copy in the cache while offline.
    """
    if name.kind != "dataset":
        raise ResolveError(
            f"{str(name)!r} is a model's name",
            allowed="hf://datasets/org/name[@revision][/path]",
            next_step=f"hf://datasets/{name.repo}",
        )
    patterns = (_literal(name.path), _literal(name.path) + "/*") if name.path else DATA_FILES
    found = _snapshot(name, patterns) / name.path
    if not found.exists():
        raise _lacks(name.whole, name.path)
    return found


def _snapshot(name: HubName, patterns: Sequence[str]) -> Path:
    """The local folder of the repository's files that match `patterns`."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import tqdm as progress_bar

    class Silent(progress_bar):
        """The library's progress bar, not shown."""

        def __init__(self, *args: object, **options: object) -> None:
            options["disable"] = True
            super().__init__(*args, **options)  # type: ignore[no-untyped-call]  # theirs is untyped

    try:
        return Path(
            snapshot_download(
                name.repo,
                repo_type=name.kind,
                revision=name.revision,
                allow_patterns=list(patterns),
                endpoint=_endpoint(),
                cache_dir=_cache(),
                local_files_only=_offline(),
                tqdm_class=None if sys.stderr.isatty() else Silent,
            )
        )
    except Exception as error:  # the library lets its transport's own exceptions through, too
        raise _explained(error, name) from error


def _explained(error: Exception, name: HubName) -> InputError:
    """The library's exception as one of ours."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    hub = _endpoint() or "the hub"
    match error:
        case GatedRepoError():  # a RepositoryNotFoundError, too
            return ResolveError(
                f"{str(name)!r} is gated: its owners have not given you access",
                next_step="ask for access on its page, then set HF_TOKEN to a token of yours",
            )
        case RepositoryNotFoundError():
            return ResolveError(
                f"{hub} has no {name.kind} {name.repo!r}, or shows it only to some",
                next_step="check the spelling; for a private one set HF_TOKEN",
            )
        case RevisionNotFoundError():
            return ResolveError(
                f"{name.repo!r} has no revision {name.revision!r}",
                allowed="a branch, a tag or a commit",
                next_step=f"leave out @{name.revision} for the newest",
            )
        case LocalEntryNotFoundError() if _offline():
            return ResolveError(
                f"{str(name)!r} is not in the hub cache, and HF_HUB_OFFLINE forbids downloading",
                next_step="unset HF_HUB_OFFLINE once, or name a folder",
            )
        case HFValidationError():
            return ResolveError(f"{str(name)!r} is not a hub's name: {error}")
        case OSError(errno=number) if number in _DISK_ERRORS:
            return OutputError(f"the hub cache cannot be written: {error}")
    cause = error.__cause__ or error
    reason = next(filter(str.strip, str(cause).splitlines()), type(cause).__name__).strip()
    return ResolveError(
        f"{hub} did not deliver {str(name)!r}: {reason}",
        next_step="check the network, HF_ENDPOINT and HF_TOKEN, or name a folder on this machine",
    )


def _lacks(name: HubName, what: str) -> ResolveError:
    from huggingface_hub import HfApi

    files: list[str] = []
    if not _offline():
        # The error to be shown counts, not why its list of files is missing.
        with suppress(Exception):
            api = HfApi(endpoint=_endpoint())
            files = api.list_repo_files(name.repo, revision=name.revision, repo_type=name.kind)
    return ResolveError(
        f"{str(name)!r} has no {what}" + (f"; it has {listed(files)}" if files else ""),
        next_step=nearest(what, files),
    )


def _literal(path: str) -> str:
    """`path` as an fnmatch pattern that matches only itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


# The library reads these once, at its import, which another library may have caused earlier.
def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _cache() -> Path | None:
    if own := os.environ.get("HF_HUB_CACHE"):
        return Path(own).expanduser()
    home = os.environ.get("HF_HOME")
    return Path(home).expanduser() / "hub" if home else None


def _offline() -> bool:
    said = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return said.upper() in ("1", "ON", "YES", "TRUE")
