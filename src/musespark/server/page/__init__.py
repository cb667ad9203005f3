"""The page at `/`.

static.py      its files and their headers
page_info.py   what its form needs: models, tools, limits, defaults
run_body.py    the body it sends to start a run
built/         the files, built from web/ by `make page`
"""
