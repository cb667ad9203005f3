"""The process that renders one drawing: an SVG on standard input, a PNG on standard output, within limits of the operating system.

Its arguments are the width and height in pixels and a font file. It is a process of its own because the renderer cannot be
interrupted, and aborts its process when a drawing needs more memory than there is.
"""

from __future__ import annotations

import resource
import sys

MEMORY = 1 << 30
"""Limit of address space, in bytes."""
CPU_SECONDS = 8
"""Limit of processor time."""


def main() -> None:
    """Render one drawing."""
    width, height, font = sys.argv[1:]
    from resvg_py import svg_to_bytes

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    svg = sys.stdin.buffer.read().decode()
    family = "Aileron" if font else None
    try:
        file = svg_to_bytes(
            svg_string=svg,
            width=int(width),
            height=int(height),
            font_files=[font] if font else None,
            font_family=family,
            sans_serif_family=family,
            serif_family=family,
            monospace_family=family,
            cursive_family=family,
            fantasy_family=family,
        )
    except ValueError as error:
        sys.exit(f"resvg: {error}")
    sys.stdout.buffer.write(file)


if __name__ == "__main__":
    main()
