import pytest
from models.providers.kinds import KEY, KINDS, VARIABLES


@pytest.fixture(autouse=True)
def no_proxy_and_one_key(monkeypatch):
    """Every provider has the same key and stands where the test says."""
    for variable in (
        *VARIABLES,
        "OLLAMA_HOST",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(variable, raising=False)
    for kind in KINDS:
        monkeypatch.setenv(kind.provider.key_variables[0], KEY)
