import RocketGeneratorPlugin

/// Writes Sources/name/main.swift.
struct MainTemplate {
    let project: ProjectModel
    private var names: ProjectNames { project.names }
    private var program: String { project.name.program }

    var lines: Lines { .joined([imports, command, entry]) }

    private var imports: Lines {
        let modules = [
            "ArgumentParser", "RocketBase", "RocketGRPC", "RocketProgram", "RocketRPC",
            project.name.module,
        ]
        return modules.sorted().map { "import \($0)" }
    }

    private var entry: Lines {
        ["await \(names.program("Program")).run(\(commandName).self)"]
    }

    private var commandName: String { "\(project.name.module)Command" }

    /// The services, as elements of an array literal.
    var services: Lines {
        let services = project.services.map { "\($0.implementation)(resources)" }
        return services.count == 1 ? services : services.map { "\($0)," }
    }

    private var command: Lines {
        DocComment.lines(["The command `\(program)`."])
            + ["struct \(commandName): \(names.argument("AsyncParsableCommand")) {"]
            + Lines.joined([configuration, serveCommand, healthCommand]).indented + ["}"]
    }

    /// The services, as far as they fit on one line.
    private var served: String {
        let names = project.serviceNames
        let line = "abstract: \"Serves \(names) over TinyPB and gRPC.\","
        if Layout.fits(line, depth: 2) { return names }
        let others = project.services.count - 1
        let first = project.services.first?.model.fullName ?? ""
        return others == 0 ? first : "\(first) and \(others) other service\(others == 1 ? "" : "s")"
    }

    private var configuration: Lines {
        Lines(
            text: """
                static let configuration = \(names.argument("CommandConfiguration"))(
                    commandName: "\(program)",
                    abstract: "Serves \(served) over TinyPB and gRPC.",
                    discussion: \"""
                        EXAMPLES:
                          Serve until SIGTERM or Ctrl-C:
                            \(program) conf/rocket.xml
                          Print the effective configuration with the source of each value:
                            \(program) --check-config conf/rocket.xml
                          Check in a script whether the running server serves:
                            \(program) health && echo "it serves"

                        \\(\(names.program("HelpSections"))(
                            exitStatuses: \(names.program("HelpSections")).serverStatuses,
                            environment: \(names.program("HelpSections")).serverEnvironment
                        ).text)
                        \""",
                    version: "\(program) 0.1.0",
                    subcommands: [Serve.self, Health.self], defaultSubcommand: Serve.self)
                """)
    }

    /// The subcommand that serves; it is the one without a name of a subcommand.
    private var serveCommand: Lines {
        ["struct Serve: \(names.argument("AsyncParsableCommand")) {"]
            + Lines.joined([
                [
                    "static let configuration = \(names.argument("CommandConfiguration"))(",
                    "    abstract: \"Serve until SIGTERM or SIGINT.\")",
                ], arguments, run, serve,
            ]).indented + ["}"]
    }

    /// The subcommand for scripts and monitoring.
    private var healthCommand: Lines {
        Lines(
            text: """
                struct Health: \(names.argument("AsyncParsableCommand")) {
                    static let configuration = \(names.argument("CommandConfiguration"))(
                        abstract: "Check the health of a running server, for scripts and monitoring.",
                        discussion: \(names.program("HealthReport")).exitStatusHelp)

                    @\(names.argument("Option"))(help: "The server: HOST:PORT, another name, or the path of a Unix socket.")
                    var to = "127.0.0.1:\(project.port)"

                    @\(names.argument("OptionGroup"))(title: "TLS") var tls: \(names.program("TLSOptions"))

                    @\(names.argument("OptionGroup")) var health: \(names.program("HealthOptions"))

                    func run() async throws {
                        try await health.check {
                            var target = try \(names.program("ServerTarget"))(address: to)
                            target.tls = tls.settings
                            return target
                        }
                    }
                }
                """)
    }

    private var arguments: Lines {
        Lines(
            text: """
                @\(names.argument("Argument"))(
                    help: \(names.argument("ArgumentHelp"))(
                        "Configuration file; relative paths in it are relative to its folder.",
                        discussion: "Default: conf/rocket.xml, or else \(installedConfiguration)."))
                var config: String?

                @\(names.argument("Flag"))(help: "Print the effective configuration with the source of each value, then exit.")
                var checkConfig = false

                @\(names.argument("Flag"))(help: "With --check-config: print only errors and warnings.")
                var quiet = false
                """)
    }

    private var run: Lines {
        Lines(
            text: """
                func run() async throws {
                    let file = try \(names.program("ConfigurationFile")).find(
                        config, local: "conf/rocket.xml", installed: "\(installedConfiguration)",
                        option: "\(program) FILE")
                    let config = try \(names.program("ConfigurationFile")).read(file)
                    for warning in config.warnings {
                        \(names.program("StandardError")).write(line: "\(program): \\(warning)", level: .warn)
                    }
                    if checkConfig {
                        _ = try \(names.rpc("RPCServerConfiguration"))(config.server.withoutTLS)
                        let report = try \(names.program("ConfigurationFile")).report(config, of: file)
                        if !quiet { \(names.program("StandardOutput")).write(line: report) }
                        return
                    }
                    try await serve(config, from: file)
                }
                """)
    }

    private var installedConfiguration: String { "/etc/\(program)/rocket.xml" }

    private var serve: Lines {
        let (logs, server) = (
            names.rpc("LogSystem", of: "RocketBase"), names.rpc("RPCServer")
        )
        let config = names.rpc("RocketConfig", of: "RocketBase")
        return Lines(
            text: """
                private func serve(_ config: \(config), from file: String) async throws {
                    let logs = try \(logs).open(config, program: "\(program)")
                    defer { logs.shutdown() }
                    let daemon = \(names.program("Daemon"))(name: "\(program)", logs: logs)
                    defer { daemon.end() }
                    let tls = daemon.makeTLSReload()
                    let tracing = try daemon.tracing(config.trace, security: tls.provider)
                    // Create the resources of your calls here.
                    let resources = \(names.resources)(log: logs.app)
                    let server = try \(server)(
                        config: config,
                        services: [
                \(services.indented(by: 12).joined(separator: "\n"))
                        ], interceptors: tracing.interceptors, logs: logs, systemd: daemon.systemd,
                        sockets: daemon.sockets, security: tls.provider, protocols: [.grpc()],
                        hasAdmin: true, hasTracing: true)
                    let reload = \(names.program("ConfigReload"))(config, logs: logs) {
                        try \(names.program("ConfigurationFile")).read(file)
                    } apply: {
                        let configuration = try \(names.rpc("RPCServerConfiguration"))($0.server.withoutTLS)
                        try tls.reload($0)
                        server.update(configuration)
                    }
                    daemon.logUnusedSockets(
                        otherThan: \(names.rpc("RPCServerConfiguration")).socketName)
                    try await daemon.run(
                        [\(names.program("HeapTrimmer"))(logger: logs.app), tls]
                            + daemon.admin(
                                of: server, reload, security: tls.provider, tracing: tracing)
                            + tracing.services + [server]
                            + daemon.registration(of: server, config.server),
                        listening: { await server.boundAddresses.map { "\\($0)" } },
                        reload: reload.run)
                }
                """)
    }
}
