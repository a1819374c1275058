"""Models and data sets of a hub: huggingface_hub does the transport, this says what to ask for.

The library's own settings hold: `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN` and
`HF_HUB_OFFLINE`. It is imported only when a name begins with `hf://`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from headway.errors import ResolveError, nearest
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
DATA_FILES = (*(f"*{suffix}" for suffix in sorted(DATA_SUFFIXES)), "LICENSE*")


def model_snapshot(name: HubName) -> Path:
    """The folder of a hub's model: configs, tokenizer, README, and safetensors else torch weights.

    Raises:
        ResolveError: a data set's name; no such repository or revision, no access, no network, no
            copy in the cache while offline; no config.json or no weights in the repository.
    """
    if name.kind != "model":
        raise ResolveError(
            f"{str(name)!r} is a data set's name", allowed="hf://org/name[@revision]"
        )
    folder = _snapshot(name, (*MODEL_FILES, *SAFETENSORS))
    if not any(folder.glob("model*.safetensors")):
        folder = _snapshot(name, (*MODEL_FILES, *TORCH_WEIGHTS))
    has_weights = any(folder.glob("model*.safetensors")) or any(folder.glob("pytorch_model*.bin"))
    if not has_weights or not (folder / "config.json").is_file():
        lacks = (
            "weights (model.safetensors or pytorch_model.bin)"
            if (folder / "config.json").is_file()
            else "config.json"
        )
        raise ResolveError(f"{str(name)!r} has no {lacks}; it has {listed(_files_of(name))}")
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
        files = _files_of(name)
        raise ResolveError(
            f"{str(name)!r} leads to nothing; the data set has {listed(files)}",
            next_step=nearest(name.path, files),
        )
    return found


def _snapshot(name: HubName, patterns: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    endpoint = _endpoint()
    hub = endpoint or "the hub"
    try:
        return Path(
            snapshot_download(
                name.repo,
                repo_type=name.kind,
                revision=name.revision,
                allow_patterns=list(patterns),
                endpoint=endpoint,
                cache_dir=_cache(),
                local_files_only=_offline(),
            )
        )
    except GatedRepoError as error:
        raise ResolveError(
            f"{str(name)!r} is gated: its owners have not given you access",
            next_step="ask for access on its page, then set HF_TOKEN to a token of that account",
        ) from error
    except RepositoryNotFoundError as error:
        raise ResolveError(
            f"{hub} has no {name.kind} {name.repo!r}, or shows it only to some",
            next_step="check the spelling; for a private one set HF_TOKEN",
        ) from error
    except RevisionNotFoundError as error:
        raise ResolveError(
            f"{name.repo!r} has no revision {name.revision!r}",
            allowed="a branch, a tag or a commit",
            next_step=f"leave out @{name.revision} for the newest",
        ) from error
    except LocalEntryNotFoundError as error:
        if _offline():
            raise ResolveError(
                f"{str(name)!r} is not in the hub cache, and HF_HUB_OFFLINE forbids downloading",
                next_step="unset HF_HUB_OFFLINE once, or name a folder",
            ) from error
        raise _unreachable(name, hub, error) from error
    except HFValidationError as error:
        raise ResolveError(f"{str(name)!r} is not a hub's name: {error}") from error
    except (HfHubHTTPError, OSError) as error:
        raise _unreachable(name, hub, error) from error


def _files_of(name: HubName) -> list[str]:
    """The repository's files, for an error message; empty if the hub cannot say."""
    from huggingface_hub import HfApi

    if _offline():
        return []
    try:
        api = HfApi(endpoint=_endpoint())
        return api.list_repo_files(name.repo, revision=name.revision, repo_type=name.kind)
    except (OSError, ValueError):
        return []


def _unreachable(name: HubName, hub: str, error: Exception) -> ResolveError:
    cause = error.__cause__ or error
    reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    return ResolveError(
        f"{hub} could not be reached for {str(name)!r}: {reason}",
        next_step="check the network and HF_ENDPOINT, or name a folder on this machine",
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
