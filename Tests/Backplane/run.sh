#!/usr/bin/env bash
# Tests chat_server processes that share a room over a real nats-server (Debian's nats-server). Skipped if
# it is not installed.
#
#   Tests/Backplane/run.sh [test_x]      called by `make test-e2e`
#
#   ROCKET_BIN     the folder of the programs (default: bin/)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$(cd "$here/../.." && pwd)/bin}
if ! PATH=$PATH:/usr/sbin command -v nats-server >/dev/null; then
    echo "skipped: nats-server is not installed: make deps-cluster"
    exit 0
fi
exec python3 -B "$here/test_backplane.py" --verbose "$@"
