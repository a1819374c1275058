"""Wheels built on the fly, and a package index on the loopback that serves them (PEP 503, 658)."""

from __future__ import annotations

import base64
import hashlib
import html
import threading
import zipfile
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

CONFIG = b'{"model_type": "bert"}'
MODEL = {"config.json": CONFIG, "model.safetensors": b"\0" * 64, "tokenizer.json": b"{}"}


def model_files(folder: str) -> dict[str, bytes]:
    """A model's files below `folder`."""
    return {f"{folder}/{name}": data for name, data in MODEL.items()}


def record_row(path: str, data: bytes, algorithm: str = "sha256") -> str:
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).decode().rstrip("=")
    return f"{path},{algorithm}={digest},{len(data)}\n"


def build_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, bytes],
    *,
    requires: tuple[str, ...] = (),
    record: Callable[[str], str] = lambda text: text,
    change: Callable[[zipfile.ZipFile], None] = lambda archive: None,
) -> Path:
    """A wheel with `files`, its METADATA and its RECORD.

    Args:
        folder: where the wheel is written.
        name: with underscores, as in a file name.
        version: normalised.
        files: contents by path.
        requires: lines of dependencies.
        record: changes the text of RECORD.
        change: adds more to the zip file.
    """
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    everything = {
        **files,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = "".join(record_row(path, data) for path, data in everything.items())
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in everything.items():
            archive.writestr(path, data)
        archive.writestr(f"{info}/RECORD", record(f"{rows}{info}/RECORD,,\n"))
        change(archive)
    return wheel


class Index:
    """A package index on the loopback.

    Attributes:
        requests: the paths that were asked for.
        before_wheel: called before a wheel's bytes are sent.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.before_wheel: Callable[[], None] = lambda: None
        self._pages: dict[str, list[str]] = {}
        self._files: dict[str, bytes] = {}
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(self.path)
                index.requests.append(path)
                body = index._body(path)
                self.send_response(404 if body is None else 200)
                kind = "text/html" if path.endswith("/") else "application/octet-stream"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                if path.endswith(".whl"):
                    index.before_wheel()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/simple"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def add(self, file: Path, *, declared: str | None = None, metadata: bool = False) -> None:
        """Serves a file.

        Args:
            file: a wheel or a source distribution.
            declared: the hash in the link, such as `sha256=...`; the true one if None.
            metadata: whether the index serves METADATA alone, too (PEP 658).
        """
        data = file.read_bytes()
        if declared is None:
            declared = f"sha256={hashlib.sha256(data).hexdigest()}"
        project = file.name.split("-")[0].replace("_", "-")
        attribute = ""
        if metadata:
            with zipfile.ZipFile(file) as archive:
                (inside,) = [each for each in archive.namelist() if each.endswith("/METADATA")]
                text = archive.read(inside)
            said = f"sha256={hashlib.sha256(text).hexdigest()}"
            attribute = f' data-dist-info-metadata="{said}" data-core-metadata="{said}"'
            self._files[f"/files/{file.name}.metadata"] = text
        self._files[f"/files/{file.name}"] = data
        link = html.escape(f"/files/{file.name}#{declared}")
        self._pages.setdefault(project, []).append(f'<a href="{link}"{attribute}>{file.name}</a>')

    def close(self) -> None:
        """Stops serving; the port refuses from now on."""
        self._server.shutdown()
        self._server.server_close()

    def _body(self, path: str) -> bytes | None:
        if path in self._files:
            return self._files[path]
        links = self._pages.get(path.removeprefix("/simple/").rstrip("/"))
        if links is None:
            return None
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
