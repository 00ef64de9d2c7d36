#!/usr/bin/env bash
# Tests order_server and a real etcd (Debian's etcd-server): servers announce themselves, are gone at once
# after SIGTERM and when the lease has expired after kill -9, and come back after etcd was killed.
# Skipped if etcd is not installed.
#
#   Tests/Names/run.sh      called by `make test-e2e`
#
#   ROCKET_BIN     the folder of the programs (default: bin/)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$(cd "$here/../.." && pwd)/bin}
if ! command -v etcd >/dev/null; then
    echo "skipped: etcd is not installed: apt-get install etcd-server"
    exit 0
fi
exec python3 -B "$here/test_names.py" --verbose
