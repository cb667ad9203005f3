"""A live server with scripted models, for the routes of runs."""

import httpx
import pytest
from server.conftest import live
from server.runs.routes.requests import models

from musespark.config import Config, Roles


@pytest.fixture(scope="module")
def scripted_server():
    with live(models(), config=Config(roles=Roles(explorer=("plain",)))) as found:
        yield found


@pytest.fixture(scope="module")
def http(scripted_server):
    with httpx.Client(base_url=scripted_server.url, timeout=60) as client:
        yield client
