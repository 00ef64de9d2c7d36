import RocketGeneratorPlugin

/// Writes README.md.
struct ReadmeTemplate {
    let project: ProjectModel
    private var program: String { project.name.program }
    private var module: String { project.name.module }

    var lines: Lines { .joined([head, commands, map, after, operation]) }

    private var head: Lines {
        let services = project.services.map { "`\($0.model.fullName)`" }.joined(separator: ", ")
        return [
            "# \(program)", "",
            "A Rocket server for \(services) over TinyPB and gRPC, on the same port.",
        ]
    }

    private var commands: Lines {
        let method = project.methods.first
        let client = "\(method?.testClient ?? "") \(method?.model.name ?? "")"
        return Lines(
            text: """
                ```
                make && make test          # build and test; needs Swift 6.2, libtinyxml-dev, libsystemd-dev, libssl-dev, libnghttp2-dev, libc-ares-dev, libmicrohttpd-dev
                make run                   # start bin/\(program) in the background and wait until it answers
                bin/\(client) 127.0.0.1 \(project.port) '{}'
                make health                # does it serve? For scripts: the exit status, or --json
                make stop                  # finish the calls that are in progress, then stop
                sudo make install          # install it as a systemd service
                ```
                """)
    }

    private var map: Lines {
        Lines(
            text: """
                | path | content | edit it? |
                |---|---|---|
                | `Protos/` | the .proto files | yes |
                | `Sources/\(module)/interface/` | \(interfaces) | yes |
                | `Sources/\(module)/comm/` | errors that refuse a call by the rules of the service | yes |
                | `Sources/\(program)/main.swift` | command line, configuration, log, services, signals, systemd | yes |
                | `Tests/` | a test for each method | yes |
                | `conf/`, `bin/*.sh`, `Makefile` | configuration, systemd units, scripts to start and stop | yes |
                | `Package.swift` | the package; the list of test clients between the two marks is generated | outside the marks |
                | `Sources/\(module)/pb/`, `Sources/\(module)/service/` | generated messages, services and clients | no |
                | `test_client/` | a generated test client for each service, with a subcommand for each method | no |
                """)
    }

    private var interfaces: String {
        let types = "one type per method with its logic: `run()` and `setError()`"
        let hasStreams = project.services.contains { $0.model.hasStreams }
        return types + (hasStreams ? "; one function per method with streams" : "")
    }

    /// Paths of the .proto files with the services.
    private var protos: String {
        project.protoPaths.map { "`Protos/\($0)`" }.joined(separator: ", ")
    }

    private var after: Lines {
        Lines(
            text: """
                After a change of \(protos) run `make generate`. It writes the generated code again,
                adds files for new methods, lists the files of removed methods, and does not change your files.
                `rocket_generator --diff` shows the changes without writing them.
                `swift package --allow-writing-to-package-directory generate-rocket` updates only
                `Sources/\(module)/pb/`.
                """)
    }

    private var operation: Lines {
        Lines(
            text: """
                ## As a service

                ```
                sudo make install                                # PREFIX=/usr/local
                sudo systemctl enable --now \(program).socket \(program).service
                systemctl status \(program)                      # calls per second, p99, connections
                \(program) health                                # exit status 0 if it serves
                \(program) health --nagios                       # a line and a status for Nagios or Icinga
                journalctl -u \(program)                         # the log
                \(program) --check-config /etc/\(program)/rocket.xml
                sudo systemctl reload \(program)                 # apply changes; the log tells which need a restart
                sudo systemctl restart \(program)                # refuses no connection, finishes the calls in progress
                ```

                | | where |
                |---|---|
                | configuration | `/etc/\(program)/rocket.xml`, not changed by another `make install` |
                | addresses | `\(program).socket`: 127.0.0.1:\(project.port) and `/run/\(program).sock`; for others `systemctl edit \(program).socket` |
                | data of the service | `/var/lib/\(program)`, the only directory that it may write to |
                | limits, sandbox | `\(program).service`; changes: `systemctl edit \(program).service` |

                A check in a script, `\(program) health [SERVICE] [--to ADDRESS]`, ends with 0 (serves), 66 (no
                such service), 69 (down), 75 (does not serve now, or drains), 77 (refused) or 64 (wrong command
                line). A service that can't do its work sets its status:
                `server.health.set(.notServing, for: "\(project.services.first?.model.fullName ?? "")")`.
                """)
    }
}
