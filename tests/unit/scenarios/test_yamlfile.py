"""Strict YAML: what is refused is refused by name, and nothing hostile is ever built."""

from pathlib import Path

import pytest

from ecumene_scenarios.errors import DocumentError
from ecumene_scenarios.yamlfile import MAX_BYTES, MAX_DEPTH, parse, read


def test_plain_values_pass() -> None:
    assert parse(b"a: 1\nb: [x, 2.5, true]\nc: {d: null}\n", "f") == {"a": 1, "b": ["x", 2.5, True], "c": {"d": None}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: &x [1]\nb: *x\n", "anchor or alias"),
        (b"a: !!python/object/apply:os.system ['true']\n", "tag"),
        (b"a: !include /etc/passwd\n", "tag"),
        (b"a: 1\na: 2\n", "'a' is given twice"),
        (b"? [1, 2]\n: 3\n", "not plain text"),
        (b"a: .inf\n", "finite"),
        (b"a: .nan\n", "finite"),
        (b"1: a\n", "keys must be text"),
        (b"a: 2026-01-01\n", "quote it"),
        (b"- 1\n", "must be a mapping"),
        (b"", "must be a mapping"),
        (b"a: [1\n", "not valid YAML (line"),
        (b"a: \xff\n", "not UTF-8"),
        (b"a: " + b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "nested more than"),
        (b"a: [" + b"1," * 30_000 + b"]", "more than"),
        (b"#" * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_refusals_are_one_sentence(text: bytes, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(text, "day.yaml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("day.yaml")
    assert "\n" not in str(caught.value)


def test_billion_laughs_is_refused_at_once() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
    )
    with pytest.raises(DocumentError, match="anchor or alias"):
        parse(bomb.encode(), "bomb.yaml")


def test_deep_block_nesting_is_refused_without_recursion() -> None:
    deep = "".join("  " * i + "a:\n" for i in range(3000))
    with pytest.raises(DocumentError, match="nested more than"):
        parse(deep[: MAX_BYTES - 1].encode(), "deep.yaml")


def test_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"gone\.yaml can't be read"):
        read(tmp_path / "gone.yaml")
