"""Images at web addresses: fetched only if the server allows it, and never from an address of a private network.

The host name is looked up once, each of its addresses must be public, and the connection is pinned to the address that was checked,
so that the name cannot lead elsewhere in between (DNS rebinding). Redirects are not followed, and proxies of the environment are
not used.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from musespark.content import MAX_IMAGE_BYTES, MAX_IMAGES, Image
from musespark.errors import BadImage
from musespark.server.errors import RequestRefused

if TYPE_CHECKING:
    import httpx2

_HEADERS = {
    "accept": "image/*",
    "accept-encoding": "identity",
    "connection": "close",
    "user-agent": "musespark",
}
"""`identity`: a small compressed body could expand to gigabytes."""


class ImageFetcher:
    """HTTP client for images of clients' requests. Use one within one event loop, and close it."""

    def __init__(self, max_lookups: int = 8, timeout: float = 10.0) -> None:
        """Start without connections.

        max_lookups: host names looked up at once, in threads of their own: a slow name server delays images alone.
        timeout: seconds for one image, from the lookup of its host to its last byte.
        """
        self.timeout = timeout
        self._executor = ThreadPoolExecutor(max_lookups, thread_name_prefix="musespark-dns")

    async def fetch(self, urls: Iterable[str], allowed: bool) -> dict[str, Image]:
        """Return the images by address. Raises `RequestRefused`."""
        found = list(dict.fromkeys(urls))
        if found and not allowed:
            raise RequestRefused(
                "This server does not fetch images from web addresses (muse serve --allow-remote-images would); "
                "send a data URL with base64 instead.",
                code="remote_picture",
            )
        if len(found) > MAX_IMAGES:
            raise RequestRefused(
                f"There are {len(found)} images; at most {MAX_IMAGES} are read.", code="too_many"
            )
        if not found:
            return {}
        async with _client() as client, asyncio.TaskGroup() as group:
            tasks = {url: group.create_task(self._outcome(client, url)) for url in found}
        for task in tasks.values():
            if isinstance(error := task.result(), RequestRefused):
                raise error
        return {
            url: image for url, task in tasks.items() if isinstance(image := task.result(), Image)
        }

    def close(self) -> None:
        """Start no more lookups."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _outcome(self, client: httpx2.AsyncClient, url: str) -> Image | RequestRefused:
        import httpx2

        try:
            async with asyncio.timeout(self.timeout):
                return Image.from_bytes(await self._download(client, url))
        except TimeoutError:
            return _refusal(url, f"it did not come within {self.timeout:g} seconds")
        except httpx2.InvalidURL:
            return _refusal(url, "the address is not a plain one")
        except (httpx2.HTTPError, OSError, ValueError):
            return _refusal(url, "it cannot be reached, or does not answer as a web server does")
        except BadImage as error:
            return _refusal(url, str(error).rpartition(" cannot be used: ")[2].rstrip("."))
        except RequestRefused as error:
            return error

    async def _download(self, client: httpx2.AsyncClient, address: str) -> bytes:
        """Return the body of a GET that is answered with 200, from the address that the host name was found to have."""
        import httpx2

        url = httpx2.URL(address)
        host = url.raw_host.decode("ascii")
        if not host or url.userinfo or any(ord(character) <= 32 for character in address):
            raise _refusal(address, "the address is not a plain one")
        port = url.port or (443 if url.scheme == "https" else 80)
        pinned = url.copy_with(host=_require_public(await self._look_up(host, port), address))
        async with client.stream(
            "GET",
            pinned,
            headers={**_HEADERS, "host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": host},
        ) as response:
            if response.status_code != 200:
                raise _refusal(address, f"it answered with status {response.status_code}")
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_IMAGE_BYTES:
                    raise _refusal(address, f"it has more than {MAX_IMAGE_BYTES:,} bytes")
        return bytes(body)

    async def _look_up(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host name. A lookup that nothing waits for any more still occupies its thread until it ends."""
        lookup = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._executor, lookup)
        return [str(entry[4][0]) for entry in found]


def _client() -> httpx2.AsyncClient:
    """Make a client that obeys no environment variable and follows no redirect; time is limited by its user."""
    import httpx2

    transport = httpx2.AsyncHTTPTransport(verify=_certificates(), trust_env=False)
    return httpx2.AsyncClient(
        transport=transport, trust_env=False, follow_redirects=False, timeout=None
    )


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Load the system's certificates, once: that takes tens of milliseconds."""
    return ssl.create_default_context()


def _refusal(url: str, reason: str) -> RequestRefused:
    shown = re.sub("//[^/]*@", "//", url)[:120]  # without a password
    return RequestRefused(
        f"The image at {shown!r} cannot be used: {reason}.", code="remote_picture"
    )


def _require_public(addresses: list[str], url: str) -> str:
    """Return the first address of a host. Raises `RequestRefused` unless all of them are public."""
    if not all(map(is_public, addresses)):
        raise _refusal(url, "it is an address of a private network")
    return addresses[0]


def is_public(text: str) -> bool:
    """Return True for an IP address of the public internet, in whatever form an IPv4 address is written within IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return is_public(str(inner))
        if address in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if address not in _ALLOCATED or address in _DOCUMENTATION:
            return False
        if int(address) >> 32 & 0xFDFFFFFF == 0x5EFE:  # ISATAP: a tunnel to an IPv4 address
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ALLOCATED = ipaddress.ip_network("2000::/3")
"""All addresses of the internet; Python calls global whatever it does not know to be something else."""
_DOCUMENTATION = ipaddress.ip_network("3fff::/20")
