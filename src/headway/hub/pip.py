"""Asking pip for a wheel: it knows the user's index, mirrors, proxies and credentials.

pip runs as its own process and is only ever told to look up and to download: with `--no-deps` and
`--only-binary` it runs no code of the package, not even its build script.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from headway.errors import ResolveError, nearest
from headway.hub.names import PackageName

__all__ = ["Release", "download", "look_up"]

_STRONG = ("sha512", "sha384", "sha256")
_UNREACHABLE = re.compile(
    r"Retrying \(|Connection ?(refused|reset|aborted|error)|Could not (connect|fetch)|timed out"
    r"|Name or service not known|name resolution|Max retries exceeded|ProxyError|SSLError",
    re.IGNORECASE,
)
# The innermost error of a chain that pip prints as one line.
_CAUSE = re.compile(r"\[Errno[^'\")]*|[Rr]ead timed out|certificate verify failed[^'\")]*")


@dataclass(frozen=True)
class Release:
    """What the index says about the wheel that pip would take.

    Attributes:
        name: normalised.
        version: normalised.
        algorithm: of the hash that the index declares for the file.
        digest: that hash, in hexadecimal.
    """

    name: str
    version: str
    algorithm: str
    digest: str


def look_up(package: PackageName, work: Path) -> Release:
    """The wheel that pip would take for `package`, with the hash its index declares.

    Where the index declares no hash, pip reports the one of the file it received, so that the
    download is at least the same file. Source: the pip documentation, "Installation report".

    Args:
        package: a name, and a version where one is wanted.
        work: a folder for temporary files.

    Raises:
        ResolveError: no pip, no such package, version or wheel, an index out of reach, a weak hash.
    """
    report = work / "report.json"
    wanted = f"{package.name}=={package.version}" if package.version else package.name
    # --dry-run installs nothing; --ignore-installed makes pip ask the index in any case.
    options = ["--dry-run", "--ignore-installed", "--report", str(report), wanted]
    _pip("install", options, package, work)
    (chosen,) = json.loads(report.read_text(encoding="utf-8"))["install"]
    hashes = chosen["download_info"].get("archive_info", {}).get("hashes", {})
    algorithm = next((each for each in _STRONG if each in hashes), None)
    if algorithm is None:
        raise ResolveError(
            f"the index declares only a weak hash for {str(package)!r}: "
            + (", ".join(sorted(hashes)) or "none"),
            allowed="sha256, sha384 or sha512",
        )
    return Release(
        name=canonicalize_name(chosen["metadata"]["name"]),
        version=str(Version(chosen["metadata"]["version"])),
        algorithm=algorithm,
        digest=hashes[algorithm].lower(),
    )


def download(release: Release, work: Path) -> tuple[Path, str]:
    """The wheel's file, once its hash is the declared one, and its SHA-256.

    Raises:
        ResolveError: what arrived is not the file that the index declares.
    """
    package = PackageName(release.name, release.version)
    requirement = work / "requirement.txt"
    requirement.write_text(
        f"{release.name}=={release.version} --hash={release.algorithm}:{release.digest}\n",
        encoding="utf-8",
    )
    folder = work / "download"
    options = ["--require-hashes", "--dest", str(folder), "--requirement", str(requirement)]
    _pip("download", options, package, work)
    wheels = sorted(folder.glob("*"))
    if len(wheels) != 1 or wheels[0].suffix != ".whl":
        raise ResolveError(f"pip brought {[each.name for each in wheels]} for {str(package)!r}")
    with wheels[0].open("rb") as file:
        actual = hashlib.file_digest(file, release.algorithm).hexdigest()
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != release.digest:
        raise _other_hash(package, "")
    return wheels[0], sha256


def _pip(command: str, options: list[str], package: PackageName, work: Path) -> None:
    # -P keeps modules of the current folder from being taken for pip's; the folder stays the
    # current one, because the user's find-links may be relative to it.
    line = [sys.executable, "-P", "-m", "pip", command, "--no-input", "--no-deps"]
    line += ["--only-binary=:all:", "--disable-pip-version-check", *options]
    watched = sys.stderr is not None and sys.stderr.isatty()
    if not watched:
        line += ["--progress-bar", "off"]
    environment = os.environ | {
        "TMPDIR": str(work),  # on the cache's disk, and deleted with the rest
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_REQUIRE_HASHES": "0",
        "PYTHONIOENCODING": "utf-8",
    }
    try:
        ran = subprocess.run(
            line,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr if watched else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise _no_pip(str(error)) from error
    if ran.returncode != 0:
        raise _explained(ran.stderr, package)


def _explained(said: str, package: PackageName) -> ResolveError:
    """pip's message as one of ours."""
    if "No module named pip" in said:
        return _no_pip(f"{sys.executable} has no pip")
    if "DO NOT MATCH THE HASHES" in said:
        return _other_hash(package, said)
    found = re.search(r"\(from versions: ([^)]*)\)", said)
    versions = [each.strip() for each in found[1].split(",")] if found else []
    if versions and versions != ["none"]:
        return ResolveError(
            f"the package index has no wheel {str(package)!r}",
            allowed=", ".join(versions),
            next_step=nearest(package.version or "", versions),
        )
    if _UNREACHABLE.search(said):
        cause = _CAUSE.search(said)
        reason = cause[0] if cause else _last_error(said)
        return ResolveError(
            f"the package index could not be reached for {str(package)!r}: {reason}",
            next_step="check the network and pip's settings (pip config list), then fetch again",
        )
    if versions:
        return ResolveError(
            f"the package index has no wheel of {str(package)!r} for this machine",
            next_step="check spelling and network, and that the package publishes a wheel (.whl)",
        )
    return ResolveError(f"pip could not bring {str(package)!r}: {_last_error(said)}")


def _last_error(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it gave no reason"])[-1]


def _no_pip(reason: str) -> ResolveError:
    return ResolveError(
        f"fetching needs pip: {reason}",
        next_step=f"{sys.executable or 'python'} -m ensurepip --upgrade; or install the package"
        " into this Python by other means, after which its pkg: name is found",
    )


def _other_hash(package: PackageName, said: str) -> ResolveError:
    found = re.search(r"Got\s+([0-9a-f]+)", said)
    got = f" (it has {found[1]})" if found else ""
    return ResolveError(
        f"the file that arrived for {str(package)!r} is not the one that the index declares: "
        f"its hash differs{got}; nothing of it is kept",
        next_step="fetch again; if it differs again, a proxy or mirror is changing the file",
    )
