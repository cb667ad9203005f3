"""Addresses of servers in the words of libraries and providers: taken out before a stranger reads them."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from musespark.models.providers.base import is_private

SERVER = "its server"
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>)\]]+", re.IGNORECASE)
_PORT = re.compile(r"\b(?:[a-z0-9_-]+\.)*[a-z0-9_-]+:\d{4,5}\b", re.IGNORECASE)
_CONNECT_CALL = re.compile(r"(?i)connect call failed \([^()]*\)")
"""Python's words for a refused connection, with the address as a tuple."""
_IPV4 = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b")


def without_addresses(text: str, address: str) -> str:
    """Return a text without the server's address, private addresses, and hosts with ports."""
    url = urlsplit(address)
    for known in (address, url.netloc):
        if known:
            text = text.replace(known, SERVER)
    text = _URL.sub(lambda found: _hidden_url(found[0]), text)
    text = _IPV4.sub(lambda found: SERVER if _is_address(found[0]) else found[0], text)
    text = _PORT.sub(SERVER, text)
    text = _CONNECT_CALL.sub("the connection failed", text)
    if url.hostname and len(url.hostname) > 3:
        text = re.sub(rf"(?<![\w.-]){re.escape(url.hostname)}(?![\w-])", SERVER, text)
    return text


def _hidden_url(url: str) -> str:
    """Return a URL of the internet as it is, and of any other the word for a server."""
    try:
        return SERVER if is_private(url) or urlsplit(url).port is not None else url
    except ValueError:
        return SERVER


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition(":")[0])
    except ValueError:
        return False
    return True
