# The commands of docs/guides/systemd.md, "mTLS between two machines", with this machine as both:
# `ssh` runs its command here, in the same /etc/rocket.

as_guide() { in_sd bash -c "cd /opt/e2e && $1" 2>&1 </dev/null; }
serial() { # of the certificate that the server shows
    in_sd sh -c 'openssl s_client -connect 192.0.2.7:12345 </dev/null 2>/dev/null | openssl x509 -noout -serial'
}

in_sd ip address add 192.0.2.7/32 dev lo
in_sd mkdir /opt/e2e/scripts
in_sd cp /opt/e2e/dev-ca /opt/e2e/scripts/
in_sd sh -c 'printf "#!/bin/sh\nshift\nexec sh -c \"\$*\"\n" >/opt/e2e/ssh && chmod +x /opt/e2e/ssh'
in_sd cp $CONFIG /etc/rocket/order_client.xml /opt/e2e/
failed=
while IFS= read -r command; do
    output=$(as_guide "$command") || failed+="$command"$'\n'"$output"$'\n'
done < <(sed -n '/^## mTLS between/,/^## More/s/^[$#] //p' "$root/docs/guides/systemd.md")
same "each command of the guide succeeds" "" "$failed"
has "the client proves itself and is served" "order (192.0.2.7:12345): Order is SERVING" "$output"
same "the key is open to root only" "600 root" "$(in_sd stat -c '%a %U' /etc/rocket/tls/orders/key.pem)"
output=$(order make --price 100 --goods plain 2>&1)
has "a client without TLS is not served" "(ERROR_FAILED_GET_REPLY)" "$output"
in_sd cp /etc/rocket/order_client.xml /opt/e2e/tls_client.xml
in_sd sed -i '/<certificate>/s|<certificate>.*</key>||' /etc/rocket/order_client.xml
output=$(as_guide "order_client make --price 100 --goods unproven --config /etc/rocket/order_client.xml")
has "nor one without a certificate" "certificate required" "$output"
in_sd cp /opt/e2e/tls_client.xml /etc/rocket/order_client.xml
has "members of the group have the Unix socket as before" "made order" \
    "$(in_sd order_client make --price 100 --goods local --to $UNIX)"
check "systemctl reload" in_sd systemctl reload $NAME.service
check "... reads the credentials again" until_ 5 journal_shows 'configuration reloaded'

old_serial=$(serial)
output=$(as_guide "scripts/dev-ca ca renew orders && tar -C ca -ch ca.pem orders | tar -C /etc/rocket/tls -x --no-same-owner && systemctl restart order_server")
has "a renewal" "renewed" "$output"
new_serial=$(serial)
check "... is in force after a restart" test -n "$new_serial" -a "$old_serial" != "$new_serial"

check "an upgrade checks the configuration with the credentials" \
    in_sd /var/lib/dpkg/info/rocket-order-server.postinst configure 0.1.0-1
output=$(as_guide "order_client health Order")
has "... and the new process serves" "Order is SERVING" "$output"
in_sd sed -i 's|tls_ca.pem|tls_none.pem|' $CONFIG
output=$(in_sd /var/lib/dpkg/info/rocket-order-server.postinst configure 0.1.0-1 2>&1)
has "... which a credential that does not exist stops" "is not restarted, because its configuration" "$output"

in_sd ip address del 192.0.2.7/32 dev lo
in_sd cp /opt/e2e/order_server.xml /opt/e2e/order_client.xml /etc/rocket/
in_sd rm -r /etc/rocket/tls /opt/e2e/ca /opt/e2e/scripts /opt/e2e/ssh \
    /etc/systemd/system/order_server.{service,socket}.d
in_sd systemctl daemon-reload
check "without TLS again" in_sd systemctl restart $NAME.socket $NAME.service
has "... it serves as before" "made order" "$(order make --price 100 --goods without_tls)"
