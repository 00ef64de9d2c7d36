import RocketBase
import RocketProgram
import RocketSystemd
import RocketTCP

/// Runs chat_server with a configuration: opens the log, then runs the chat server, and shuts both
/// down in the reverse order.
struct ChatServerProgram {
    /// The path of the configuration; read again on SIGHUP.
    let file: String
    let config: RocketConfig

    /// Serves until SIGTERM or SIGINT, then drains.
    func run() async throws(ProgramFailure) {
        let logs = try LogSystem.open(config, program: "chat_server")
        defer { logs.shutdown() }
        let daemon = Daemon(name: "chat_server", logs: logs)
        defer { daemon.end() }
        do { try await serve(daemon) } catch { throw ProgramFailure(error) }
        StandardOutput.write(line: "chat_server has drained")
    }

    private func serve(_ daemon: Daemon) async throws {
        let tls = daemon.makeTLSReload()
        var configuration = try ChatServerConfiguration(
            config, sockets: daemon.sockets, security: tls.provider)
        configuration.systemd = daemon.systemd
        let server = ChatServer(
            configuration: configuration, logger: daemon.logs.app,
            frameworkLogger: daemon.logs.rpc)
        daemon.logUnusedSockets(otherThan: ChatServerConfiguration.socketName)
        let reload = ConfigReload(config, logs: daemon.logs) { [file] in
            try ChatConfigurationFile.read(file)
        } apply: {
            var plain = $0
            plain.server = $0.server.withoutTLS
            let configuration = try ChatServerConfiguration(plain, readsFiles: false)
            try tls.reload($0)
            server.update(configuration)
        }
        try await daemon.run(
            [HeapTrimmer(logger: daemon.logs.app), tls, server],
            listening: { await server.boundAddresses.map(\.description) },
            reload: reload.run)
    }
}
