#!/bin/sh
# Installs Debian's Chromium where no Chromium is found: the page is tested in it.
set -e
for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
	if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if ! command -v apt-get >/dev/null 2>&1; then
	echo "The page is tested in Chromium and this machine has none; install it, or leave the tests in tests/page out." >&2
	exit 1
fi
as_root=""
if [ "$(id -u)" != 0 ]; then as_root="sudo"; fi
echo "Installing Chromium, which the page is tested in"
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-liberation >/dev/null
