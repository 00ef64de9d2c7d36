import OrderStore
import RocketBase
import RocketProgram
import RocketRPC
import RocketSystemd
import RocketTCP

/// Runs order_server with a configuration: opens log and store, then runs the RPC server, and shuts
/// them down in the reverse order.
struct OrderServerProgram {
    /// The path of the configuration; read again on SIGHUP.
    let file: String
    let config: RocketConfig

    /// Serves until SIGTERM or SIGINT, then drains.
    func run() async throws(ProgramFailure) {
        let logs = try LogSystem.open(config)
        defer { logs.shutdown() }
        let daemon = Daemon(name: "order_server", logs: logs)
        defer { daemon.end() }
        let monitor = OrderStoreMonitor(logs: logs)
        let store = try openStore(monitor)
        daemon.systemd?.watch(WatchdogTarget(name: "order store", probe: store.probeWriter))
        do {
            try await serve(store, monitor, daemon)
        } catch {
            await store.close()
            throw ProgramFailure("\(error)")
        }
        await store.close()
        let statistics = store.statistics
        StandardOutput.write(
            line: "order_server has drained: \(statistics.orders) orders stored in "
                + "\(statistics.transactions) transactions")
    }

    private func serve(
        _ store: OrderStore, _ monitor: OrderStoreMonitor, _ daemon: Daemon
    ) async throws {
        let server = try RPCServer(
            config: config, services: [OrderHandler(logic: OrderLogic(store: store))],
            logs: daemon.logs, systemd: daemon.systemd, sockets: daemon.sockets)
        monitor.report(to: server.health)
        for socket in daemon.sockets.unclaimed(by: RPCServerConfiguration.socketName) {
            daemon.logs.app.warn("socket passed by activation is not used") {
                $0.add("name", socket.name)
            }
        }
        let reload = ConfigReload(config, logs: daemon.logs) { [file] in
            try ConfigurationFile.read(file, sections: [OrderStoreConfig.self])
        } apply: {
            server.update(try RPCServerConfiguration($0.server))
        }
        try await daemon.run(
            [HeapTrimmer(logger: daemon.logs.app), server],
            listening: { await server.boundAddresses.map(\.description) },
            reload: reload.run)
    }

    private func openStore(
        _ monitor: OrderStoreMonitor
    ) throws(ProgramFailure) -> OrderStore {
        do {
            return try OrderStore(config[OrderStoreConfig.self].store, observe: monitor.observe)
        } catch {
            throw ProgramFailure(error.description)
        }
    }
}
