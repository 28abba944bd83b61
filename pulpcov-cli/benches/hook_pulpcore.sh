#!/usr/bin/env bash
# Compare the lines of Pulp that coverage.py alone measures with those that the hook measures, in the scenario of
# examples/pulpcore. Prints a table, and the lines that differ.
#
#     PULPCOV=target/release/pulpcov pulpcov-cli/benches/hook_pulpcore.sh
#
# coverage.py measures two runs, and clean stops end both. The hook measures one run that clean stops end, and one that
# kills end. No two runs are the same, because Pulp's processes share the work by chance. coverage.py's second run shows
# how much that matters.
set -euo pipefail
[ -z "${PULPCOV:-}" ] || PULPCOV=$(realpath "$PULPCOV")
cd "$(dirname "$0")/../../examples/pulpcore"
source services.sh
pulpcov() { ${PULPCOV:-cargo run --quiet --package pulpcov --} "$@"; }
runs=$work/compared

main() {
    prepare
    trap finish EXIT
    rm -rf "$runs"
    mkdir -p "$runs"
    write_settings
    start_database
    for number in 1 2; do
        launcher=("$python" -m coverage run "--rcfile=$runs/coveragerc" "--data-file=$runs/coverage-$number/.coverage")
        measure "coverage-$number" stop_cleanly
    done
    launcher=("$python")
    for way in stop_cleanly kill_all; do
        pulpcov hook install --python "$python" --source pulpcore --source pulp_file --branch --config "$PWD/coveragerc" \
            --data-root "$runs/hook-$way" --flush-interval 1s
        measure "hook-$way" "$way"
        pulpcov hook uninstall --python "$python"
    done
    table
}

# coverage.py needs these settings to measure processes that fork, and that SIGTERM stops.
write_settings() {
    cat coveragerc - >"$runs/coveragerc" <<'SETTINGS'
source = pulpcore, pulp_file
branch = true
parallel = true
patch = subprocess, _exit, fork
sigterm = true
SETTINGS
}

measure() {
    echo "--- $1" >&2
    mkdir -p "$runs/$1"
    create_pulp
    start_pulp
    use copy upload clean_up cancel reclaim profile
    "$2" "$runs/$1"
    stop upstream KILL
}

stop_cleanly() {
    for name in api content worker-1 worker-2; do
        stop "$name" TERM
    done
}

# Waits until the data has the last function that each kind of process ran.
kill_all() {
    for done in pulpcore/app/viewsets/task.py:profile_artifacts pulpcore/app/tasks/reclaim_space.py:reclaim_space \
        pulpcore/tasking/worker.py:supervise_task; do
        PULPCOV_HOOK=off "$python" rows.py wait "$1" "$done"
    done
    for name in api content worker-1 worker-2; do
        stop "$name" KILL
    done
}

table() {
    PULPCOV_HOOK=off "$python" - "$runs" <<'PYTHON'
import sys
from pathlib import Path

from coverage import CoverageData

runs = Path(sys.argv[1])
lines = {}
for name in ("coverage-1", "coverage-2", "hook-stop_cleanly", "hook-kill_all"):
    lines[name] = set()
    for file in runs.joinpath(name).rglob(".coverage.*"):
        data = CoverageData(file)
        data.read()
        for path in data.measured_files():
            lines[name].update((path.split("/site-packages/")[-1], line) for line in data.lines(path))

first = lines["coverage-1"]
print("| | lines | not in the first run of coverage.py | only there |\n|---|---|---|---|")
for name, some in lines.items():
    print("| %s | %d | %d | %d |" % (name, len(some), len(some - first), len(first - some)))


def show(title, some):
    by_file = {}
    for path, line in sorted(some):
        by_file.setdefault(path, []).append(line)
    print("\n%s: %d lines" % (title, len(some)))
    for path, numbers in by_file.items():
        print("    %s %s" % (path, ", ".join(map(str, numbers))))


of_coverage = lines["coverage-1"] | lines["coverage-2"]
of_hook = lines["hook-stop_cleanly"] | lines["hook-kill_all"]
show("only by coverage.py, in both of its runs", (lines["coverage-1"] & lines["coverage-2"]) - of_hook)
show("only by the hook, in both of its runs", (lines["hook-stop_cleanly"] & lines["hook-kill_all"]) - of_coverage)
show("by coverage.py and by the hook after clean stops, but not after kills", (first & lines["coverage-2"] & lines["hook-stop_cleanly"]) - lines["hook-kill_all"])
PYTHON
}

finish() {
    stop_everything
    pulpcov hook uninstall --python "$python" >/dev/null 2>&1 || true
}

main
