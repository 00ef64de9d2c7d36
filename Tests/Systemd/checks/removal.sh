# Removes the packages; the orders stay.

mapfile -t packages < <(in_sd dpkg-query -W -f '${Package}\n' 'rocket-*')
check "dpkg -r succeeds" in_sd dpkg -r "${packages[@]}"
same "service and sockets are inactive" "inactive inactive inactive" \
    "$(in_sd systemctl is-active $NAME.service $NAME.socket $NAME@blue.service | paste -sd' ')"
check "no program of it is left" bash -c "! ls $W/up/usr/bin/order_* 2>/dev/null | grep ."
same "no socket of it is left" "" "$(in_sd sh -c 'ls -d /run/*_server*' 2>/dev/null)"
has "the configuration is kept for another installation" "order_server.xml" \
    "$(in_sd ls /etc/rocket)"
check "dpkg -P succeeds" in_sd dpkg -P "${packages[@]}"
same "... log files are removed" "" "$(in_sd sh -c 'ls -d /var/log/*_server* /var/log/private/*_server*' 2>/dev/null)"
# The database of the package manager changes with every package; groups stay, as files may belong
# to them.
left=$(comm -13 <(printf '%s\n' "$before") <(files) | grep -vE \
    '^/(var/(lib/(dpkg|systemd|apt|PackageKit)|log|cache)/|opt/e2e/|tmp/|run/|etc/(machine-id|g(roup|shadow)-?$)|root/)')
expected="/var/lib/order_server /var/lib/private/order_server/orders.sqlite"
if [[ " ${PARTS:-instance} " == *" instance "* ]]; then
    expected="/etc/rocket/order_server@blue.xml /var/lib/order_server /var/lib/order_server@blue"
    expected+=" /var/lib/private/order_server/orders.sqlite /var/lib/private/order_server@blue/orders.sqlite"
fi
same "nothing but the orders, and what the administrator has made, is left" "$expected" \
    "$(paste -sd' ' <<<"$left")"
