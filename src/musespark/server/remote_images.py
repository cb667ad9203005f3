"""Pictures that are somewhere else: fetched only where the server allows it, and never from an address of its own network.

The name is looked up once, every address it has must be public, and the connection goes to the address that was checked, so
that a name cannot point elsewhere in between. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from musespark.content import MAX_IMAGE_BYTES, MAX_IMAGES, Image
from musespark.errors import BadImage
from musespark.server.failures import Refused

SECONDS = 10.0
"""For one picture, from the name to the last byte."""
_MOST_HEAD = 64_000


class Lookups:
    """Looks up the addresses of names, a few at a time, in threads that do nothing else: a name server that is slow to answer for a
    name of a client's choice holds up no one but those who want pictures. Made and used within one event loop.
    """

    def __init__(self, most: int = 8) -> None:
        self._free = asyncio.Semaphore(most)

    async def of(self, host: str, port: int) -> list[str]:
        """The addresses. Raises `OSError` and `ValueError`; who stops waiting leaves the thread to its lookup, which counts on."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()

        def tell(addresses: list[str], error: Exception | None) -> None:
            self._free.release()
            if not found.done():
                found.set_exception(error) if error else found.set_result(addresses)

        def look() -> None:
            addresses: list[str] = []
            failed: Exception | None = None
            try:
                addresses = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
            except Exception as error:  # it is raised where it is awaited; a lookup that told nobody would count for ever
                failed = error
            with suppress(RuntimeError):  # the server has ended meanwhile
                loop.call_soon_threadsafe(tell, addresses, failed)

        threading.Thread(target=look, name="musespark-lookup", daemon=True).start()
        return await found


async def fetched(addresses: Iterable[str], allowed: bool, lookups: Lookups) -> dict[str, Image]:
    """The pictures by address. Raises `Refused`."""
    found = list(dict.fromkeys(addresses))
    if found and not allowed:
        raise Refused("Pictures are not fetched from elsewhere by this server (muse serve --allow-remote-images would); send a "
                      "data URL with base64 instead.", code="remote_picture")
    if len(found) > MAX_IMAGES:
        raise Refused(f"There are {len(found)} pictures; at most {MAX_IMAGES} are read.", code="too_many")
    async with asyncio.TaskGroup() as group:
        tasks = {address: group.create_task(_outcome(address, lookups)) for address in found}
    for task in tasks.values():
        if isinstance(error := task.result(), Refused):
            raise error
    return {address: image for address, task in tasks.items() if isinstance(image := task.result(), Image)}


async def _outcome(address: str, lookups: Lookups) -> Image | Refused:
    try:
        async with asyncio.timeout(SECONDS):
            return Image.from_bytes(await _bytes(address, lookups))
    except TimeoutError:
        return _refused(address, f"it did not come within {SECONDS:g} seconds")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return _refused(address, "it cannot be reached, or does not answer as a web server does")
    except BadImage as error:
        return _refused(address, str(error).removeprefix("The picture cannot be used: ").rstrip("."))
    except Refused as error:
        return error


def _refused(address: str, reason: str) -> Refused:
    shown = re.sub("//[^/]*@", "//", address)[:120]  # a password in it is nobody's business
    return Refused(f"The picture at {shown!r} cannot be used: {reason}.", code="remote_picture")


async def _bytes(address: str, lookups: Lookups) -> bytes:
    """One GET, answered with 200 and a body of a known or an ending length."""
    parts = urlsplit(address)
    host = parts.hostname
    if not host or parts.username is not None or any(ord(character) <= 32 for character in address):
        raise _refused(address, "the address is not a plain one")
    secure = parts.scheme.lower() == "https"
    port = parts.port or (443 if secure else 80)
    place = _public(await lookups.of(host, port), address)
    reader, writer = await asyncio.open_connection(
        place, port, limit=_MOST_HEAD,
        ssl=_certificates() if secure else None, server_hostname=host if secure else None)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
        shown = named if parts.port is None else f"{named}:{port}"
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {shown}\r\nAccept: image/*\r\nUser-Agent: musespark\r\n\r\n".encode("ascii"))
        head = await reader.readuntil(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.[01] (\d{3})\b", head)
        if status is None:
            raise ValueError("no status line")
        if status[1] != b"200":
            raise _refused(address, f"it answered with status {status[1].decode()}")
        body = bytearray()
        while piece := await reader.read(65536):
            body += piece
            if len(body) > MAX_IMAGE_BYTES:
                raise _refused(address, f"it has more than {MAX_IMAGE_BYTES:,} bytes")
        return bytes(body)
    finally:
        writer.close()


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Loading them takes tens of milliseconds and gives the same each time."""
    return ssl.create_default_context()


def _public(places: list[str], address: str) -> str:
    """The first address of a name, if all of them are public."""
    if not all(map(is_public, places)):
        raise _refused(address, "it is an address of a private network")
    return places[0]


def is_public(place: str) -> bool:
    """Whether an IP address is one of the internet at large, however it is written."""
    address = ipaddress.ip_address(place.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return is_public(str(inner))
        if address in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if address not in _GIVEN_OUT or address in _EXAMPLES:
            return False
        if int(address) >> 32 & 0xFDFFFFFF == 0x5EFE:  # ISATAP: the way to an IPv4 address
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
"""Where all addresses of the internet are; what Python calls global is what it does not know to be anything else."""
_EXAMPLES = ipaddress.ip_network("3fff::/20")
