#!/usr/bin/env bash
# Measure Celery's workers, kill them, and show that nothing is lost. Needs redis-server, python3 with venv, and PyPI.
set -euo pipefail
cd "$(dirname "$0")"
work=$(cd ../.. && pwd)/target/celery-redis
python=$work/venv/bin/python
pulpcov() { ${PULPCOV:-cargo run --quiet --package pulpcov --} "$@"; }

rm -rf "$work/data" "$work/report"
mkdir -p "$work"
if [ ! -e "$work/venv/complete" ]; then
    python3 -m venv --clear "$work/venv"
    "$python" -m pip install --quiet --disable-pip-version-check 'celery[redis]==5.7.*' 'coverage==7.17.*'
    touch "$work/venv/complete"
fi

echo "--- Redis, on a port of its own"
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export BROKER=redis://127.0.0.1:$port/0
redis-server --port "$port" --save "" --dir "$work" >"$work/redis.log" &
redis=$!
finish() {
    [ -z "${worker:-}" ] || kill -KILL -- "-$worker" 2>/dev/null || true
    kill "$redis" 2>/dev/null || true
    pulpcov hook uninstall --python "$python"
}
trap finish EXIT

echo "--- The hook, into the virtual environment; the service does not know of it"
pulpcov hook install --python "$python" --source tasks --branch --data-root "$work/data" --flush-interval 1s

echo "--- A worker with two child processes"
set -m # so that the worker and its children are a process group
"$python" -m celery -A tasks worker --concurrency=2 --loglevel=error >"$work/celery.log" 2>&1 &
worker=$!
set +m
PULPCOV_HOOK=off "$python" order.py
sleep 2

echo "--- Who is measured"
pulpcov hook status --python "$python"

echo "--- Killed, with no chance to save anything"
kill -KILL -- "-$worker"
wait "$worker" 2>/dev/null || true

echo "--- The report"
pulpcov hook report "$work/report" --data-root "$work/data"
