#!/usr/bin/env bash
# Run tests on three machines, with two workers on each, and make one report. Needs python3 with venv, and PyPI.
set -euo pipefail
cd "$(dirname "$0")"
work=$(cd ../.. && pwd)/target/many-machines
pulpcov() { ${PULPCOV:-cargo run --quiet --package pulpcov --} "$@"; }

mkdir -p "$work"
if [ ! -e "$work/venv/complete" ]; then
    python3 -m venv --clear "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check \
        'testrepository==0.0.*' 'stestr==4.*' 'python-subunit==1.*' 'coverage==7.17.*'
    touch "$work/venv/complete"
fi
export PATH=$work/venv/bin:$PATH PYTHONPATH=src PYTHONDONTWRITEBYTECODE=1

rm -rf "$work/stock" "$work/hosts"
cp -r stock host route.py "$work"
cp ../subunit/attach.py "$work/stock"
cd "$work/stock"

echo "--- The tests, on three machines with two workers each"
testr init
testr run --parallel --concurrency=3 --subunit >../results.subunit

echo "--- What the stream brought"
pulpcov subunit ls ../results.subunit

echo "--- One report, with the tests as contexts"
pulpcov combine --contexts=test-id ../results.subunit
pulpcov report --show-missing

echo "--- Which tests ran the line that takes something"
pulpcov who src/stock/orders.py::Stock.take
