"""What holds for the package as a whole."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_socket

import musespark

ROOT = Path(__file__).parents[1]


def test_imports_go_down_the_floors():
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_answering_without_an_image_imports_no_heavy_library():
    code = (
        "import sys, musespark; musespark.ask_sync('?', model='fake:team');"
        "print(*{'numpy', 'PIL', 'pydantic', 'rich', 'typer', 'torch'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""


def test_every_public_name_is_there():
    assert all(getattr(musespark, name) for name in musespark.__all__)
    assert set(musespark.__all__) <= set(dir(musespark))
    with pytest.raises(AttributeError, match="nonsense"):
        musespark.nonsense  # noqa: B018


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_the_network_is_locked(address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with (
        socket.socket(family) as connection,
        pytest.raises(pytest_socket.SocketConnectBlockedError),
    ):
        connection.connect(address)
