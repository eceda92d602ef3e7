"""Text that every digest, file and tokenizer takes."""

import re

# Halves of characters that stand alone, as `"\ud83d"` in JSON does, and bytes that were no UTF-8, as Python keeps them.
SURROGATE = re.compile("[\ud800-\udfff]")
FIRST_BYTE, LAST_BYTE = 0xDC80, 0xDCFF  # U+DC80 to U+DCFF are the bytes 0x80 to 0xFF (PEP 383)


def valid_text(text: str) -> str:
    r"""The text in valid Unicode, as long as it was.

    A byte of a file's name or of an argument that was no UTF-8 is read as Windows-1252; half of a character becomes
    U+FFFD.

    Example:
        >>> valid_text("caf\udce9"), valid_text("half \ud83d of it")
        ('café', 'half � of it')
    """
    return SURROGATE.sub(_valid_character, text)


def _valid_character(found: re.Match[str]) -> str:
    code = ord(found.group())
    if FIRST_BYTE <= code <= LAST_BYTE:
        return bytes([code - FIRST_BYTE + 0x80]).decode("cp1252", errors="replace")
    return "\ufffd"
