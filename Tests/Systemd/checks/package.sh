# Installs the packages and checks their contents.

same "the machine runs and no unit has failed" running "$state"
before=${before:-$(files)}
check "no Swift is installed on this machine" in_sd sh -c '! find "$1" -name "libswiftCore*" | grep .' \
    sh "$(cat "$W/hidden")"
# With the library that the programs share, if they do.
check "dpkg -i rocket-order-server succeeds" in_sd sh -c 'dpkg -i $(ls /opt/e2e/rocket-runtime_*.deb) \
    /opt/e2e/rocket-order-server_*.deb'
same "its postinst has started the service" active "$(in_sd systemctl is-active $NAME.service)"
same "... and its sockets" active "$(in_sd systemctl is-active $NAME.socket)"
same "both are enabled at boot" "enabled enabled" \
    "$(in_sd systemctl is-enabled $NAME.service $NAME.socket | paste -sd' ')"
same "... and no other server has come with it" "" \
    "$(in_sd systemctl list-unit-files --no-legend 'chat_server*')"
check "the other packages are installed" in_sd sh -c 'dpkg -i /opt/e2e/rocket-*.deb'
same "... their configuration is conffiles" \
    "/etc/logrotate.d/chat_server /etc/logrotate.d/order_server /etc/rocket/chat_server.xml /etc/rocket/order_client.xml /etc/rocket/order_server.xml" \
    "$(in_sd dpkg-query -W -f '${Conffiles}\n' 'rocket*' | awk 'NF { print $1 }' | sort | paste -sd' ')"
has "order_client finds its installed configuration" '"orders"' \
    "$(in_sd sh -c 'cd / && order_client list --json' 2>&1)"
check "a second dpkg -i" in_sd sh -c 'dpkg -i /opt/e2e/rocket-order-server_*.deb'
same "... leaves the service running" active "$(in_sd systemctl is-active $NAME.service)"

for page in 8:order_server 1:order_client 8:chat_server 1:chat_client 1:rocket \
    1:rocket_generator 1:protoc-gen-rocket 5:order_server.xml 5:chat_server.xml 5:order_client.xml 5:rocket.xml; do
    name=${page#*:}
    output=$(in_sd env MANWIDTH=80 man --warnings "${page%:*}" "$name" 2>&1)
    headings=(DESCRIPTION "SEE ALSO")
    case $page in
    8:*) headings+=("EXIT STATUS" FILES ENVIRONMENT) ;;
    1:*) headings+=("EXIT STATUS") ;;
    esac
    for heading in "${headings[@]}"; do
        has "manual page $name(${page%:*}) has $heading" "$heading" "$output"
    done
done
size=$(in_sd dpkg-query -W -f '${Installed-Size}\n' 'rocket-*' | awk '{ sum += $1 } END { print sum + 0 }')
check "the packages together take less than 40 MB installed: $size KiB" test "$size" -lt 40960
for program in order_server chat_server order_client chat_client rocket rocket_generator; do
    file=/usr/share/bash-completion/completions/$program
    check "bash completes $program" in_sd bash -c ". $file && complete -p $program"
    check "zsh completes $program" in_sd zsh -fc "autoload -Uz compinit && compinit -u -d /tmp/zcompdump &&
        [[ \${_comps[$program]} == _$program ]] && zsh -n /usr/share/zsh/vendor-completions/_$program"
    has "fish completes $program" "--version" "$(in_sd env HOME=/tmp fish -c "complete -C '$program --'" 2>&1)"
done
has "bash knows the subcommands of order_client" " get " " $(in_sd bash -c '
    . /usr/share/bash-completion/bash_completion
    . /usr/share/bash-completion/completions/order_client
    COMP_WORDS=(order_client g) COMP_CWORD=1 COMP_LINE="order_client g" COMP_POINT=14
    _order_client order_client g order_client; echo "${COMPREPLY[@]}"' 2>&1) "
check "the AppArmor profile is valid" in_sd apparmor_parser --skip-kernel-load --skip-cache \
    /usr/share/doc/rocket-order-server/examples/usr.bin.order_server

mapfile -t units < <(in_sd dpkg -L rocket-order-server rocket-chat-server |
    sed -nE 's%^/lib/systemd/system/([^/]*[.](service|socket))$%\1%p')
units=("${units[@]/@./@test.}")
output=$(in_sd systemd-analyze verify "${units[@]}" 2>&1)
same "systemd-analyze verify reports nothing for ${units[*]}" "0 " "$? $output"
for unit in "${units[@]}"; do
    [[ $unit == *.service ]] || continue
    output=$(in_sd systemd-analyze security --no-pager --threshold=10 "$unit")
    status=$?
    same "systemd-analyze security reports an exposure of 1.0 at most: $(tail -1 <<<"$output" | sed 's/.*for //')" \
        0 "$status"
done
