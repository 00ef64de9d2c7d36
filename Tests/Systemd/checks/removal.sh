# The package goes; the orders stay.

check "dpkg -r removes the package" in_sd dpkg -r rocket
same "nothing of it runs or listens" "inactive inactive" \
    "$(in_sd systemctl is-active $NAME.service $NAME.socket | paste -sd' ')"
check "no program is left" bash -c "! ls $W/up/usr/bin/order_* 2>/dev/null | grep ."
has "the configuration waits for another installation" "order_server.xml" \
    "$(in_sd ls /etc/rocket)"
check "dpkg -P purges it" in_sd dpkg -P rocket
# The package manager's own books change with every package.
left=$(comm -13 <(printf '%s\n' "$before") <(files) | grep -vE \
    '^/(var/(lib/(dpkg|systemd|apt)|log|cache)/|opt/e2e/|tmp/|run/|etc/machine-id|root/)')
same "nothing but the orders is left" \
    "/var/lib/order_server /var/lib/private/order_server/orders.sqlite" "$(paste -sd' ' <<<"$left")"
