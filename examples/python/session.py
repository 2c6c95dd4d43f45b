"""Who somebody is: a name, signed so that nobody can make up another's. A cookie's value, or a bearer token."""

import base64
import hashlib
import hmac

from chanctl import TOKEN


def write_session(name: str) -> str:
    payload = base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
    return f"{payload}.{_sign(payload)}"


def read_session(session: str) -> str | None:
    """The name; `None` if we did not sign it."""
    payload, _, signature = session.partition(".")
    if not hmac.compare_digest(signature.encode(), _sign(payload).encode()):
        return None
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()


def _sign(payload: str) -> str:
    # The token is the same after a restart, so sessions outlive it.
    return hmac.new(TOKEN.encode(), f"session {payload}".encode(), hashlib.sha256).hexdigest()
