"""Responses with an image."""

from __future__ import annotations

from starlette.responses import Response

from musespark.content import Image

ALLOWED_TYPES = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"}
"""Media types that a browser may show as an image."""


def image_response(image: Image) -> Response:
    """Build a response that a browser takes for an image and nothing else, whatever its bytes say."""
    kind = image.media_type if image.media_type in ALLOWED_TYPES else "application/octet-stream"
    return Response(
        image.data,
        media_type=kind,
        headers={
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "private, max-age=31536000, immutable",
        },
    )
