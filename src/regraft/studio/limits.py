"""How much a visitor may send, keep and ask for."""

from dataclasses import dataclass

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True)
class Limits:
    """Upper bounds; what is beyond one is refused with a message that names it.

    Attributes:
        upload_bytes: Of one upload as it is sent.
        unpacked_bytes: Of everything in an archive.
        files: In an archive.
        ratio: Unpacked over packed size of an entry; pictures are packed already, texts reach 20.
        depth: Folders above a file.
        name_characters: Of one part of a name.
        picture_bytes: Of one picture.
        picture_pixels: Width times height; 50 million is more than any camera phone's default.
        rows: Of a table.
        columns: Of a table.
        field_characters: Of one field of a table.
        text_characters: Of a text to predict on.
        session_bytes: Of everything that one visitor keeps.
        studio_bytes: Of everything that all visitors keep.
        tasks: Uploaded by one visitor.
        jobs: Waiting or running for one visitor.
        waiting: Short requests that stand in line, of all visitors.
        answer_seconds: What a short request may take before its worker is ended.
        kept_days: After which an unused session's files are removed.
    """

    upload_bytes: int = 200 * MIB
    unpacked_bytes: int = 500 * MIB
    files: int = 20_000
    ratio: int = 200
    depth: int = 6
    name_characters: int = 150
    picture_bytes: int = 50 * MIB
    picture_pixels: int = 50_000_000
    rows: int = 200_000
    columns: int = 50
    field_characters: int = 100_000
    text_characters: int = 10_000
    session_bytes: int = 2 * GIB
    studio_bytes: int = 20 * GIB
    tasks: int = 20
    jobs: int = 6
    waiting: int = 64
    answer_seconds: float = 180.0
    kept_days: float = 7.0


def size_said(count: int) -> str:
    """Bytes as a person says them: `200 MB`."""
    for unit, name in ((GIB, "GB"), (MIB, "MB"), (KIB, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"
