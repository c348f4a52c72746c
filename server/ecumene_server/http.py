"""The port's HTTP side: a dictionary of prebuilt, precompressed answers; no file system is touched on request."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import json
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

PAGE_FOLDER: Final = Path(__file__).parent / "page"
"""Where building the web client puts its files."""

_SMALL: Final = 256
_HASHED: Final = "/assets/"
_SECURITY: Final = (
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss: blob: data:; img-src 'self' blob: data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; "
    "media-src 'self' blob:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'\r\n"
)
_TYPES: Final = {
    ".glb": "model/gltf-binary",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_NO_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Ecumene</title>
<style>body{font:18px/1.6 system-ui;max-width:34em;margin:4em auto;padding:0 1em}
code{background:#eee;padding:.1em .3em}</style>
<h1>The world is open, its page is not built</h1>
<p>The server runs, but the web client was not built into this installation.</p>
<p>In a checkout, run <code>make run</code>, or <code>npm ci</code> and <code>npm run build</code> in <code>web/</code>,
and start the server again.</p>
<p><a href="/healthz">/healthz</a> tells how the world is.</p>
"""


@dataclass(frozen=True, slots=True)
class Body:
    """One prebuilt answer.

    Attributes:
        content: What is sent as it is.
        zipped: The same in gzip, or None where that saves nothing.
        kind: Media type.
        etag: Quoted validator.
        cache: Value of Cache-Control.
        status: HTTP status.
    """

    content: bytes
    zipped: bytes | None
    kind: str
    etag: str
    cache: str
    status: HTTPStatus = HTTPStatus.OK


Source: TypeAlias = Body | Callable[[], Body]


def body(content: bytes, kind: str, *, cache: str = "no-cache", status: HTTPStatus = HTTPStatus.OK) -> Body:
    """Returns a prebuilt answer, compressed when that helps."""
    zipped = gzip.compress(content, 6, mtime=0) if len(content) > _SMALL and _compressible(kind) else None
    if zipped is not None and len(zipped) > 0.95 * len(content):
        zipped = None
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return Body(content, zipped, kind, etag, cache, status)


def plain(value: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Body:
    """Returns a JSON answer that must not be cached."""
    content = json.dumps(value).encode()
    return Body(content, None, "application/json", '""', "no-store", status)


def page_files(folder: Path = PAGE_FOLDER) -> dict[str, Source]:
    """Returns the page's files by URL path, or one page that says how to build them."""
    if not (folder / "index.html").is_file():
        return {"/": body(_NO_PAGE.encode(), "text/html; charset=utf-8")}
    files: dict[str, Source] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        url = "/" + path.relative_to(folder).as_posix()
        cache = "public, max-age=31536000, immutable" if url.startswith(_HASHED) else "no-cache"
        files[url] = body(path.read_bytes(), _kind(path), cache=cache)
    files["/"] = files["/index.html"]
    return files


class Site:
    """Answers GET and HEAD from a dictionary of URL paths."""

    def __init__(self, routes: Mapping[str, Source]) -> None:
        self._routes = dict(routes)

    def put(self, path: str, source: Source) -> None:
        """Sets or replaces the answer for a path."""
        self._routes[path] = source

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> list[bytes]:
        """Returns the bytes of the whole response; the connection closes after it.

        Args:
            method: Request method.
            target: Request target; its query is ignored.
            headers: Must answer `get` regardless of case.
        """
        if method not in ("GET", "HEAD"):
            refusal = plain({"error": f"{method} is not served here; GET and HEAD are."}, HTTPStatus.METHOD_NOT_ALLOWED)
            return _response(refusal, refusal.content, "Allow: GET, HEAD\r\n")
        path = urlsplit(target).path if target.startswith("/") else target
        source = self._routes.get(path)
        if source is None:
            found = plain({"error": f"There is nothing at {path[:200]!r}."}, HTTPStatus.NOT_FOUND)
        else:
            found = source if isinstance(source, Body) else source()
        return _negotiate(found, headers, head=method == "HEAD")


def refusal(status: HTTPStatus, sentence: str) -> list[bytes]:
    """Returns the response to a request that could not be read."""
    found = plain({"error": sentence}, status)
    return _response(found, found.content)


def _negotiate(found: Body, headers: Mapping[str, str], *, head: bool) -> list[bytes]:
    if found.status is HTTPStatus.OK and _matches(headers.get("If-None-Match", ""), found.etag):
        unchanged = Body(b"", None, found.kind, found.etag, found.cache, HTTPStatus.NOT_MODIFIED)
        return _response(unchanged, b"")
    zipped = found.zipped if "gzip" in headers.get("Accept-Encoding", "").lower() else None
    content = found.content if zipped is None else zipped
    parts = _response(found, content, "" if zipped is None else "Content-Encoding: gzip\r\n")
    return parts[:1] if head else parts


def _matches(sent: str, etag: str) -> bool:
    return etag != '""' and etag in (each.strip().removeprefix("W/") for each in sent.split(","))


def _response(found: Body, content: bytes, extra: str = "") -> list[bytes]:
    head = (
        f"HTTP/1.1 {found.status.value} {found.status.phrase}\r\n"
        f"Date: {email.utils.formatdate(usegmt=True)}\r\n"
        f"Connection: close\r\nContent-Type: {found.kind}\r\nContent-Length: {len(content)}\r\n"
        f"Cache-Control: {found.cache}\r\nETag: {found.etag}\r\nVary: Accept-Encoding\r\n{extra}{_SECURITY}\r\n"
    )
    return [head.encode("latin-1"), content] if content else [head.encode("latin-1")]


def _kind(path: Path) -> str:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _compressible(kind: str) -> bool:
    return kind.startswith("text/") or kind.split(";", maxsplit=1)[0] in {
        "application/json",
        "application/wasm",
        "application/manifest+json",
        "image/svg+xml",
        "model/gltf-binary",
    }
