"""Who may come in, from where, and that visitors never see each other's things."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.studio.conftest import OURS, packed, png

from regraft.core import OptionError
from regraft.studio.app import create_app
from regraft.studio.catalogue import Offered
from regraft.studio.guard import Door
from regraft.studio.serving import Options, address, door_of
from regraft.studio.studio import Config

Clients = Callable[..., TestClient]
PICTURE = png()


def guarded(tmp_path: Path, door: Door) -> TestClient:
    data = tmp_path / "texts.csv"
    data.write_text("text,label\n")
    app = create_app(Config(tmp_path / "guarded", (Offered("texts", "Texts", data),)), door)
    return TestClient(app, base_url=f"http://{door.host}:{door.port}", headers=OURS)


def test_a_name_that_is_not_ours_is_refused(idle: Clients) -> None:
    assert idle().get("/api/tasks", headers={"Host": "evil.example"}).status_code == 421
    assert idle().get("/", headers={"Host": "127.0.0.1.evil.example:7860"}).status_code == 421
    assert idle().get("/api/tasks", headers={"Host": "localhost:7860"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999"])
def test_a_request_of_another_site_changes_nothing(idle: Clients, origin: str) -> None:
    answer = idle().post("/api/pictures", content=PICTURE, headers={"Origin": origin})
    assert answer.status_code == 403


def test_our_own_page_may_write(idle: Clients) -> None:
    answer = idle().post("/api/pictures", content=PICTURE, headers={"Origin": "http://127.0.0.1:7860"})
    assert answer.status_code == 201


def test_a_form_of_another_site_lacks_our_header(idle: Clients) -> None:
    assert idle().post("/api/pictures", content=PICTURE, headers={"X-Regraft": ""}).status_code == 403


def test_another_site_cannot_read_the_api(idle: Clients) -> None:
    assert idle().get("/api/tasks", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_pages_come_with_a_strict_policy(idle: Clients) -> None:
    headers = idle().get("/").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_the_session_cookie_is_out_of_reach_of_scripts(idle: Clients) -> None:
    cookie = idle().get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_two_visitors_do_not_see_each_others_pictures(idle: Clients) -> None:
    first, second = idle(), idle()
    first.get("/")
    second.get("/")
    name = first.post("/api/pictures", content=PICTURE).json()["name"]
    (folder,) = first.app.state.studio.config.folder.glob(f"sessions/*/pictures/{name}")  # type: ignore[attr-defined]
    assert folder.is_file()
    assert second.post("/api/tasks/texts/look", json={"backbone": "x", "picture": name}).status_code != 200


def test_a_cookie_that_the_studio_did_not_sign_gets_a_new_session(idle: Clients) -> None:
    client = idle()
    forged = "A" * 43 + "." + "0" * 64
    answer = client.get("/", headers={"Cookie": f"regraft_session_7860={forged}"})
    assert "regraft_session_7860=" in answer.headers["set-cookie"]


@pytest.mark.parametrize("name", ["../../secret", "0123456789abcdef", "..%2f..%2fsecret", "texts"])
def test_names_of_others_jobs_are_not_found(idle: Clients, name: str) -> None:
    assert idle().get(f"/api/jobs/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/pages/../app.py", "/pages/%2e%2e/app.py", "/pages/..%2f..%2fapi.py"])
def test_only_pages_are_served_as_files(idle: Clients, path: str) -> None:
    assert idle().get(path).status_code == 404


def test_beyond_loopback_a_token_is_made_up_and_wanted(tmp_path: Path) -> None:
    door = door_of(Options(host="192.0.2.7"), 7860)
    assert len(door.token) >= 24
    client = guarded(tmp_path, door)
    assert client.get("/").status_code == 401
    assert client.get("/api/tasks").status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    opened = client.get(f"/?token={door.token}&x=1", follow_redirects=False)
    assert opened.status_code == 303
    assert opened.headers["location"] == "/?x=1"
    assert client.get("/api/tasks").status_code == 200


def test_on_loopback_no_token_is_wanted() -> None:
    assert door_of(Options(), 7860).token == ""
    assert address(Door("127.0.0.1", 7860)) == "http://127.0.0.1:7860/"


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(OptionError, match="at least 16"):
        door_of(Options(token="short"), 7860)  # noqa: S106


def test_bound_to_everything_addresses_are_known_and_strange_names_are_not() -> None:
    door = Door("0.0.0.0", 7860, "t" * 20, ("studio.example",))  # noqa: S104
    assert door.known("192.0.2.9:7860")
    assert door.known("studio.example")
    assert not door.known("evil.example")


def test_a_redirect_stays_here(tmp_path: Path) -> None:
    door = door_of(Options(host="192.0.2.7"), 7860)
    answer = guarded(tmp_path, door).get(f"//evil.example/?token={door.token}", follow_redirects=False)
    assert not answer.headers.get("location", "/x").startswith("//")


def test_only_so_many_tasks_are_kept(idle: Clients) -> None:
    client = idle()
    client.get("/")
    session = next(iter(client.app.state.studio.sessions.all()), None)  # type: ignore[attr-defined]
    assert session is None  # nothing is kept before something is sent
    client.post("/api/pictures", content=PICTURE)
    (session,) = client.app.state.studio.sessions.all()  # type: ignore[attr-defined]
    for number in range(3):
        (session.tasks / f"{number:016x}").mkdir(parents=True)
    answer = client.post("/api/tasks", params={"name": "a.zip"}, content=packed(("rose/1.png", PICTURE)))
    assert answer.status_code == 409


def test_a_session_that_only_looks_is_in_use(idle: Clients) -> None:
    client = idle()
    client.get("/")
    client.post("/api/pictures", content=PICTURE)
    (used,) = client.app.state.studio.config.folder.glob("sessions/*/used")  # type: ignore[attr-defined]
    long_ago = time.time() - 30 * 86_400
    os.utime(used, (long_ago, long_ago))
    client.get("/")
    assert used.stat().st_mtime > time.time() - 60
