from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from websockets.datastructures import Headers

from ecumene_server import http
from ecumene_server.http import Site, body, page_files, plain

BIG = b"<p>hello</p>" * 100


def answer(site: Site, target: str, method: str = "GET", **headers: str) -> tuple[str, dict[str, str], bytes]:
    parts = site.answer(method, target, Headers({name.replace("_", "-"): value for name, value in headers.items()}))
    head, _, content = b"".join(parts).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first.split(" ", 1)[1], dict(line.split(": ", 1) for line in lines), content


@pytest.fixture
def site() -> Site:
    return Site({"/": body(BIG, "text/html"), "/tiny": body(b"x", "text/plain"), "/live": lambda: plain({"n": 1})})


def test_a_page_is_sent_with_its_type_and_length(site: Site) -> None:
    status, headers, content = answer(site, "/?query=1")
    assert (status, headers["Content-Type"], headers["Content-Length"]) == ("200 OK", "text/html", str(len(BIG)))
    assert content == BIG
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_browsers_get_gzip(site: Site) -> None:
    _, headers, content = answer(site, "/", Accept_Encoding="br, GZIP;q=1")
    assert headers["Content-Encoding"] == "gzip"
    assert int(headers["Content-Length"]) == len(content) < len(BIG)
    assert gzip.decompress(content) == BIG


def test_what_does_not_shrink_is_not_zipped(site: Site) -> None:
    _, headers, content = answer(site, "/tiny", Accept_Encoding="gzip")
    assert "Content-Encoding" not in headers
    assert content == b"x"


def test_what_a_browser_has_is_not_sent_again(site: Site) -> None:
    etag = answer(site, "/")[1]["ETag"]
    assert answer(site, "/", If_None_Match=f'"old", W/{etag}')[0] == "304 Not Modified"
    assert answer(site, "/", If_None_Match='"old"')[0] == "200 OK"


def test_head_has_no_content_but_its_length(site: Site) -> None:
    _, headers, content = answer(site, "/", "HEAD")
    assert (headers["Content-Length"], content) == (str(len(BIG)), b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "FOO"])
def test_only_get_and_head_are_served(site: Site, method: str) -> None:
    status, headers, _ = answer(site, "/", method)
    assert (status, headers["Allow"]) == ("405 Method Not Allowed", "GET, HEAD")


def test_answers_made_on_request_are_never_cached(site: Site) -> None:
    status, headers, content = answer(site, "/live", If_None_Match='""')
    assert (status, headers["Cache-Control"], content) == ("200 OK", "no-store", b'{"n": 1}')


def test_the_unknown_is_404_in_json(site: Site) -> None:
    status, headers, content = answer(site, "/../secret")
    assert (status, headers["Content-Type"]) == ("404 Not Found", "application/json")
    assert b"There is nothing at '/../secret'." in content


def test_files_of_the_page_are_found_by_their_paths(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<html>")
    (tmp_path / "assets" / "app-1a2b.js").write_text("let x;")
    files = page_files(tmp_path)
    assert set(files) == {"/", "/index.html", "/assets/app-1a2b.js"}
    script = files["/assets/app-1a2b.js"]
    assert isinstance(script, http.Body)
    assert script.kind == "text/javascript; charset=utf-8"
    assert "immutable" in script.cache


def test_a_missing_page_says_how_to_build_it(tmp_path: Path) -> None:
    page = page_files(tmp_path)["/"]
    assert isinstance(page, http.Body)
    assert b"npm run build" in page.content
