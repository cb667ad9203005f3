"""The exception of all readers."""


class Unreadable(ValueError):
    """An answer, or a part of it, that is none of the shapes that are read."""
