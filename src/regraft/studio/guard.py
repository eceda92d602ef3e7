"""What every request passes before a route sees it, and what every answer carries.

In this order: is it meant for this server (a name server may have been turned to point here), may it come in at all
(a token, where strangers reach the port), does it come from our own page, and whose session is it.
"""

import hmac
import ipaddress
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regraft.studio.sessions import Sessions

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - a name to recognise, not to bind to
READING = frozenset({"GET", "HEAD"})
OURS = b"x-regraft"  # a header that a form of another site cannot send
A_YEAR = 365 * 24 * 3600

# Everything comes from this server; nothing runs that does not stand in a file of ours.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Door:
    """Who may come in.

    Attributes:
        host: The address that the server is bound to.
        port: Its port; cookies are named by it, since browsers share them between ports.
        token: What a visitor must bring; empty on loopback.
        names: Further names that the server is known by.
    """

    host: str
    port: int
    token: str = ""
    names: tuple[str, ...] = ()

    def known(self, host: str) -> bool:
        """Whether a Host header names this server."""
        name = _hostname(host)
        if name in LOOPBACK or name == self.host or name in self.names:
            return True
        if self.host not in EVERYWHERE:
            return False
        return _is_address(name) or name in {socket.gethostname().lower(), socket.getfqdn().lower()}


class Guard:
    """The door as ASGI middleware."""

    def __init__(self, app: ASGIApp, door: Door, sessions: Sessions) -> None:
        self._app, self._door, self._sessions = app, door, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            return
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await _answer(send, *refused)
            return
        cookies = _cookies(headers)
        if self._door.token:
            brought = _brought_token(scope)
            if brought and hmac.compare_digest(brought.encode(), self._door.token.encode()):
                await self._let_in(scope, send)
                return
            shown = cookies.get(f"regraft_token_{self._door.port}", "")
            if not hmac.compare_digest(shown.encode(), self._door.token.encode()):
                await _answer(send, 401, "this studio needs its token: open the address that it printed when it began")
                return
        await self._with_session(cookies, scope, receive, send)

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Why a request is not for us, or not from our page."""
        host = headers.get("host", "")
        if not self._door.known(host):
            return 421, "this name does not belong to the studio; open it by the address that it printed"
        site = headers.get("sec-fetch-site", "same-origin")
        writing = scope["method"] not in READING
        if site not in {"same-origin", "none"} and (writing or scope["path"].startswith("/api/")):
            return 403, "a request from another site is not served"
        if writing:
            origin = headers.get("origin")
            if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
                return 403, "a request from another site is not served"
            if headers.get(OURS.decode()) != "1":
                return 403, "a request that changes something needs the header X-Regraft: 1"
        return None

    async def _let_in(self, scope: Scope, send: Send) -> None:
        """Keep the token as a cookie and take it out of the address, which others may read."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        query.pop("token", None)
        rest = urlencode(query, doseq=True)
        place = "/" + scope["path"].lstrip("/") + (f"?{rest}" if rest else "")
        cookie = _cookie(f"regraft_token_{self._door.port}", self._door.token)
        await _answer(send, 303, "", {"location": place, "set-cookie": cookie})

    async def _with_session(self, cookies: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        """Find or make the visitor's session, and add the headers on the way back."""
        name = f"regraft_session_{self._door.port}"
        session = self._sessions.of(cookies.get(name, ""))
        if session:
            session.visited()
        issued = "" if session else self._sessions.issue()
        scope.setdefault("state", {})["session"] = session or self._sessions.of(issued)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for key, value in HEADERS.items():
                    answer.setdefault(key, value)
                # What is a visitor's own is kept nowhere; our pages may be, and are asked for again by their tag.
                own = scope["path"].startswith("/api/")
                answer.setdefault("cache-control", "no-store" if own else "no-cache")
                if issued:
                    answer.append("set-cookie", _cookie(name, issued))
            await send(message)

        await self._app(scope, receive, sent)


def _hostname(host: str) -> str:
    """The name of a Host header without its port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookies(headers: Headers) -> dict[str, str]:
    try:
        found = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in found.items()}


def _brought_token(scope: Scope) -> str:
    """The token in a page's address."""
    if scope["method"] not in READING:
        return ""
    return next(iter(parse_qs(scope["query_string"].decode("latin-1")).get("token", [])), "")


def _cookie(name: str, value: str) -> str:
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={A_YEAR}"


async def _answer(send: Send, status: int, message: str, extra: dict[str, str] | None = None) -> None:
    """A short JSON answer of the guard itself."""
    body = json.dumps({"error": message}).encode()
    headers: Iterable[tuple[str, str]] = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **HEADERS,
        **(extra or {}),
    }.items()
    raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
