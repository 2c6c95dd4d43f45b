"""What an app needs to work with chanctl: to know its calls, and to publish. See docs/protocol.md."""

import hmac
import http.client
import json
import os
import random
import time
import uuid
from typing import Any
from urllib.parse import urlencode, urlsplit

TOKEN = os.environ["CHANCTL_TOKEN"]
BROKER = urlsplit(os.environ["CHANCTL_URL"]).netloc

ATTEMPT_SECS = 10
LONGEST_PAUSE_SECS = 2.0
TRY_AGAIN = {429, 502, 503, 504}


class Refused(Exception):
    """The broker refuses a publish; to repeat it is of no use."""


class Unavailable(Exception):
    """The broker cannot be reached, or is busy; to repeat may help."""


def is_from_broker(authorization: str | None) -> bool:
    """Whether a call's `Authorization` header proves that chanctl made it.

    Compared in constant time: how long it takes must not tell how much of a guess is right (CWE-208).
    """
    return hmac.compare_digest((authorization or "").encode(), f"Bearer {TOKEN}".encode())


def publish(channel: str, params: dict[str, str], message: dict[str, Any], patience_secs: float = 30) -> str:
    """Stores a message and returns its id. Outlives a restart of the broker.

    Every attempt carries the same key and the same bytes: one whose answer was lost is not stored twice.
    """
    path = f"/channels/{channel}/messages?{urlencode(params)}"
    body = json.dumps(message).encode()
    key = str(uuid.uuid4())
    deadline = time.monotonic() + patience_secs
    pause_secs = 0.1
    while True:
        try:
            return _post(path, body, key)
        except (OSError, http.client.HTTPException, Unavailable):
            if time.monotonic() + pause_secs > deadline:
                raise
        time.sleep(pause_secs * random.uniform(0.5, 1))
        pause_secs = min(LONGEST_PAUSE_SECS, pause_secs * 2)


def _post(path: str, body: bytes, key: str) -> str:
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    # Not urllib: it would show the token to a proxy that the environment names.
    connection = http.client.HTTPConnection(BROKER, timeout=ATTEMPT_SECS)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if response.status == 200:
        return answer["ids"][0]
    problem = Unavailable if response.status in TRY_AGAIN else Refused
    raise problem(f"{answer['code']}: {answer['detail']}")
