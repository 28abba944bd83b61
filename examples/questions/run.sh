#!/usr/bin/env bash
# Makes a small project with a history, measures it, and asks the questions of the pages beside this file.
#
#     examples/questions/run.sh [FOLDER]
#
# FOLDER is made anew; the default is target/questions. Needs git and Python. PULPCOV names the command, and PYTHON a Python
# with pytest and pytest-cov; without it, a virtual environment is made in target/.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=${1:-target/questions}
pulpcov=$(realpath "${PULPCOV:-target/release/pulpcov}")
if [ -z "${PYTHON:-}" ]; then
    [ -x target/questions-venv/bin/pytest ] || {
        python3 -m venv target/questions-venv
        target/questions-venv/bin/pip install -q --disable-pip-version-check pytest==8.4.2 pytest-cov==7.0.0 coverage==7.17.5
    }
    PYTHON=target/questions-venv/bin/python
fi
python=$(cd "$(dirname "$PYTHON")" && pwd)/$(basename "$PYTHON")
rm -rf "$folder"
mkdir -p "$folder"
cp -r examples/questions/shop/. "$folder"
change=$PWD/examples/questions/change.diff
cd "$folder"

# The same history everywhere: dates and names are part of a commit's hash.
export GIT_AUTHOR_NAME=Ann GIT_AUTHOR_EMAIL=ann@example.org GIT_AUTHOR_DATE=2026-01-01T00:00:00Z
export GIT_COMMITTER_NAME=Ann GIT_COMMITTER_EMAIL=ann@example.org GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null PYTHONDONTWRITEBYTECODE=1

# Prints a command as it is typed, and runs it. Its exit code is printed if it is not 0.
ask() {
    echo "\$ pulpcov $*"
    local code=0
    "$pulpcov" "$@" 2>&1 || code=$?
    [ "$code" = 0 ] || echo "exit code $code"
    echo
}
measure() {
    "$python" -m pytest -q -p no:cacheprovider --cov=src --cov-branch --cov-context=test --cov-report= "$@" >/dev/null
}

git init -q -b main
measure
git add -A
git commit -q -m "The shop"

ask who src/shop/cart.py::Cart.add
ask who src/shop/cart.py:20 --format=pytest
ask who --of tests/test_cart.py::test_discount
ask who --unused-tests

cp .coverage main.data
git checkout -q -b discount
git apply "$change"
ask tests-for --explain
ask tests-for
"$pulpcov" tests-for -o tests.txt

measure
ask patch --fail-under=90
ask html --patch --show-contexts

ask patch --only-new-misses --baseline=main.data
ask who src/shop/tax.py:9 --data-file=main.data
ask gate --baseline=main.data --baseline-rev=main

# The main branch gets a ratchet, and the new branch gets it from there.
git commit -q -a -m "One thing is free"
git checkout -q main
measure
ask gate --update
git add .pulpcov-ratchet
git commit -q -m "No file may get worse"
git checkout -q discount
git rebase -q main
measure
ask gate
ask report --fail-under=85
