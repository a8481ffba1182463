#!/bin/sh
# Puts Debian's promtool into a folder, without root: promtool.sh FOLDER
# Where that is not possible, FOLDER/missing says why, and the tests that want it are skipped with that reason.
set -u
folder=$1
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
[ -x "$folder/promtool" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

give_up() {
    echo "$1" > "$folder/missing"
    exit 0
}

download() {
    (cd "$work" && timeout 300 apt-get "$@" download prometheus > "$work/log" 2>&1)
}

# A machine whose package lists are old or missing gets lists of its own, which need no root.
download_with_new_lists() {
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    options="-o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache"
    # shellcheck disable=SC2086
    timeout 300 apt-get $options update > "$work/log" 2>&1 && download $options
}

for tool in apt-get dpkg-deb; do
    command -v "$tool" > /dev/null || give_up "promtool comes from Debian's package prometheus, and there is no $tool here"
done
download || download_with_new_lists || give_up "Debian's package prometheus cannot be had: $(tail -n 1 "$work/log")"
dpkg-deb --fsys-tarfile "$work"/prometheus_*.deb | tar -x -C "$work" ./usr/bin/promtool \
    || give_up "Debian's package prometheus cannot be unpacked"
rm -f "$folder/missing"
mv "$work/usr/bin/promtool" "$folder/promtool"
