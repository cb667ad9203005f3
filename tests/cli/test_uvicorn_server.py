"""The parts of uvicorn that the command line relies on are there."""

import inspect

import uvicorn

from musespark.cli.uvicorn_server import AnnouncedServer


def test_the_internals_that_are_relied_on_exist():
    for name in ("startup", "shutdown", "handle_exit", "capture_signals"):
        assert callable(getattr(uvicorn.Server, name))
        assert name == "handle_exit" or name in vars(AnnouncedServer)
    assert "sockets" in inspect.signature(uvicorn.Server.startup).parameters
    assert "sockets" in inspect.signature(uvicorn.Server.shutdown).parameters
    server = uvicorn.Server(uvicorn.Config(lambda: None))
    assert server._captured_signals == [] and server.should_exit is False
