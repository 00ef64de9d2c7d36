import RocketGeneratorPlugin

/// Writes conf/: the configuration and the systemd units.
struct ConfigurationTemplates {
    let program: String
    let port: UInt16

    var rocketXML: Lines {
        Lines(
            text: """
                <?xml version="1.0" encoding="UTF-8" ?>
                <!-- Configuration of \(program). Run it with the option check-config to see all settings.
                     Relative paths are relative to the folder of this file. -->
                <root>
                  <log>
                    <log_level>INFO</log_level>
                    <!-- auto: the journal if systemd starts the server, files otherwise. -->
                    <log_sinks>auto</log_sinks>
                    <log_file_name>\(program)</log_file_name>
                    <log_file_path>../log</log_file_path>
                  </log>

                  <server>
                    <ip>127.0.0.1</ip>
                    <port>\(port)</port>
                    <io_threads>2</io_threads>
                    <drain_timeout_ms>10000</drain_timeout_ms>
                  </server>
                </root>
                """)
    }

    var service: Lines {
        Lines(
            text: """
                # systemd service of \(program). `make install` replaces /usr/local by its PREFIX.
                # To change settings, create a drop-in: systemctl edit \(program).service
                [Unit]
                Description=\(program), a Rocket service
                # The socket unit keeps listening, so a restart of the server refuses no connection.
                Wants=\(program).socket
                After=\(program).socket network.target
                StartLimitIntervalSec=60s
                StartLimitBurst=60

                [Service]
                Type=notify
                NotifyAccess=main
                ExecStart=/usr/local/bin/\(program) /etc/\(program)/rocket.xml
                # libdispatch would log each worker thread that may not raise its priority.
                Environment=LIBDISPATCH_LOG=NO
                ExecReload=/bin/kill -HUP $MAINPID
                Restart=on-failure
                RestartSec=250ms
                # systemd restarts the server if an event loop or the log writer is stuck for this time.
                WatchdogSec=20s
                # Must be longer than server/drain_timeout_ms.
                TimeoutStopSec=15s

                # User of the process, and the only directory that it can write to.
                DynamicUser=yes
                StateDirectory=\(program)
                UMask=0077

                # Resource limits.
                LimitNOFILE=65536
                MemoryMax=1G
                TasksMax=512

                # Sandbox.
                NoNewPrivileges=yes
                CapabilityBoundingSet=
                ProtectSystem=strict
                ProtectHome=yes
                PrivateTmp=yes
                PrivateDevices=yes
                PrivateUsers=yes
                PrivateIPC=yes
                ProtectHostname=yes
                ProtectClock=yes
                ProtectKernelTunables=yes
                ProtectKernelModules=yes
                ProtectKernelLogs=yes
                ProtectControlGroups=yes
                ProtectProc=invisible
                ProcSubset=pid
                RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
                RestrictNamespaces=yes
                RestrictRealtime=yes
                RestrictSUIDSGID=yes
                LockPersonality=yes
                MemoryDenyWriteExecute=yes
                RemoveIPC=yes
                SystemCallArchitectures=native
                SystemCallFilter=@system-service
                SystemCallFilter=~@privileged @resources
                # Swift's worker threads set their own priority.
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
                # Listening socket of \(program). systemd opens it and passes it to the server, so it stays open
                # while the server restarts. To change the address: systemctl edit \(program).socket (begin with
                # an empty ListenStream=, which removes the address below).
                [Unit]
                Description=Listening socket of \(program)

                [Socket]
                ListenStream=127.0.0.1:\(port)
                # The server accepts RPC connections on the sockets with this name.
                FileDescriptorName=rpc
                Backlog=4096

                [Install]
                WantedBy=sockets.target
                """)
    }
}
