# Removes the package; the orders stay.

check "dpkg -r succeeds" in_sd dpkg -r rocket
same "service and sockets are inactive" "inactive inactive" \
    "$(in_sd systemctl is-active $NAME.service $NAME.socket | paste -sd' ')"
check "no program of it is left" bash -c "! ls $W/up/usr/bin/order_* 2>/dev/null | grep ."
has "the configuration is kept for another installation" "order_server.xml" \
    "$(in_sd ls /etc/rocket)"
check "dpkg -P succeeds" in_sd dpkg -P rocket
# The database of the package manager changes with every package.
left=$(comm -13 <(printf '%s\n' "$before") <(files) | grep -vE \
    '^/(var/(lib/(dpkg|systemd|apt)|log|cache)/|opt/e2e/|tmp/|run/|etc/machine-id|root/)')
same "nothing but the orders is left" \
    "/var/lib/order_server /var/lib/private/order_server/orders.sqlite" "$(paste -sd' ' <<<"$left")"
