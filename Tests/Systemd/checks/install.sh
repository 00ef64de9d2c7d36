# make install and uninstall into a folder, without changes to the machine.

destination=$W/destination
install_() {
    DESTDIR=$destination PREFIX=/opt/rocket STRIP='' BACKOFF=yes "$root/scripts/install" "$@"
}
check "make install PREFIX=/opt/rocket" install_
unit=$destination/opt/rocket/lib/systemd/system/order_server.service
has "... the unit starts the program in that prefix" "ExecStart=/opt/rocket/bin/order_server /etc/rocket/" \
    "$(cat "$unit")"
has "... with growing pauses between restarts if systemd supports them" "RestartSteps=" "$(cat "$unit.d/backoff.conf")"
for file in share/bash-completion/completions/order_client share/zsh/site-functions/_order_client \
    share/fish/vendor_completions.d/order_client.fish share/man/man5/order_server.xml.5.gz \
    lib/systemd/system/order_server@.socket lib/sysusers.d/rocket-order-server.conf; do
    check "... it installs $file" test -s "$destination/opt/rocket/$file"
done
echo '<!-- changed -->' >>"$destination/etc/rocket/order_server.xml"
check "... a second time" install_
has "... keeps a changed configuration" "changed" "$(tail -1 "$destination/etc/rocket/order_server.xml")"
check "make uninstall" install_ --uninstall
same "... keeps that configuration and nothing else" "/etc/rocket/order_server.xml" \
    "$(cd "$destination" && find . -type f -printf '/%P\n')"
rm -rf "$destination"
# The group of the sockets, by the path that make install uses on a machine with systemd.
check "systemd-sysusers takes the file of the group" in_sd systemd-sysusers --dry-run "$root/conf/rocket.sysusers"
