"""A hub on the loopback: the endpoints that huggingface_hub's snapshot_download asks."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Repo:
    """A repository.

    Attributes:
        revisions: the commit of each branch and tag.
        commits: the files of each commit.
        token: who may see it; anyone if None.
        gated: whether everyone sees that it exists, but only `token` gets its files.
    """

    revisions: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    token: str | None = None
    gated: bool = False


class FakeHub:
    """A hub; `requests` are the methods and paths that were asked, `broken` answers 500."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.broken = False
        self._repos: dict[str, Repo] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(body=True)

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def _answer(self, *, body: bool) -> None:
                path = unquote(urlsplit(self.path).path)
                hub.requests.append(f"{self.command} {path}")
                status, headers, data = hub._answer(path, self.headers.get("Authorization"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def add(
        self,
        repo: str,
        files: Mapping[str, bytes],
        *,
        kind: str = "models",
        revision: str = "main",
        token: str | None = None,
        gated: bool = False,
    ) -> str:
        """Adds a commit to a repository and returns its hash."""
        each = self._repos.setdefault(f"{kind}/{repo}", Repo(token=token, gated=gated))
        commit = hashlib.sha1(repr((repo, sorted(files.items()))).encode()).hexdigest()
        each.revisions[revision] = commit
        each.commits[commit] = dict(files)
        return commit

    def downloaded(self) -> set[str]:
        """The files whose bytes were sent."""
        gets = [each for each in self.requests if each.startswith("GET ") and "/resolve/" in each]
        return {each.split("/resolve/")[1].split("/", 1)[1] for each in gets}

    def close(self) -> None:
        """Stops serving; the port refuses from now on."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        if self.broken:
            return 500, {}, b""
        api = re.fullmatch(
            r"/api/(models|datasets)/([\w.-]+/[\w.-]+|[\w.-]+)(?:/(revision|tree)/(.+))?", path
        )
        file = re.fullmatch(r"/(datasets/)?([\w.-]+(?:/[\w.-]+)?)/resolve/([^/]+)/(.+)", path)
        if api:
            kind, name, what, revision = api.groups()
        elif file:
            kind, name, what = file[1] or "models/", file[2], "file"
            kind, revision = kind.rstrip("/"), file[3]
        else:
            return 404, {}, b""
        repo = self._repos.get(f"{kind}/{name}")
        allowed = repo is not None and repo.token in (None, (token or "").removeprefix("Bearer "))
        if repo is None or not (allowed or repo.gated):
            return 401, {"X-Error-Code": "RepoNotFound"}, b""
        if file and not allowed:
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        commit = repo.revisions.get(revision or "main", revision)
        if commit not in repo.commits:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        files = repo.commits[commit]
        if what == "file":
            return self._file(files, commit, file[4] if file else "")
        if what == "tree":
            listing = [
                {"type": "file", "path": path, "size": len(data), "oid": _etag(data)}
                for path, data in files.items()
            ]
            return 200, {"Content-Type": "application/json"}, json.dumps(listing).encode()
        said = {"id": name, "sha": commit, "siblings": [{"rfilename": path} for path in files]}
        return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()

    def _file(
        self, files: Mapping[str, bytes], commit: str, path: str
    ) -> tuple[int, dict[str, str], bytes]:
        if path not in files:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        headers = {"ETag": f'"{_etag(files[path])}"', "X-Repo-Commit": commit}
        return 200, headers, files[path]


def _etag(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()
