"""The proxies and certificates that the environment names. Each problem is one sentence that names the variable.

Servers on this machine are reached directly, whatever the environment says.
"""

from __future__ import annotations

import functools
import os
import re
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from musespark.errors import BadEnvironment, NotInstalled
from musespark.models.providers.base import is_loopback, read_variable

SCHEMES = {"http": "http", "https": "https", "socks5": "socks5", "socks5h": "socks5h"}
SCHEMES["socks"] = "socks5"
"""Schemes of a proxy, and their name in the HTTP library."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ProxySetting:
    """A proxy, and the variable that names it."""

    variable: str
    value: str = field(repr=False)
    """Its address, which may hold a password."""

    @property
    def url(self) -> str:
        """The address as a URL. Raises `BadEnvironment` and `NotInstalled`."""
        value = self.value if "://" in self.value else f"http://{self.value}"
        try:
            parts = urlsplit(value)
            is_valid = bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", value)
        except ValueError:
            is_valid = False
        if not is_valid:
            raise BadEnvironment(
                self.variable,
                "it is not the address of a proxy",
                "set it to one such as http://host:3128, or unset it",
            )
        scheme = SCHEMES.get(parts.scheme.lower())
        if scheme is None:
            raise BadEnvironment(
                self.variable,
                f"{parts.scheme} is no kind of proxy that can be used here",
                f"set it to one of {', '.join(SCHEMES)}, or unset it",
            )
        if scheme.startswith("socks") and find_spec("socksio") is None:
            raise NotInstalled(f"The SOCKS proxy in {self.variable}", "socksio", "providers")
        return f"{scheme}://{parts.netloc}"

    @property
    def is_tls(self) -> bool:
        """True if the connection to the proxy itself is encrypted."""
        return self.value.lower().startswith("https://")


def find_proxy(address: str) -> ProxySetting | None:
    """The proxy for an address; None if it is reached directly."""
    url = urlsplit(address)
    if is_loopback(address) or _is_excepted(url):
        return None
    names = [f"{url.scheme}_proxy", f"{url.scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]
    if "REQUEST_METHOD" in os.environ:  # a CGI script: a client's header named Proxy sets it
        names.remove(f"{url.scheme}_proxy".upper())
    for name in names:
        if value := read_variable(name):
            return ProxySetting(name, value)
    if sys.platform in ("darwin", "win32") and (value := getproxies().get(url.scheme)):
        return ProxySetting("the system's settings", value)
    return None


def _is_excepted(url: SplitResult) -> bool:
    """True if NO_PROXY names a host: by name, ending, address or network, with or without a port."""
    host = (url.hostname or "").rstrip(".")
    port = url.port or _PORTS.get(url.scheme)
    listed = read_variable("no_proxy") or read_variable("NO_PROXY") or ""
    return any(_matches(entry, host, port) for entry in re.split(r"[\s,;]+", listed.lower()))


def _matches(entry: str, host: str, port: int | None) -> bool:
    entry = entry.partition("://")[2] or entry
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d+))?", entry)
    if found is None or (found[2] and int(found[2]) != port):
        return False
    name = found[1].strip("[]").removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def require_usable_environment() -> None:
    """Raise `BadEnvironment` for the first proxy or certificates that cannot be used, whatever they are for."""
    load_certificates()
    for name in (
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ):
        if value := read_variable(name):
            _ = ProxySetting(name, value).url


def load_certificates() -> ssl.SSLContext:
    """Load the certificates that servers are checked against, once: it takes tens of milliseconds and gives the same each time.

    SSL_CERT_FILE and SSL_CERT_DIR replace the system's, as in OpenSSL; REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE are added to them.
    Raises `BadEnvironment`.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    return _load(tuple((name, value) for name in names if (value := read_variable(name))))


@functools.lru_cache(maxsize=4)
def _load(settings: tuple[tuple[str, str], ...]) -> ssl.SSLContext:
    import httpx2

    own = dict(settings)
    replaces = "SSL_CERT_FILE" in own or _has_folder(own)
    context = (
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if replaces
        else httpx2.create_ssl_context(trust_env=False)
    )
    for variable, value in settings:
        for path in _paths(variable, value, "SSL_CERT_FILE" in own):
            _add(context, variable, path)
    return context


def _has_folder(own: dict[str, str]) -> bool:
    return any(
        Path(each).is_dir() for each in own.get("SSL_CERT_DIR", "").split(os.pathsep) if each
    )


def _paths(variable: str, value: str, is_optional: bool) -> Iterator[Path]:
    """The files and folders of a variable. A list of folders may name some that do not exist."""
    if variable != "SSL_CERT_DIR":
        yield Path(value).expanduser()
        return
    folders = [Path(each).expanduser() for each in value.split(os.pathsep) if each]
    there = [folder for folder in folders if folder.is_dir()]
    yield from there if there or is_optional else folders[:1]


def _add(context: ssl.SSLContext, variable: str, path: Path) -> None:
    try:
        if path.is_dir():
            context.load_verify_locations(capath=str(path))
        else:
            context.load_verify_locations(cafile=str(path))
    except ssl.SSLError:
        reason = f"{str(path)!r} holds no certificates in PEM form"
    except OSError as error:
        reason = f"{str(path)!r} cannot be read ({error.strerror or error})"
    else:
        return
    raise BadEnvironment(variable, reason, "set it to a file of certificates, or unset it")
