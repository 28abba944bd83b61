#!/usr/bin/env bash
# Runs run.sh, and takes the pictures of the pages beside this file from what it prints and writes.
#
#     examples/questions/pictures.sh
#
# Needs Chromium, pngquant, and what run.sh needs. PULPCOV and PYTHON are as there.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=$PWD/examples/questions
pulpcov=$(realpath "${PULPCOV:-target/release/pulpcov}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shop=$work/shop
examples/questions/run.sh "$shop" >"$work/answers"

# Takes a picture of a page: picture NAME PAGE WIDTH HEIGHT.
picture() {
    chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
        --disable-sync --disable-quic --hide-scrollbars --user-data-dir="$work/profile" --window-size="$3,$4" \
        --virtual-time-budget=3000 --screenshot="$here/$1" "file://$2" 2>"$work/log" || { cat "$work/log"; exit 1; }
    pngquant --force --output "$here/$1" 64 "$here/$1"
}

# Takes a picture of a terminal with one answer of run.sh, in lines of 100 characters: terminal NAME COMMAND.
terminal() {
    local answer
    answer=$(awk -v prompt="\$ pulpcov $2" '/^\$ / { found = $0 == prompt } found' "$work/answers" | fold -s -w 100)
    [ -n "$answer" ] || { echo "run.sh does not ask: pulpcov $2"; exit 1; }
    {
        echo '<!doctype html><meta charset=utf-8>'
        echo '<style>body { margin: 0; background: #1b1f24 } b { color: #7ee787 }'
        echo 'pre { margin: 0; padding: 12px 16px; font: 14px/20px monospace; color: #e6edf3 }</style>'
        printf '<pre>'
        sed -e 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' -e '1s/^\$/<b>$<\/b>/' <<<"$answer"
        echo '</pre>'
    } >"$work/terminal.html"
    picture "$1" "$work/terminal.html" 880 $((24 + 20 * $(wc -l <<<"$answer")))
}

terminal tests.png "tests-for --explain"
terminal fell.png "patch --only-new-misses --baseline=main.data"
terminal merge.png "gate"

picture changes.png "$(echo "$shop"/htmlcov/*_cart_py.html)" 1000 792

# The source as it is on the main branch, with the tests that ran line 20 below it.
cd "$shop"
"$pulpcov" html --quiet --show-contexts --data-file=main.data --source-rev=main --directory=main
echo 'addEventListener("load", () => document.querySelector("#t20 button").click());' >>"$(echo main/report_*.js)"
picture lines.png "$(echo "$shop"/main/*_cart_py.html)" 1000 782
