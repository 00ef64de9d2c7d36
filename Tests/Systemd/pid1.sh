#!/usr/bin/env bash
# Stage 3 of run.sh, inside all namespaces: mounts an overlay of the machine's root, isolates it
# from the machine, and executes systemd.
#
#   pid1.sh FOLDER      FOLDER/up and FOLDER/wk: layers of the overlay; FOLDER/root: its mount point;
#                       FOLDER/stage: files for the tests; FOLDER/hidden: paths to be hidden, one
#                       per line
set -euo pipefail

W=$1
R=$W/root
mount -t overlay -o "lowerdir=/,upperdir=$W/up,workdir=$W/wk" e2e-root "$R"
mount -t proc -o nosuid,nodev,noexec proc "$R/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$R/sys"
# /proc/sys is read-only, or PID 1 and systemd-sysctl.service would change the machine's sysctls.
mount --bind "$R/proc/sys" "$R/proc/sys"
mount -o remount,ro,bind "$R/proc/sys"
if [ -e "$R/proc/sysrq-trigger" ]; then mount --bind /dev/null "$R/proc/sysrq-trigger"; fi
# The cgroup namespace limits this to our subtree.
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$R/sys/fs/cgroup"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$R/run"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$R/tmp"
mount -t tmpfs -o mode=755,nosuid tmpfs "$R/dev"
while read -r name major minor; do mknod -m 666 "$R/dev/$name" c "$major" "$minor"; done <<'NODES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
mkdir "$R/dev/pts" "$R/dev/shm"
ln -s pts/ptmx "$R/dev/ptmx"
ln -s /proc/self/fd "$R/dev/fd"
for entry in 0:stdin 1:stdout 2:stderr; do
    ln -s "/proc/self/fd/${entry%%:*}" "$R/dev/${entry#*:}"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$R/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$R/dev/shm"

# Removes the machine's enabled units (timers, databases, …); adds a boot target of our own and
# a volatile, unlimited journal.
etc=$R/etc/systemd
rm -rf "$etc/system"
mkdir -p "$etc/system" "$etc/journald.conf.d" "$etc/system.conf.d"
printf '[Unit]\nDescription=e2e test\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' \
    >"$etc/system/e2e.target"
for unit in systemd-{sysctl,modules-load,remount-fs,update-utmp,timesyncd}.service \
    dev-hugepages.mount sys-kernel-{debug,tracing,config}.mount sys-fs-fuse-connections.mount \
    systemd-journald-audit.socket; do
    ln -s /dev/null "$etc/system/$unit"
done
printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nReadKMsg=no\nAudit=no\nRuntimeMaxUse=256M\n' \
    >"$etc/journald.conf.d/e2e.conf"
printf '[Manager]\nDefaultTimeoutStartSec=15s\nDefaultTimeoutStopSec=10s\n' \
    >"$etc/system.conf.d/e2e.conf"
rm -f "$R/etc/fstab"
: >"$R/etc/fstab"
# In container images this policy prevents packages from starting services.
rm -f "$R/usr/sbin/policy-rc.d"

# Small images exclude manuals and documents of every package.
for file in "$R"/etc/dpkg/dpkg.cfg.d/*; do
    if grep -qs path-exclude "$file"; then rm -f "$file"; fi
done

# Rebuilding the index of all manual pages takes long, and no check needs it.
rm -f "$R/var/lib/man-db/auto-update"

# Hides these folders: the programs under test must run without them.
while IFS= read -r path; do
    [ ! -d "$R$path" ] || mount -t tmpfs -o ro,mode=755 hidden "$R$path"
done <"$W/hidden"
mkdir -p "$R/opt/e2e"
cp "$W"/stage/* "$R/opt/e2e/"

hostname e2e
ip link set lo up 2>/dev/null || true
cd "$R"
mkdir .old
pivot_root . .old
umount -l /.old
rmdir /.old
mount --make-rshared /
# Drops the capabilities that systemd-nspawn drops: nothing in here can change the clock, modules,
# raw I/O, the kernel's log or audit.
drop=-sys_time,-sys_module,-sys_rawio,-syslog,-wake_alarm,-block_suspend,-audit_control,-audit_read
drop=$drop,-mac_admin,-mac_override,-perfmon,-checkpoint_restore,-sys_pacct
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    container=e2e setpriv --bounding-set="$drop" --inh-caps=-all -- \
    /lib/systemd/systemd --system --unit=e2e.target --show-status=false --log-target=journal \
    </dev/null
