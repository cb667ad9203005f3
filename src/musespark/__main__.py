"""`python -m musespark` is `muse`; torchrun starts it this way."""

from musespark.cli import main

if __name__ == "__main__":
    main()
