import RocketGeneratorPlugin

/// Writes bin/run.sh and bin/shutdown.sh.
struct ScriptTemplates {
    let program: String

    /// Common head of both scripts: finds the project and checks the recorded process id. The kernel
    /// may have given that id to another process, so the executable is compared, too.
    private var common: String {
        """
        set -eu
        project=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
        server=$project/bin/\(program)
        pidfile=$project/log/\(program).pid

        # runs PID: succeeds if that process is this server. A zombie has no executable.
        runs() {
            case $(readlink "/proc/$1/exe" 2>/dev/null) in
            "$server" | "$server (deleted)") return 0 ;;
            esac
            return 1
        }
        """
    }

    var run: Lines {
        Lines(
            text: """
                #!/bin/sh
                # Starts bin/\(program) in the background and returns when it answers calls. Writes its output to
                # log/\(program).out and its process id to log/\(program).pid.
                #
                #   bin/run.sh [CONFIGURATION]     default: conf/rocket.xml
                #   START_SECONDS=N                time limit until it listens (30)
                #   HEALTH_OPTIONS='--tls-ca FILE' options of the check whether it answers; without them a
                #                                  server with TLS only has to listen
                \(common)

                config=${1:-$project/conf/rocket.xml}
                output=$project/log/\(program).out
                [ -x "$server" ] || { echo "run.sh: $server does not exist; run make" >&2; exit 1; }
                mkdir -p "$project/log"
                if [ -f "$pidfile" ] && runs "$(cat "$pidfile")"; then
                    echo "run.sh: \(program) is already running as process $(cat "$pidfile")" >&2
                    exit 1
                fi

                : >"$output"
                "$server" "$config" >>"$output" 2>&1 </dev/null &
                pid=$!
                echo "$pid" >"$pidfile"

                fail() {
                    echo "run.sh: $1" >&2
                    sed 's/^/  /' "$output" >&2
                    kill -KILL "$pid" 2>/dev/null || true
                    rm -f "$pidfile"
                    exit 1
                }

                # The server prints its addresses, with the port that the kernel chose for port 0.
                left=$((${START_SECONDS:-30} * 20))
                while ready=$(grep ' is ready, listening on ' "$output"); [ -z "$ready" ]; do
                    kill -0 "$pid" 2>/dev/null || fail "\(program) ended before it listened:"
                    left=$((left - 1))
                    [ "$left" -gt 0 ] || fail "\(program) did not listen in time:"
                    sleep 0.05
                done
                address=${ready##*listening on }
                if [ -z "${HEALTH_OPTIONS-}" ] &&
                    "$server" --check-config "$config" 2>/dev/null | grep -q '^server/.*tls/certificate  *[^ -]'; then
                    # Only the caller knows whom to trust, and which certificate a client needs.
                    echo "\(program) listens on $address with TLS as process $pid; its output is in $output"
                    echo "run.sh: set HEALTH_OPTIONS to check that it answers (bin/\(program) health --help)" >&2
                    exit 0
                fi
                # Several words.
                # shellcheck disable=SC2086
                "$server" health ${HEALTH_OPTIONS-} --timeout 10s --to "${address%% *}" >>"$output" 2>&1 ||
                    fail "\(program) listens but does not answer:"
                echo "\(program) answers on $address as process $pid; its output is in $output"
                """)
    }

    var shutdown: Lines {
        Lines(
            text: """
                #!/bin/sh
                # Stops the server that bin/run.sh started: sends SIGTERM, waits until the calls in progress have
                # finished, and kills it at the time limit. Exit status 1 if it was killed.
                #
                #   bin/shutdown.sh
                #   DRAIN_SECONDS=N     time limit (30); must exceed drain_timeout_ms of the configuration
                \(common)

                if [ ! -f "$pidfile" ] || ! runs "$(cat "$pidfile")"; then
                    rm -f "$pidfile"
                    echo "shutdown.sh: \(program) is not running" >&2
                    exit 0
                fi
                pid=$(cat "$pidfile")
                kill -TERM "$pid"
                left=$((${DRAIN_SECONDS:-30} * 20))
                while runs "$pid" && [ "$left" -gt 0 ]; do
                    left=$((left - 1))
                    sleep 0.05
                done
                if runs "$pid"; then
                    kill -KILL "$pid"
                    rm -f "$pidfile"
                    echo "shutdown.sh: \(program) had not drained after ${DRAIN_SECONDS:-30} s and was killed" >&2
                    exit 1
                fi
                rm -f "$pidfile"
                echo "\(program) has drained"
                """)
    }
}
