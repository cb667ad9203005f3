"""The process that renders one drawing and ends: an SVG on its input, a PNG on its output, within limits that the system holds.

Its arguments are the width and the height in pixels, and a font's file. It is a process of its own because the renderer cannot be
interrupted, and ends whatever process it is in when a drawing asks for more memory than there is.
"""

from __future__ import annotations

import resource
import sys

BYTES = 1 << 30
"""Of address space."""
SECONDS = 8
"""Of a processor's time."""


def main() -> None:
    """Render."""
    width, height, font = sys.argv[1:]
    from resvg_py import svg_to_bytes

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    svg = sys.stdin.buffer.read().decode()
    family = "Aileron" if font else None
    try:
        file = svg_to_bytes(svg_string=svg, width=int(width), height=int(height), font_files=[font] if font else None,
                            font_family=family, sans_serif_family=family, serif_family=family, monospace_family=family,
                            cursive_family=family, fantasy_family=family)
    except ValueError as error:
        sys.exit(f"resvg: {error}")
    sys.stdout.buffer.write(file)


if __name__ == "__main__":
    main()
