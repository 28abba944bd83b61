#!/usr/bin/env bash
# Make the HTML report of the sample folder, and take report.png, the picture in the README.
#
#     picture.sh [MODULE]
#
# The picture shows the source page of MODULE, by default that of `storage`. Needs Chromium, and pulpcov as $PULPCOV, by
# default the debug build.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
pulpcov=$(realpath "${PULPCOV:-$here/../../target/debug/pulpcov}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here"
"$pulpcov" combine --quiet --keep --data-file="$work/.coverage" data
"$pulpcov" html --quiet --show-contexts --data-file="$work/.coverage" --source-root=src --title=pulpmini \
    --no-cache --directory="$work/report"
page=$(basename "$work"/report/*_"${1:-storage}"_py.html)
chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --disable-quic --hide-scrollbars --user-data-dir="$work/profile" --window-size=1100,620 --virtual-time-budget=3000 \
    --screenshot="$here/report.png" "file://$work/report/$page" 2>"$work/log" || { cat "$work/log"; exit 1; }
