import pytest

from ecumene_agents.words import Speller, corrected, foreign, inert, listed, tokens, with_article, within


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where's the Café?", ["where", "is", "the", "cafe"]),
        ("WHAT'S   up\tthere", ["what", "is", "up", "there"]),
        ("Mara’s bench", ["mara", "bench"]),
        ("<b>hello</b> you", ["hello", "you"]),
        ("ｗｈｅｒｅ is it", ["where", "is", "it"]),
        ("", []),
        ("?!…", []),
    ],
)
def test_tokens(text: str, words: list[str]) -> None:
    assert tokens(text) == words


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert len("".join(tokens("a" * 10_000))) == 500


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("fountian", "fountain"),
        ("musuem", "museum"),
        ("wher", "where"),
        ("squre", "square"),
        ("restaurnat", "restaurant"),
    ],
)
def test_slips_are_forgiven(word: str, meant: str) -> None:
    assert Speller(["fountain", "museum", "where", "square", "restaurant", "sign"]).nearest(word) == meant


@pytest.mark.parametrize("word", ["sing", "cat", "zebra", "12345", "a" * 100, ""])
def test_other_words_are_left_alone(word: str) -> None:
    assert Speller(["sign", "car", "fountain"]).nearest(word) is None


def test_a_known_word_is_never_corrected() -> None:
    spellers = (Speller(["where", "there"]), Speller(["mara"]))
    assert corrected(["there", "mara", "whree", "marra"], spellers) == ["there", "mara", "where", "mara"]


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("abc", "xbc", 1), ("abcd", "badc", 2), ("abc", "", 3)],
)
def test_edits_are_counted_with_swaps(a: str, b: str, edits: int) -> None:
    assert within(a, b, edits)
    assert not edits or not within(a, b, edits - 1)


@pytest.mark.parametrize(
    ("text", "is_foreign"), [("привет мир", True), ("你好", True), ("Où est le café", False), ("123 ?", False)]
)
def test_other_scripts_are_noticed(text: str, is_foreign: bool) -> None:
    assert foreign(text) is is_foreign


def test_inert_text_holds_no_markup_no_control_and_one_line() -> None:
    text = inert("<script>alert('x')</script>\n\x00\u202e[link](http://a) `code`" + "x" * 600)
    assert not set(text) & set("<>`[]\n\x00\u202e")
    assert len(text) <= 500
    assert text.endswith("…")


def test_lists_and_articles() -> None:
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert [with_article("bench"), with_article("office")] == ["a bench", "an office"]
