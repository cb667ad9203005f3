"""Authentication by API key: finds the caller of a request and the budget of its key."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.requests import Request as HttpRequest

from musespark.errors import StoreUnusable
from musespark.server.errors import RequestRefused
from musespark.server.resolve.key_scope import KeyScope
from musespark.server.state import Caller
from musespark.store.keys.budgets import KeyBudget, KeyBudgets, KeyBudgetSettings
from musespark.store.keys.key_store import PREFIX, ApiKey, KeyStore, hash_of
from musespark.store.runs.run_store import SqlRunStore

CACHE_SECONDS = 1.0
"""Seconds for which a key that was looked up counts as valid; after that a revoked or expired one is refused, and changes count."""
_MAX_CACHED = 10_000


class KeyAuthenticator:
    """`Authenticator` for `make_app` that accepts API keys. Use it within `open`."""

    def __init__(
        self,
        runs: SqlRunStore,
        *,
        required: bool = True,
        budgets: KeyBudgetSettings | None = None,
    ) -> None:
        """required: refuse requests without a key; otherwise they are anonymous and have no limits."""
        self._keys, self.required = KeyStore(runs.database), required
        self._budgets, self._database = KeyBudgets(runs, budgets), runs.database
        self._cache: OrderedDict[bytes, tuple[float, ApiKey]] = OrderedDict()
        """Keys by the hash of their secret, with the time of their lookup."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[KeyAuthenticator]:
        """Authenticate while the server runs and its store is open."""
        yield self

    async def __call__(self, http: HttpRequest) -> Caller:
        """Find the caller. Raises `RequestRefused` (401 without a valid key) and `StoreUnusable`."""
        secret = _secret(http)
        if not self.required and not secret.startswith(PREFIX):
            return Caller()
        key = await self._key(secret, is_for_metrics=http.url.path == "/metrics")
        return Caller(
            key.id,
            admit=partial(self._admit, key),
            pays=key.nanousd_per_day is not None,
            scope=KeyScope(key.models, key.modes),
        )

    async def _admit(self, key: ApiKey) -> KeyBudget:
        """Count a request that starts a run. Raises `RequestRefused` (429 above its rate) and `BudgetExhausted`."""
        wait = await self._budgets.count_request(key)
        if wait is not None:
            raise RequestRefused(
                f"This key is limited to {key.per_minute:,} requests a minute; retry in {math.ceil(wait)} seconds.",
                status=429,
                code="too_many_requests",
                retry_after=math.ceil(wait),
            )
        return await self._budgets.budget_of(key)

    async def _key(self, secret: str, is_for_metrics: bool = False) -> ApiKey:
        """Look a key up. While the store does not answer, one that was valid before still opens the metrics, which say so."""
        hashed = hash_of(secret)
        found = self._cache.get(hashed)
        if found is not None and time.monotonic() - found[0] < CACHE_SECONDS:
            return found[1]
        try:
            key = await self._database.in_thread(self._keys.find, secret) if secret else None
        except StoreUnusable:
            if found is not None and is_for_metrics:
                return found[1]
            raise
        if key is None:
            self._cache.pop(hashed, None)
            problem = "is not known, has expired, or was revoked" if secret else "is missing"
            raise RequestRefused(
                f"The key {problem}; send one as authorization: Bearer {PREFIX}... or as x-api-key.",
                status=401,
                code="invalid_api_key",
            )
        self._cache[hashed] = time.monotonic(), key
        self._cache.move_to_end(hashed)
        if len(self._cache) > _MAX_CACHED:
            self._cache.popitem(last=False)
        return key


def _secret(http: HttpRequest) -> str:
    """Return the request's key, from the header of OpenAI (also without its scheme), of Anthropic or of Azure."""
    said = http.headers.get("authorization", "").strip()
    kind, _, secret = said.partition(" ")
    if kind.lower() == "bearer" and secret.strip():
        return secret.strip()
    if said.startswith(PREFIX):
        return said
    named = (http.headers.get(name, "").strip() for name in ("x-api-key", "api-key"))
    return next(filter(None, named), "")
