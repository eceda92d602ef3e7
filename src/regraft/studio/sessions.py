"""Visitors: each has a cookie that the studio signed and a folder that nobody else's requests reach."""

import contextlib
import hashlib
import hmac
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from regraft.studio.limits import Limits, size_said
from regraft.studio.refusals import RefusedError

TOKEN = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9a-f]{64})\Z")
NAME = re.compile(r"[0-9a-f]{16}\Z")
NOTED_SECONDS = 3600
SECRET_FILE = "secret"  # noqa: S105 - a file's name


@dataclass(frozen=True)
class Session:
    """One visitor's folder; it is made when something is first kept there.

    Attributes:
        folder: Named by a digest of the cookie, so that a listing of folders gives no cookie away.
    """

    folder: Path

    @property
    def tasks(self) -> Path:
        """What the visitor uploaded."""
        return self.folder / "tasks"

    @property
    def jobs(self) -> Path:
        """What the visitor had computed."""
        return self.folder / "jobs"

    def new(self, kind: Path) -> Path:
        """An empty folder with a name that cannot be guessed, below one of the two."""
        place = kind / secrets.token_hex(8)
        place.mkdir(parents=True)
        self.touch()
        return place

    def find(self, kind: Path, name: str) -> Path:
        """The folder of that name.

        Raises:
            RefusedError: This visitor has none such.
        """
        place = kind / name
        if not NAME.match(name) or not place.is_dir():
            raise RefusedError("there is no such entry in this browser's session; it may have been removed", 404)
        return place

    def touch(self) -> None:
        """Note that the session is in use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "used").touch()

    def visited(self) -> None:
        """Note that its visitor is here, once in a while, if anything is kept for them."""
        used = self.folder / "used"
        with contextlib.suppress(OSError):  # removed meanwhile, or nothing was kept yet
            if time.time() - used.stat().st_mtime > NOTED_SECONDS:
                used.touch()


class Sessions:
    """All visitors of one studio folder."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        folder.mkdir(parents=True, exist_ok=True)
        self._secret = _secret(folder / SECRET_FILE)

    def issue(self) -> str:
        """A new cookie."""
        name = secrets.token_urlsafe(32)
        return f"{name}.{self._signature(name)}"

    def of(self, cookie: str) -> Session | None:
        """The session of a cookie; None where this studio did not issue it."""
        found = TOKEN.match(cookie)
        if found is None or not hmac.compare_digest(self._signature(found[1]), found[2]):
            return None
        return Session(self._folder / "sessions" / hashlib.sha256(found[1].encode()).hexdigest()[:32])

    def all(self) -> list[Session]:
        """Every session that has kept something."""
        return [Session(place) for place in sorted((self._folder / "sessions").glob("*")) if place.is_dir()]

    def check_room(self, session: Session, wanted: int) -> None:
        """Refuse to keep more than a visitor, or all of them, may.

        Raises:
            RefusedError: There is no room for `wanted` bytes.
        """
        limits = self._limits
        if used_bytes(session.folder) + wanted > limits.session_bytes:
            raise RefusedError(
                f"this session keeps {size_said(limits.session_bytes)} at most; remove tasks or runs", 413
            )
        if used_bytes(self._folder) + wanted > limits.studio_bytes:
            raise RefusedError("the studio's folder is full; ask who runs it to remove old sessions", 507)

    def forget_old(self) -> None:
        """Remove what sessions left that were not used for long."""
        oldest = time.time() - self._limits.kept_days * 86_400
        for session in self.all():
            used = session.folder / "used"
            if not used.exists() or used.stat().st_mtime < oldest:
                shutil.rmtree(session.folder, ignore_errors=True)

    def _signature(self, name: str) -> str:
        return hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()


def _secret(file: Path) -> bytes:
    """The key that cookies are signed with, made on first use and readable by its owner alone."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(secrets.token_bytes(32))
    return file.read_bytes()


def used_bytes(folder: Path) -> int:
    """What is kept below a folder; a file that goes away meanwhile counts nothing."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += file.lstat().st_size if file.is_file() else 0
    return total
