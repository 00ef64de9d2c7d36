#!/usr/bin/env bash
# Tests order_server as a service of systemd, also on a machine whose PID 1 is another program:
# boots /lib/systemd/systemd as PID 1 of pid, mount, cgroup, uts, ipc and net namespaces of its own,
# over an overlay of / whose upper layer is in memory, installs the Debian packages there, and runs
# checks.sh. Nothing is written to the file systems of the machine, and all processes end with this
# script.
#
#   Tests/Systemd/run.sh
#
# Exit status 0: passed, 1: failed, 77: skipped, with the reason in one line that begins with SKIP.
# E2E_REQUIRE_SYSTEMD=1 turns the last into a failure.
set -uo pipefail
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=${SCRATCH_PATH:-$root/.build}

skip() {
    echo "SKIP: THE TEST UNDER SYSTEMD WAS NOT RUN: $*"
    echo "0 passed, 0 failed, 1 skipped"
    if [ -n "${E2E_REQUIRE_SYSTEMD:-}" ]; then
        echo "E2E_REQUIRE_SYSTEMD is set: this is a failure"
        exit 1
    fi
    exit 77
}

preflight() {
    [ "$(uname -s)" = Linux ] || skip "this is not Linux"
    [ "$(id -u)" = 0 ] || skip "not root (namespaces and mounts need CAP_SYS_ADMIN)"
    command -v dpkg-deb >/dev/null || skip "dpkg-deb is not installed"
    "$root/scripts/deps" --packaging || skip "the dependencies can't be installed (scripts/deps --packaging)"
    [ -x /lib/systemd/systemd ] || skip "/lib/systemd/systemd does not exist"
    for command in unshare nsenter setpriv systemctl journalctl systemd-analyze; do
        command -v "$command" >/dev/null || skip "$command is not installed"
    done
    grep -qw cgroup2 /proc/filesystems || skip "the kernel has no cgroup2"
    grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null
    grep -qw overlay /proc/filesystems || skip "the kernel has no overlay file system"
    unshare --mount --pid --fork --cgroup --uts --ipc --net true 2>/dev/null ||
        skip "namespaces can't be made (a container without CAP_SYS_ADMIN?)"
}

# Builds and installs everything before the overlay is mounted.
build() {
    mkdir -p "$scratch/logs"
    "$root/scripts/build-deb" || exit 1
    "$here/last-release/build" "$scratch/deb" || exit 1
    local log=$scratch/logs/build-order-load.log
    local package=(--package-path "$here" --scratch-path "$scratch" -c release)
    if ! swift build "${package[@]}" --disable-build-manifest-caching --product order_load \
        >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
    order_load=$(swift build "${package[@]}" --show-bin-path)/order_load
    cc -O1 -Wall -o "$scratch/stall" "$here/stall.c" || exit 1
}

if [ "${1-}" = --help ]; then
    sed -n '2,11s/^# \{0,1\}//p' "$0"
    exit 0
fi
if [ "${1-}" != --inner ]; then
    preflight
    build
    # A private mount namespace: every mount below is removed with its last process.
    exec unshare --mount --propagation private -- "$0" --inner "$order_load"
fi

######## Stage 2: the supervisor, in a mount namespace of its own.
order_load=$2
begin=$SECONDS
W=$(mktemp -d "${TMPDIR:-/tmp}/rocket-systemd.$$.XXXXXX") || exit 1
UPID='' SD='' CG=''
cleanup() {
    local status=$?
    trap - EXIT INT TERM HUP
    if [ -n "$SD" ] && kill -0 "$SD" 2>/dev/null; then
        # Requests an orderly halt first.
        kill -s RTMIN+3 "$SD" 2>/dev/null
        for _ in $(seq 80); do kill -0 "$UPID" 2>/dev/null || break; sleep 0.1; done
    fi
    # --kill-child: PID 1 and all of its processes are killed with it.
    [ -z "$UPID" ] || { kill -KILL "$UPID" 2>/dev/null; wait "$UPID" 2>/dev/null; }
    if [ -n "$CG" ]; then
        for _ in $(seq 50); do
            find "$CG" -depth -type d -exec rmdir {} + 2>/dev/null
            [ -d "$CG" ] || break
            sleep 0.1
        done
        [ ! -d "$CG" ] || echo "WARNING: cgroup $CG could not be removed"
    fi
    umount "$W/cg" 2>/dev/null
    umount -l "$W" 2>/dev/null
    rmdir "$W"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mount -t tmpfs -o mode=755,size=3g e2e "$W" || skip "a tmpfs can't be mounted"
mkdir "$W"/{up,wk,root,cg,stage}
if ! mount -t overlay -o "lowerdir=/,upperdir=$W/up,workdir=$W/wk" e2e-try "$W/root" 2>/dev/null ||
    ! umount "$W/root"; then
    skip "an overlay of / can't be mounted (its file system can't be a lower layer?)"
fi
mount -t cgroup2 cgroup2 "$W/cg" 2>/dev/null || skip "cgroup2 can't be mounted"
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
CG=$W/cg${own%/}/rocket-systemd.$$
mkdir "$CG" 2>/dev/null || { CG=''; skip "a child of the cgroup $own can't be made"; }
# Removes the empty cgroup and the empty folder of an earlier run that was killed with SIGKILL.
for left in "${CG%/*}"/rocket-systemd.* "${TMPDIR:-/tmp}"/rocket-systemd.*; do
    pid=${left##*/rocket-systemd.}
    pid=${pid%%.*}
    case $pid in '' | *[!0-9]*) continue ;; esac
    kill -0 "$pid" 2>/dev/null || find "$left" -depth -type d -exec rmdir {} + 2>/dev/null
done

cp "$scratch"/deb/*.deb "$W/stage/"
cp "$order_load" "$scratch/stall" "$root/scripts/dev-ca" "$W/stage/"
swift=$(readlink -f "$(command -v swift)")
printf '%s\n' "${swift%/usr/bin/*}" >"$W/hidden"

(
    echo "$BASHPID" >"$CG/cgroup.procs" &&
        exec setpriv --pdeathsig KILL -- unshare --fork --kill-child --pid --mount \
            --propagation private --cgroup --uts --ipc --net -- "$here/pid1.sh" "$W"
) >"$W/boot.log" 2>&1 </dev/null &
UPID=$!
for _ in $(seq 100); do
    SD=$(cat "/proc/$UPID/task/$UPID/children" 2>/dev/null || pgrep -P "$UPID")
    SD=${SD%% *}
    [ -z "$SD" ] || break
    sleep 0.05
done
in_sd() {
    nsenter -t "$SD" -m -u -i -n -p -C -- env -i \
        PATH=/opt/e2e:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        SYSTEMD_PAGER= SYSTEMD_COLORS=0 SYSTEMD_URLIFY=0 DEBIAN_FRONTEND=noninteractive "$@"
}
state=''
for _ in $(seq 300); do
    if ! kill -0 "$UPID" 2>/dev/null; then
        cat "$W/boot.log"
        echo "FAILED: systemd did not boot"
        exit 1
    fi
    state=$(in_sd systemctl is-system-running 2>/dev/null)
    if [ "$state" = running ] || [ "$state" = degraded ]; then break; fi
    sleep 0.1
done
echo "booted $(in_sd systemctl --version | head -1) in $((SECONDS - begin)) s: $state"
# shellcheck source=Tests/Systemd/checks.sh
. "$here/checks.sh"
