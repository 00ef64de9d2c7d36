import Logging
import ProgramKit
import RocketBase
import RocketJournal
import RocketTCP
import ServiceLifecycle
import UnixSignals

/// The server from its configuration to its end: wires log and chat server, says when it is
/// ready, and takes both down in the reverse order.
struct ChatServerProgram {
    /// The configuration's path; read again at SIGHUP.
    let file: String
    let config: RocketConfig

    /// Serves until SIGTERM or SIGINT, then drains.
    func run() async throws(ProgramFailure) {
        let logs: LogSystem
        do { logs = try LogSystem(withJournal: LogConfiguration(config.log)) } catch {
            throw ProgramFailure("cannot open the log in \(config.log.filePath): \(error)")
        }
        defer { logs.shutdown() }
        do {
            let server = ChatServer(
                configuration: try ChatServerConfiguration(config), logger: logs.app,
                frameworkLogger: logs.rpc)
            try await serve(server, logs)
        } catch {
            throw ProgramFailure("\(error)")
        }
        StandardOutput.write(line: "chat_server has drained")
    }

    private func serve(_ server: ChatServer, _ logs: LogSystem) async throws {
        // The group would log its own steps through swift-log; ours stand in the app stream.
        let quiet = Logging.Logger(label: "chat_server") { _ in SwiftLogNoOpLogHandler() }
        let reload = ChatReload(
            file: file, config: config, logs: logs, server: server,
            hangUps: await UnixSignalsSequence(trapping: .sighup))
        // Shut down from the back: the server drains first.
        let group = ServiceGroup(
            services: [reload, server], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        async let announced: Void = announce(server)
        try await group.run()
        await announced
    }

    /// Scripts wait for this line. Nothing is said when the server could not start.
    private func announce(_ server: ChatServer) async {
        let addresses = await server.boundAddresses.map(\.description)
        guard !addresses.isEmpty else { return }
        let list = addresses.joined(separator: " ")
        StandardOutput.write(line: "chat_server is ready, listening on \(list)")
    }
}
