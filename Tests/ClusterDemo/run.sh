#!/usr/bin/env bash
# Tests the files in conf/examples: the programs that they are for accept them, and the clusters of them
# run, and survive faults, in the short form of scripts/cluster-demo. What can't run here is skipped.
#
#   Tests/ClusterDemo/run.sh [CLASS | CLASS.test_x]      called by `make test-e2e`
#
#   ROCKET_BIN     the folder of the programs (default: bin/)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$(cd "$here/../.." && pwd)/bin}
exec python3 -B "$here/test_demo.py" --verbose "$@"
