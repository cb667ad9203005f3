"""The command line, `muse`.

`app.py`: the commands, and errors as exit codes. `commands/`: a file each command. `chat/`: the conversation of `muse chat`.
`view/`: how runs and trainings are shown. `help_format.py`: help in groups with examples, and suggestions. `completion.py`:
completion in a shell. `flags.py`: errors by the flag that was typed.
`text_input.py`: text in the encodings of files and pipes.
`uvicorn_server.py`: the HTTP server that `muse serve` runs. `extras.py`: optional installs. Nothing is imported to get here, so
that even the first Ctrl-C is handled.
"""

from __future__ import annotations

import sys


def main(args: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; an error is one sentence on stderr."""
    try:
        from musespark.cli.app import run

        code = run(sys.argv[1:] if args is None else args)
    except KeyboardInterrupt:
        code = 130
        if sys.stderr is not None:
            print("Stopped.", file=sys.stderr)
    sys.exit(code)
