#!/bin/sh
# Two questions for the native model, with the agents' lanes live in the terminal. `make demo` runs this; options, such as
# --model or --seed, are passed on to both questions.
set -eu
cd "$(dirname "$0")/.."
PS4='$ '
set -x
muse ask "Find a safe shortest way across the frozen lake to the goal." --image examples/lake.png --mode contemplating "$@"
muse ask "Use 25, 3, 7 and 12 to make 66." --mode contemplating "$@"
