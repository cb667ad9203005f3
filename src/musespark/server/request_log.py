"""One line of JSON for each request, under an id that the client gets as well."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def write_line(line: str) -> None:
    """Write a line to the error output, whole."""
    print(line, file=sys.stderr, flush=True)


class RequestLog:
    """Middleware that logs requests. No line holds a question, an answer, a secret or a query."""

    def __init__(self, app: ASGIApp, write: Callable[[str], None] = write_line) -> None:
        self._app, self._write = app, write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, id, status = time.monotonic(), uuid.uuid4().hex, 0

        async def noting(message: Message) -> None:
            nonlocal id, status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = dict(message["headers"])
                if b"x-request-id" in headers:
                    id = headers[b"x-request-id"].decode()
                else:
                    message = {
                        **message,
                        "headers": [*message["headers"], (b"x-request-id", id.encode())],
                    }
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            caller = scope.get("muse.caller")
            line = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "id": id,
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "seconds": round(time.monotonic() - began, 3),
                "key": caller.name if caller is not None else "",
            }
            self._write(json.dumps(line))
