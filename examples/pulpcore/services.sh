# Pulp and everything that it needs, for scripts to source. All files are in $work, except the database. A script that
# sources this has to call stop_everything, so that no process outlives it. $launcher is the command that starts Pulp's
# processes.

work=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/pulpcore
venv=$work/venv
python=$venv/bin/python
launcher=("$python")
declare -A started=()

# Installs the packages, unless they are there, and chooses free ports.
prepare() {
    local packages=('pulpcore==3.123.*' 'coverage==7.17.*')
    mkdir -p "$work"
    exec 9>"$work/lock"
    flock --nonblock 9 || { echo "another run uses $work: wait until it has ended" >&2 && exit 1; }
    if [ "$(cat "$venv/complete" 2>/dev/null)" != "${packages[*]}" ]; then
        python3 -m venv --clear "$venv"
        "$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
        echo "${packages[*]}" >"$venv/complete"
    fi
    free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
    export API=127.0.0.1:$(free_port) CONTENT=127.0.0.1:$(free_port) UPSTREAM=127.0.0.1:$(free_port)
    export PULP_WORK=$work/pulp PULP_SETTINGS=$PWD/settings.py
}

# Starts a service in a process group of its own, so that all its processes can be killed.
start() {
    local name=$1
    shift
    set -m
    "$@" >"$work/$name.log" 2>&1 9>&- &
    set +m
    started[$name]=$!
}

stop() {
    kill -s "$2" -- "-${started[$1]}"
    wait "${started[$1]}" 2>/dev/null || true
    unset "started[$1]"
}

# PostgreSQL refuses to run as root. Its user may not be able to enter the folders of the user who runs this.
as_postgres() { (cd / && if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi); }

start_database() {
    programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
    [ -x "$programs/initdb" ] || { echo "install postgresql" >&2 && exit 1; }
    PULP_DATABASE=$(as_postgres mktemp -d /tmp/pulpcov-postgres-XXXXXX)
    export PULP_DATABASE
    as_postgres "$programs/initdb" --pgdata="$PULP_DATABASE/data" --username=pulp --auth=trust --encoding=UTF8 --no-sync >"$work/initdb.log"
    start database as_postgres "$programs/postgres" -D "$PULP_DATABASE/data" -k "$PULP_DATABASE" -c listen_addresses= -c fsync=off
    until "$programs/pg_isready" --quiet --host="$PULP_DATABASE"; do
        kill -0 "${started[database]}" || { cat "$work/database.log" >&2 && exit 1; }
        sleep 0.1
    done
}

# Creates an empty Pulp. Its commands are not measured, because the report is to show only what the services ran.
create_pulp() {
    PGOPTIONS=--client-min-messages=warning "$programs/dropdb" --host="$PULP_DATABASE" --username=pulp --if-exists --force pulp
    "$programs/createdb" --host="$PULP_DATABASE" --username=pulp pulp
    rm -rf "$PULP_WORK"
    mkdir -p "$PULP_WORK"/{media,static,tmp}
    "$python" -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())' >"$PULP_WORK/key"
    PULPCOV_HOOK=off "$venv/bin/pulpcore-manager" migrate >"$work/migrate.log" 2>&1
    PULPCOV_HOOK=off "$venv/bin/pulpcore-manager" reset-admin-password --password password >>"$work/migrate.log" 2>&1
}

start_pulp() {
    start upstream "$python" upstream.py "$UPSTREAM"
    start api "${launcher[@]}" "$venv/bin/pulpcore-api" --bind "$API" --workers 2 --no-control-socket
    start content "${launcher[@]}" "$venv/bin/pulpcore-content" --bind "$CONTENT" --workers 2 --no-control-socket
    start worker-1 "${launcher[@]}" "$venv/bin/pulpcore-worker"
    start worker-2 "${launcher[@]}" "$venv/bin/pulpcore-worker"
    use services
}

use() { PULPCOV_HOOK=off "$python" use.py "$@"; }

# Prints the names of both workers. The one with this process number comes first.
workers_from() {
    if [ "${started[worker-1]}" = "$1" ]; then echo worker-1 worker-2; else echo worker-2 worker-1; fi
}

stop_everything() {
    for name in "${!started[@]}"; do
        [ "$name" = database ] || stop "$name" KILL
    done
    [ -z "${started[database]:-}" ] || stop database INT
    [ -z "${PULP_DATABASE:-}" ] || rm -rf "$PULP_DATABASE"
}
