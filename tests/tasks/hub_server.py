"""A small server that speaks the hub's protocol for data sets, over files in memory: the hub's own library reads it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Branches = dict[str, dict[str, bytes]]  # files by path, by branch


class Hub(ThreadingHTTPServer):
    """It has one data set."""

    def __init__(self, name: str, branches: Branches) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.branches = name, branches

    def branch_of(self, said: str) -> str:
        """A branch by its name or its commit; as it was said if there is none."""
        return next((one for one in self.branches if said in {one, commit_of(one)}), said)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        told, file = f"/api/datasets/{self.server.name}/", f"/datasets/{self.server.name}/resolve/"
        if path == "/":
            self.say(b"{}", body=body)
        elif path.startswith(told):
            self.tell(*path.removeprefix(told).split("/", 1), body=body)
        elif path.startswith(file):
            self.send(*path.removeprefix(file).split("/", 1), body=body)
        else:
            self.lack("RepoNotFound")

    def tell(self, kind: str, said: str, *, body: bool) -> None:
        branch = self.server.branch_of(said)
        if branch not in self.server.branches:
            self.lack("RevisionNotFound")
            return
        files = self.server.branches[branch]
        tree = [{"type": "file", "path": one, "size": len(data), "oid": commit_of(one)} for one, data in files.items()]
        siblings = [{"rfilename": one} for one in files]
        info = {"id": self.server.name, "sha": commit_of(branch), "siblings": siblings}
        self.say(json.dumps(tree if kind == "tree" else info).encode(), body=body)

    def send(self, said: str, file: str, *, body: bool) -> None:
        branch = self.server.branch_of(said)
        data = self.server.branches.get(branch, {}).get(file)
        if data is None:
            self.lack("EntryNotFound")
            return
        tag = hashlib.sha256(data).hexdigest()
        self.say(data, body=body, **{"ETag": f'"{tag}"', "X-Repo-Commit": commit_of(branch)})

    def say(self, data: bytes, *, body: bool, **headers: str) -> None:
        self.send_response(200)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def lack(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(name: str, branches: Branches) -> Iterator[str]:
    """The address of a hub that has one data set."""
    server = Hub(name, branches)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def commit_of(said: str) -> str:
    return hashlib.sha1(said.encode()).hexdigest()  # noqa: S324 - a name, not a secret
