#!/usr/bin/env bash
# Tests order_server processes that share a database of a real PostgreSQL (Debian's postgresql-15). Skipped if
# it is not installed.
#
#   Tests/Orders/run.sh [test_x]      called by `make test-e2e`
#
#   ROCKET_BIN           the folder of the programs (default: bin/)
#   REQUIRE_POSTGRES=1   fail if it is not installed
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$(cd "$here/../.." && pwd)/bin}
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
PATH=${programs:+$programs:}$PATH
if ! command -v initdb >/dev/null || ! command -v pg_ctl >/dev/null; then
    echo "skipped: PostgreSQL is not installed: make deps-cluster"
    [ "${REQUIRE_POSTGRES-}" != 1 ] || exit 1
    exit 0
fi
exec python3 -B "$here/test_orders.py" --verbose "$@"
