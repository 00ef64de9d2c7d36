import RocketGeneratorPlugin

/// bin/run.sh and bin/shutdown.sh.
struct ScriptTemplates {
    let program: String

    /// Both find the project, and the server by its process id as long as that is still it: a
    /// number alone may be another process's by now.
    private var common: String {
        """
        set -eu
        project=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
        server=$project/bin/\(program)
        pidfile=$project/log/\(program).pid

        # runs PID: whether that process is this server. A zombie has no executable any more.
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
                # Starts bin/\(program) in the background and returns once it answers calls. What it prints goes
                # to log/\(program).out, its process id to log/\(program).pid.
                #
                #   bin/run.sh [CONFIGURATION]     conf/rocket.xml without
                #   START_SECONDS=N                how long it may take to listen (30)
                \(common)

                config=${1:-$project/conf/rocket.xml}
                output=$project/log/\(program).out
                [ -x "$server" ] || { echo "run.sh: $server is not built; run make" >&2; exit 1; }
                mkdir -p "$project/log"
                if [ -f "$pidfile" ] && runs "$(cat "$pidfile")"; then
                    echo "run.sh: \(program) runs already, as process $(cat "$pidfile")" >&2
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

                # It says itself where it listens, with the port that the kernel chose where it was left to it.
                left=$((${START_SECONDS:-30} * 20))
                while ready=$(grep ' is ready, listening on ' "$output"); [ -z "$ready" ]; do
                    kill -0 "$pid" 2>/dev/null || fail "\(program) ended instead of listening:"
                    left=$((left - 1))
                    [ "$left" -gt 0 ] || fail "\(program) did not listen in time:"
                    sleep 0.05
                done
                address=${ready##*listening on }
                "$server" --probe "${address%% *}" || fail "\(program) listens, but does not answer:"
                echo "\(program) answers on $address as process $pid; its output is in $output"
                """)
    }

    var shutdown: Lines {
        Lines(
            text: """
                #!/bin/sh
                # Asks the server that bin/run.sh started to stop (SIGTERM), waits while calls under way finish,
                # and only then kills it. Exit status 1 when it had to be killed.
                #
                #   bin/shutdown.sh
                #   DRAIN_SECONDS=N     how long it may take (30; drain_timeout_ms of its configuration is 10 s)
                \(common)

                if [ ! -f "$pidfile" ] || ! runs "$(cat "$pidfile")"; then
                    rm -f "$pidfile"
                    echo "shutdown.sh: \(program) does not run" >&2
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
