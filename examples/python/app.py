"""A chat. chanctl stands in front of it, carries its channel, and asks it who may come in and what may be said."""

import json
import os
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from chanctl import is_from_broker, publish
from session import read_session, write_session

Json = dict[str, Any]

PAGE = Path(__file__).with_name("index.html")
MAX_BODY_BYTES = 1024 * 1024


def authorize(call: Json) -> Json:
    """May this caller read, or publish to, this room?"""
    header = call.get("header", {})
    token = header["value"] if header.get("scheme", "").lower() == "bearer" else call.get("cookie", "")
    name = read_session(token)
    if name is None:
        return {"ok": False, "status": 401, "reason": "sign in first"}
    return {"ok": True, "subject": name}


def on_publish(call: Json) -> Json:
    """May this message of a client be stored, and as what?"""
    message = call["message"]
    if message["type"] != "message":
        return {"ok": False, "reason": "notices come from the app alone"}
    text = message["data"]["text"].strip()
    if text == "":
        return {"ok": False, "reason": "say something"}
    return {"ok": True, "message": {"type": "message", "data": {"text": text}}}


class Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: Nagle would hold the second for 40 ms

    def do_GET(self) -> None:
        match urlsplit(self.path).path:
            case "/":
                self.answer(HTTPStatus.OK, PAGE.read_bytes(), {"Content-Type": "text/html; charset=utf-8"})
            case "/me":
                self.answer_json(read_session(self.cookie("session")))
            case _:
                self.answer(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        if size > MAX_BODY_BYTES:
            self.close_connection = True
            return self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = self.rfile.read(size)
        match self.path:
            case "/channels/authorize":
                self.answer_broker(authorize, body)
            case "/channels/on-publish":
                self.answer_broker(on_publish, body)
            case "/sign-in":
                self.sign_in(body)
            case _:
                self.answer(HTTPStatus.NOT_FOUND)

    def answer_broker(self, decide: Callable[[Json], Json], body: bytes) -> None:
        if not is_from_broker(self.headers.get("Authorization")):
            return self.answer(HTTPStatus.NOT_FOUND)
        try:
            decision = decide(json.loads(body))
        except Exception as error:  # a connection that breaks off looks like a restart, and is waited for
            self.log_error("%s failed: %r", self.path, error)
            return self.answer(HTTPStatus.INTERNAL_SERVER_ERROR)
        self.answer_json(decision)

    def sign_in(self, body: bytes) -> None:
        form = {key: values[0].strip() for key, values in parse_qs(body.decode()).items()}
        name, room = form.get("name", ""), form.get("room", "lobby")
        if not 0 < len(name) <= 32:
            return self.answer(HTTPStatus.BAD_REQUEST, b"a name has 1 to 32 characters\n")
        notice = {"type": "notice", "data": {"text": f"{name} came in"}}
        try:
            publish("chat", {"room": room}, notice, patience_secs=5)
        except Exception as error:  # nobody is kept out because nobody could be told
            self.log_error("no notice of %s: %r", name, error)
        cookie = f"session={write_session(name)}; Path=/; HttpOnly; SameSite=Lax"
        if self.headers.get("X-Forwarded-Proto") == "https":
            cookie += "; Secure"
        location = f"/?{urlencode({'room': room})}"
        self.answer(HTTPStatus.SEE_OTHER, headers={"Location": location, "Set-Cookie": cookie})

    def cookie(self, name: str) -> str:
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        return cookies[name].value if name in cookies else ""

    def answer_json(self, value: object) -> None:
        self.answer(HTTPStatus.OK, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def answer(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    request_queue_size = 512  # with the default of 5, a quarter of 400 clients that come at once get 503


if __name__ == "__main__":
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
    print(f"the chat listens on {address[0]}:{address[1]}")
    Server(address, Chat).serve_forever()
