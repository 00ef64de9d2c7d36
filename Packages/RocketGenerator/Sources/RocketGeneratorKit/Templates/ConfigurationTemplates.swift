import RocketGeneratorPlugin

/// conf/: the configuration and systemd's units.
struct ConfigurationTemplates {
    let program: String
    let port: UInt16

    var rocketXML: Lines {
        Lines(
            text: """
                <?xml version="1.0" encoding="UTF-8" ?>
                <!-- What \(program) uses; its option check-config shows every setting in force. Relative paths
                     are relative to this file's folder. -->
                <root>
                  <log>
                    <log_level>INFO</log_level>
                    <!-- The journal where systemd starts it, files otherwise. -->
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
                # \(program) as a service of systemd. `make install` puts its own PREFIX in the place of /usr/local.
                # What you want different goes into a drop-in: systemctl edit \(program).service
                [Unit]
                Description=\(program), a Rocket service
                # The socket unit listens, so that a restart refuses nobody.
                Wants=\(program).socket
                After=\(program).socket network.target
                StartLimitIntervalSec=60s
                StartLimitBurst=60

                [Service]
                Type=notify
                NotifyAccess=main
                ExecStart=/usr/local/bin/\(program) /etc/\(program)/rocket.xml
                ExecReload=/bin/kill -HUP $MAINPID
                Restart=on-failure
                RestartSec=250ms
                # No word from a loop or the log's writer for that long: killed and started again.
                WatchdogSec=20s
                # Longer than server/drain_timeout_ms.
                TimeoutStopSec=15s

                # Who it is, and the one place where it may write.
                DynamicUser=yes
                StateDirectory=\(program)
                UMask=0077

                # How much it may take.
                LimitNOFILE=65536
                MemoryMax=1G
                TasksMax=512

                # What it may see and do.
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
                # Swift's worker threads lower their own priority, and complain when they may not.
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
                # Where \(program) can be reached. systemd listens and hands the socket over, so it outlives the
                # server. For other addresses: systemctl edit \(program).socket (an empty ListenStream= first
                # takes this one back).
                [Unit]
                Description=\(program): its socket

                [Socket]
                ListenStream=127.0.0.1:\(port)
                # What the server takes for calls.
                FileDescriptorName=rpc
                Backlog=4096
                NoDelay=yes

                [Install]
                WantedBy=sockets.target
                """)
    }
}
