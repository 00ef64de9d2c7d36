import RocketGeneratorPlugin

/// Writes Sources/name/main.swift.
struct MainTemplate {
    let project: ProjectModel
    private var names: ProjectNames { project.names }
    private var program: String { project.name.program }

    var lines: Lines { .joined([imports, command, entry]) }

    private var imports: Lines {
        let modules = [
            "ArgumentParser", "RocketBase", "RocketProgram", "RocketRPC", project.name.module,
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
            + Lines.joined([configuration, arguments, run, serve]).indented + ["}"]
    }

    private var configuration: Lines {
        Lines(
            text: """
                static let configuration = \(names.argument("CommandConfiguration"))(
                    commandName: "\(program)",
                    abstract: "Serves \(project.serviceNames) over TinyPB.",
                    discussion: \(names.program("HelpSections"))(
                        exitStatuses: \(names.program("HelpSections")).serverStatuses,
                        environment: \(names.program("HelpSections")).serverEnvironment
                    ).text,
                    version: "\(program) 0.1.0")
                """)
    }

    private var arguments: Lines {
        Lines(
            text: """
                @\(names.argument("Argument"))(help: "Configuration file; relative paths in it are relative to its folder.")
                var config = "conf/rocket.xml"

                @\(names.argument("Flag"))(help: "Print the effective configuration with the source of each value, then exit.")
                var checkConfig = false

                @\(names.argument("Flag"))(help: "With --check-config: print only errors and warnings.")
                var quiet = false

                @\(names.argument("Option"))(help: "Check the health of the server at this address, then exit.")
                var probe: String?
                """)
    }

    private var run: Lines {
        Lines(
            text: """
                func run() async throws {
                    if let probe { return try await \(names.program("HealthProbe")).check(probe) }
                    let config = try \(names.program("ConfigurationFile")).read(self.config)
                    for warning in config.warnings {
                        \(names.program("StandardError")).write(line: "\(program): \\(warning)", level: .warn)
                    }
                    if checkConfig {
                        _ = try \(names.rpc("RPCServerConfiguration"))(config.server)
                        if !quiet { \(names.program("StandardOutput")).write(line: config.report) }
                        return
                    }
                    try await serve(config)
                }
                """)
    }

    private var serve: Lines {
        let (logs, server) = (
            names.rpc("LogSystem", of: "RocketBase"), names.rpc("RPCServer")
        )
        let config = names.rpc("RocketConfig", of: "RocketBase")
        return Lines(
            text: """
                private func serve(_ config: \(config)) async throws {
                    let logs = try \(logs).open(config)
                    defer { logs.shutdown() }
                    let daemon = \(names.program("Daemon"))(name: "\(program)", logs: logs)
                    defer { daemon.end() }
                    // Create the resources of your calls here.
                    let resources = \(names.resources)(log: logs.app)
                    let server = try \(server)(
                        config: config,
                        services: [
                \(services.indented(by: 12).joined(separator: "\n"))
                        ], logs: logs, systemd: daemon.systemd, sockets: daemon.sockets)
                    let reload = \(names.program("ConfigReload"))(config, logs: logs) { [file = self.config] in
                        try \(names.program("ConfigurationFile")).read(file)
                    } apply: {
                        server.update(try \(names.rpc("RPCServerConfiguration"))($0.server))
                    }
                    try await daemon.run(
                        [server], listening: { await server.boundAddresses.map { "\\($0)" } },
                        reload: reload.run)
                }
                """)
    }
}
