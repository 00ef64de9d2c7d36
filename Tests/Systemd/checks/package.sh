# Installs the package and checks its contents.

same "the machine runs and no unit has failed" running "$state"
before=$(files)
check "no Swift is installed on this machine" in_sd sh -c '! find "$1" -name "libswiftCore*" | grep .' \
    sh "$(cat "$W/hidden")"
check "dpkg -i succeeds" in_sd dpkg -i /opt/e2e/rocket.deb
same "its postinst has started the service" active "$(in_sd systemctl is-active $NAME.service)"
same "... and its sockets" active "$(in_sd systemctl is-active $NAME.socket)"
same "both are enabled at boot" "enabled enabled" \
    "$(in_sd systemctl is-enabled $NAME.service $NAME.socket | paste -sd' ')"
same "the configuration is a conffile" " $CONFIG" \
    "$(in_sd dpkg-query -W -f '${Conffiles}\n' rocket | sed -n 's/^\( \/etc[^ ]*order_server[^ ]*\) .*/\1/p')"
for page in 8:order_server 1:order_client; do
    has "the package has a manual page ${page#*:}(${page%:*})" SYNOPSIS \
        "$(in_sd env MANWIDTH=80 man "${page%:*}" "${page#*:}" 2>&1)"
done
mapfile -t units < <(in_sd dpkg -L rocket | sed -nE 's%^/lib/systemd/system/([^/]*[.](service|socket))$%\1%p')
output=$(in_sd systemd-analyze verify "${units[@]}" 2>&1)
same "systemd-analyze verify reports nothing for ${units[*]}" "0 " "$? $output"
for unit in "${units[@]}"; do
    [[ $unit == *.service ]] || continue
    output=$(in_sd systemd-analyze security --no-pager --threshold=10 "$unit")
    status=$?
    same "systemd-analyze security reports an exposure of 1.0 at most: $(tail -1 <<<"$output" | sed 's/.*for //')" \
        0 "$status"
done
