import RocketGeneratorPlugin

/// Writes conf/NAME.service and conf/NAME.socket: the units of order_server with other names. A test
/// compares them with conf/ of the repository, which is the place for changes.
struct UnitTemplates {
    let program: String
    let port: UInt16

    var service: Lines {
        Lines(
            text: """
                # Runs \(program) as a systemd service. `make install` replaces /usr with its PREFIX.
                # Put your own settings into a drop-in: systemctl edit \(program).service
                [Unit]
                Description=Rocket service \(program)
                # The socket unit listens, so that a restart refuses no connection. If it is masked, the server
                # binds the addresses in its configuration.
                Wants=\(program).socket
                After=\(program).socket network.target
                # A server that keeps failing stays stopped after this number of starts.
                StartLimitIntervalSec=60s
                StartLimitBurst=60

                [Service]
                Type=notify
                NotifyAccess=main
                ExecStart=/usr/bin/\(program) /etc/\(program)/rocket.xml
                ExecReload=/bin/kill -HUP $MAINPID
                Restart=on-failure
                RestartSec=250ms
                # If a loop or the log's writer does not reply for this long, systemd kills and restarts the server.
                WatchdogSec=20s
                TimeoutStartSec=90s
                # Longer than server/drain_timeout_ms; a draining server requests more time by itself.
                TimeoutStopSec=15s
                TimeoutAbortSec=10s

                # User, and the only directory that the server may write to.
                DynamicUser=yes
                StateDirectory=\(program)
                StateDirectoryMode=0750
                UMask=0077

                # Resource limits.
                LimitNOFILE=65536
                MemoryMax=1G
                TasksMax=512

                # Sandbox.
                NoNewPrivileges=yes
                CapabilityBoundingSet=
                AmbientCapabilities=
                ProtectSystem=strict
                ProtectHome=yes
                PrivateTmp=yes
                PrivateDevices=yes
                PrivateUsers=yes
                PrivateIPC=yes
                PrivateMounts=yes
                ProtectHostname=yes
                ProtectClock=yes
                ProtectKernelTunables=yes
                ProtectKernelModules=yes
                ProtectKernelLogs=yes
                ProtectControlGroups=yes
                ProtectProc=invisible
                ProcSubset=pid
                RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
                # Applies to sockets that the server opens itself, not to those from \(program).socket.
                IPAddressDeny=any
                IPAddressAllow=localhost
                RestrictNamespaces=yes
                RestrictRealtime=yes
                RestrictSUIDSGID=yes
                LockPersonality=yes
                MemoryDenyWriteExecute=yes
                RemoveIPC=yes
                SystemCallArchitectures=native
                SystemCallFilter=@system-service
                SystemCallFilter=~@privileged @resources
                # Swift's worker threads lower their own priority, and log an error if they can't.
                SystemCallFilter=setpriority
                SystemCallErrorNumber=EPERM

                [Install]
                WantedBy=multi-user.target
                Also=\(program).socket
                """)
    }

    var socket: Lines {
        Lines(
            text: """
                # The addresses of \(program). systemd listens and passes the sockets to the server, so they
                # outlive it. For other addresses: systemctl edit \(program).socket (an empty ListenStream= first
                # removes these).
                [Unit]
                Description=Sockets of the Rocket service \(program)

                [Socket]
                ListenStream=127.0.0.1:\(port)
                ListenStream=/run/\(program).sock
                SocketMode=0666
                # The server uses sockets with this name and ignores all others.
                FileDescriptorName=rpc
                Backlog=4096
                NoDelay=yes

                [Install]
                WantedBy=sockets.target
                """)
    }
}
