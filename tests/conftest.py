"""For all tests: machines are shared and noisy, so no example has a deadline."""

from hypothesis import settings

settings.register_profile("shared", deadline=None)
settings.load_profile("shared")
