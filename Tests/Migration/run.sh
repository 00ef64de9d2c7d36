#!/usr/bin/env bash
# Tests order_server --migrate with a real PostgreSQL. Skipped if that is not installed. Called by
# `make test-e2e`, which has built bin/.
#
#   Tests/Migration/run.sh [Migration.test_x]
#
#   ROCKET_BIN     the folder of the programs (default: bin/)
#   ORDERS         orders of a store (default 60000)
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$(cd "$here/../.." && pwd)/bin}
if ! PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' :) command -v initdb >/dev/null; then
    echo "skipped: PostgreSQL's server is not installed: make deps"
    exit 0
fi
exec python3 -B "$here/test_migration.py" --verbose "$@"
