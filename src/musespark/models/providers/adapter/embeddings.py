"""Embeddings of texts: a request is passed on to a server that speaks OpenAI's protocol, and so is its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from musespark.errors import BeyondModel, ModelFailed
from musespark.models.providers.adapter.connections import make_client
from musespark.models.providers.adapter.failures import to_muse_error

if TYPE_CHECKING:
    from musespark.models.providers.adapter.remote import RemoteModel


async def embed(model: RemoteModel, body: Mapping[str, Any]) -> dict[str, Any]:
    """Ask a model for embeddings. body: of the request; its model is replaced by the provider's name for it.

    Raises `BeyondModel` and `MissingKey` before anything is sent, `ModelFailed` or `RateLimited` after.
    """
    from pydantic_ai.exceptions import ModelHTTPError

    if not model.provider.has_embeddings:
        raise BeyondModel(model.name, "embed texts", "choose a model of another provider")
    key = model.read_key()
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        async with make_client(model.address, model.options.timeout) as client:
            reply = await client.post(
                f"{model.address}/embeddings",
                json={**body, "model": model.model},
                headers=headers,
            )
        if reply.status_code >= 400:
            raise ModelHTTPError(reply.status_code, model.model, reply.text)
        found = reply.json()
    except Exception as error:
        # The libraries raise many types; any of them means that the call failed, and none may show the key.
        failed = to_muse_error(
            error, model.name, model.model, model.shown_address, model.key_variable, key
        )
    else:
        if isinstance(found, dict) and isinstance(found.get("data"), list):
            return found
        failed = ModelFailed(
            model.name, f"{model.shown_address} sent no embeddings; check the address"
        )
    # Outside the handler: the error raised here must not carry the library's, which holds the whole request.
    raise model.make_discreet(failed)
