"""Who is behind a request, by the key that it brings."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request as HttpRequest

from musespark.server.errors import RequestRefused
from musespark.server.state import Caller
from musespark.store.keys import PREFIX, Key, Keys, hash_of
from musespark.store.purses import Purses
from musespark.store.runs import StoredRuns

FRESH = 1.0
"""Seconds that a key is taken for good after it was looked up: so soon does a revoked one end."""
_MOST = 10_000
"""Keys that are remembered."""


class KeyAuthenticator:
    """Those who have a key: `Authenticator` for `make_app`. Use it within `open`."""

    def __init__(self, runs: StoredRuns, *, required: bool = True) -> None:
        """required: whether those without one are refused; else they are nobody in particular, and have no limits."""
        self._keys, self._purses, self.required = Keys(runs.database), Purses(runs), required
        self._seen: OrderedDict[bytes, tuple[float, Key]] = OrderedDict()
        """By the hash of the secret, with when it was looked up."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[KeyAuthenticator]:
        """While the server runs, and its store is open."""
        async with self._purses.open():
            yield self

    async def __call__(self, http: HttpRequest) -> Caller:
        """Raises `RequestRefused`: 401 without a good key, 429 too often; `BudgetExhausted` where the day's money is spent."""
        secret = _secret(http)
        if not self.required and not secret.startswith(PREFIX):
            return Caller()
        key = await self._key(secret)
        if http.method != "POST":
            return Caller(key.id)
        wait = await self._purses.counted(key)
        if wait is not None:
            raise RequestRefused(f"This key may ask {key.per_minute:,} times a minute; ask again in {math.ceil(wait)} seconds.",
                          status=429, code="too_many_requests", retry_after=math.ceil(wait))
        return Caller(key.id, await self._purses.of(key))

    async def _key(self, secret: str) -> Key:
        hashed = hash_of(secret)
        found = self._seen.get(hashed)
        if found is not None and time.monotonic() - found[0] < FRESH:
            return found[1]
        key = await asyncio.to_thread(self._keys.find, secret) if secret else None
        if key is None:
            self._seen.pop(hashed, None)
            told = "is not known, or was revoked" if secret else "is missing"
            raise RequestRefused(f"The key {told}; send one as authorization: Bearer {PREFIX}... or as x-api-key.", status=401,
                          code="invalid_api_key")
        self._seen[hashed] = time.monotonic(), key
        self._seen.move_to_end(hashed)
        if len(self._seen) > _MOST:
            self._seen.popitem(last=False)
        return key


def _secret(http: HttpRequest) -> str:
    """What the request brings as a key, the way of either house."""
    kind, _, secret = http.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" and secret.strip() else http.headers.get("x-api-key", "").strip()
