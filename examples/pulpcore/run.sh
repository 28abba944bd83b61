#!/usr/bin/env bash
# Measure Pulp, kill a worker, a task and the API, and check that nothing is lost. Needs postgresql, python3 with venv,
# and PyPI.
set -euo pipefail
cd "$(dirname "$0")"
source services.sh
pulpcov() { ${PULPCOV:-cargo run --quiet --package pulpcov --} "$@"; }
rows() { PULPCOV_HOOK=off "$python" rows.py "$@"; }
finish() {
    stop_everything
    pulpcov hook uninstall --python "$python"
}

echo "--- Packages, PostgreSQL, an empty Pulp"
prepare
trap finish EXIT
data=$work/data
report=$work/report
rm -rf "$data" "$report"
start_database
create_pulp

echo "--- The hook, into the virtual environment; Pulp does not know of it"
pulpcov hook install --python "$python" --source pulpcore --source pulp_file --branch \
    --config "$PWD/coveragerc" --data-root "$data" --flush-interval 1s

echo "--- API, content app, two workers"
start_pulp

echo "--- Copied, published, served, uploaded, cleaned up, cancelled"
use copy upload clean_up cancel

echo "--- Who is measured"
pulpcov hook status --python "$python"

echo "--- One worker begins a task that never ends, the other does one, and is killed with all that belongs to it"
pid=$(use replicate)
read -r busy idle <<<"$(workers_from "$pid")"
use reclaim
rows wait "$data" --pid "${started[$idle]}" pulpcore/tasking/worker.py:supervise_task
stop "$idle" KILL

echo "--- The process of the task that never ends is killed; its worker lives, and says so"
rows wait "$data" pulpcore/app/tasks/replica.py:user_agent
pkill -KILL --parent "$pid"
use failed

echo "--- The API is killed, all of its processes"
use profile
rows wait "$data" pulpcore/app/viewsets/task.py:profile_artifacts
stop api KILL

echo "--- The rest is stopped as a service manager does"
stop content TERM
stop "$busy" TERM

echo "--- The report"
pulpcov hook report "$report" --data-root "$data" >"$work/table.txt"
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# `hook report` has already shown the warnings.
of_report() { (cd "$site" && pulpcov report --data-file="$report/.coverage" "$@" 2>"$work/warnings.txt"); }
of_report --by=dir
total=$(of_report --format=total)
[ "$total" -ge 40 ] && [ "$total" -le 50 ] || { echo "a total of $total% is not what this scenario runs" >&2 && exit 1; }

echo "--- What those ran that were killed is there"
rows check "$report/.coverage" pulpcore/app/tasks/reclaim_space.py:reclaim_space \
    pulpcore/app/tasks/replica.py:replicate_distributions pulpcore/app/viewsets/task.py:profile_artifacts
echo "--- And what the others ran"
rows check "$report/.coverage" pulp_file/app/tasks/synchronizing.py:synchronize pulp_file/app/tasks/publishing.py:publish \
    pulpcore/app/tasks/orphan.py:orphan_cleanup pulpcore/app/models/upload.py:append pulpcore/tasking/_util.py:child_signal_handler \
    pulpcore/tasking/worker.py:shutdown
echo "--- But not what nobody ran"
rows check "$report/.coverage" --not pulpcore/app/tasks/importer.py:pulp_import pulpcore/app/tasks/purge.py:purge
