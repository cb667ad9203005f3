#!/bin/sh
# Two questions for the native model, with the agents' lanes live in the terminal. `make demo` runs this; options, such as
# --model or --seed, are passed on to both questions.
set -eu
cd "$(dirname "$0")/.."
across="Find a safe shortest way across the frozen lake to the goal."
reach="Use 25, 3, 7 and 12 to make 66."
echo "\$ muse ask \"$across\" --image examples/lake.png --mode contemplating${*:+ $*}"
muse ask "$across" --image examples/lake.png --mode contemplating "$@"
echo "\$ muse ask \"$reach\" --mode contemplating${*:+ $*}"
muse ask "$reach" --mode contemplating "$@"
