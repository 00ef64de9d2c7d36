import Logging
import OrderStore
import ProgramKit
import RocketBase
import RocketJournal
import RocketRPC
import ServiceLifecycle
import UnixSignals

/// The server from its configuration to its end: wires log, store and RPC server, says when it
/// is ready, and takes all of it down in the reverse order.
struct OrderServerProgram {
    /// The configuration's path; read again at SIGHUP.
    let file: String
    let config: RocketConfig

    /// Serves until SIGTERM or SIGINT, then drains.
    func run() async throws(ProgramFailure) {
        let logs = try openLogs()
        defer { logs.shutdown() }
        let store = try openStore()
        do {
            let server = try RPCServer(
                config: config, services: [OrderBook(desk: OrderDesk(store: store))], logs: logs)
            try await serve(server, logs)
        } catch {
            await store.close()
            throw ProgramFailure("\(error)")
        }
        await store.close()
        let done = store.statistics
        StandardOutput.write(
            line: "order_server has drained: \(done.orders) orders stored in "
                + "\(done.transactions) transactions")
    }

    private func serve(_ server: RPCServer, _ logs: LogSystem) async throws {
        // The group would log its own steps through swift-log; ours stand in the app stream.
        let quiet = Logging.Logger(label: "order_server") { _ in SwiftLogNoOpLogHandler() }
        let reload = ConfigReload(
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
    private func announce(_ server: RPCServer) async {
        let addresses = await server.boundAddresses.map(\.description)
        guard !addresses.isEmpty else { return }
        let list = addresses.joined(separator: " ")
        StandardOutput.write(line: "order_server is ready, listening on \(list)")
    }

    private func openLogs() throws(ProgramFailure) -> LogSystem {
        do { return try LogSystem(withJournal: LogConfiguration(config.log)) } catch {
            throw ProgramFailure("cannot open the log in \(config.log.filePath): \(error)")
        }
    }

    private func openStore() throws(ProgramFailure) -> OrderStore {
        do { return try OrderStore(config[OrderStoreConfig.self].store) } catch {
            throw ProgramFailure(error.description)
        }
    }
}
