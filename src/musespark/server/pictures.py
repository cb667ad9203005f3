"""Pictures on their way to a browser."""

from __future__ import annotations

from starlette.responses import Response

from musespark.content import Image

SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"}
"""What a browser may take for a picture."""


def image_response(image: Image) -> Response:
    """A picture, and nothing but a picture whatever its bytes say."""
    kind = image.media_type if image.media_type in SHOWN else "application/octet-stream"
    return Response(image.data, media_type=kind, headers={
        "x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "same-origin", "cache-control": "private, max-age=31536000, immutable"})
