"""Texts of any origin are valid Unicode."""

import hashlib

from regraft.core import ImageSample, TextSample
from regraft.core.unicode import valid_text


def test_what_is_no_character_becomes_one() -> None:
    assert valid_text("caf\udce9, half \ud83d of it \U0001f600") == "café, half \ufffd of it \U0001f600"


def test_samples_are_valid_unicode_and_as_long_as_before() -> None:
    one = TextSample("\udce9.csv:1", "half \ud83d", "of \udc00 it", ("half", "\ud83d"))
    assert (one.source, one.text, one.text_pair, one.words) == (
        "é.csv:1",
        "half \ufffd",
        "of \ufffd it",
        ("half", "\ufffd"),
    )
    assert ImageSample("caf\udce9.png", "caf\udce9.png", "").source == "café.png"


def test_a_digest_is_that_of_the_bytes_in_utf8() -> None:
    assert TextSample("a", "café").digest == hashlib.sha256("café".encode()).hexdigest()
