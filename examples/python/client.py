"""Follows a channel from anywhere, and misses nothing: prints each message as one line of JSON.

    CHAT_TOKEN=… python3 client.py 'http://127.0.0.1:4433/channels/chat?room=lobby'
"""

import http.client
import json
import os
import random
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SILENCE_SECS = 60  # the broker says something every 25 s
LONGEST_PAUSE_SECS = 10.0
FINAL = {400, 401, 403, 404, 405}

Message = dict[str, Any]


class Stopped(Exception):
    """The broker will not let us in, however often we ask."""


@dataclass
class Subscriber:
    """One stream of messages, over as many connections as it takes."""

    url: str
    token: str
    last_id: str = ""  # where to go on; empty: with what comes from now on
    retry_secs: float = 1.0
    failures: int = 0

    def messages(self) -> Iterator[Message]:
        """Yields message after message, for ever.

        Raises:
            Stopped: for a refusal that stays one.
        """
        while True:
            try:
                yield from self._connect()
            except (OSError, http.client.HTTPException) as error:
                print(f"not connected: {error!r}", file=sys.stderr)
            # What the broker says, longer while it cannot be reached; spread, so that not all come back at once.
            pause_secs = min(LONGEST_PAUSE_SECS, 0.1 * 2**self.failures) * random.uniform(0.5, 1)
            time.sleep(max(self.retry_secs, pause_secs))
            self.failures += 1

    def _connect(self) -> Iterator[Message]:
        url = urlsplit(self.url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.netloc, timeout=SILENCE_SECS)
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        try:
            connection.request("GET", f"{url.path}?{url.query}", headers=headers)
            response = connection.getresponse()
            if response.status == 200:
                self.failures = 0
                yield from self._read(response)
            else:
                self._learn(response.status, response.read().decode(), response.headers.get("Retry-After"))
        finally:
            connection.close()

    def _read(self, lines: Iterable[bytes]) -> Iterator[Message]:
        """Parses the event stream: https://html.spec.whatwg.org/multipage/server-sent-events.html"""
        block_id, data = self.last_id, []
        for line in (line.decode().rstrip("\r\n") for line in lines):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "id":
                block_id = value
            elif name == "data":
                data.append(value)
            elif name == "retry":
                self.retry_secs = int(value) / 1000
            elif line == "":  # the block is whole
                if data:
                    yield json.loads("\n".join(data))
                    data.clear()
                self.last_id = block_id  # not before the message was taken: who breaks off in between gets it again

    def _learn(self, status: int, problem: str, retry_after: str | None) -> None:
        """What a refusal means for the next attempt."""
        print(f"refused: {status} {problem}", file=sys.stderr)
        if status in FINAL:
            raise Stopped(problem)
        if status == 410:  # some of what was missed is gone for good: go on with the oldest that is kept
            self.last_id = json.loads(problem)["oldest"]
        if retry_after is not None:
            self.retry_secs = float(retry_after)


def main() -> None:
    subscriber = Subscriber(sys.argv[1], os.environ.get("CHAT_TOKEN", ""))
    try:
        for message in subscriber.messages():
            print(json.dumps(message), flush=True)
    except Stopped:
        sys.exit(1)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
