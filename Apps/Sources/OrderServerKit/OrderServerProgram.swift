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
        let configuration = try serverConfiguration(daemon)
        let store = try openStore(monitor, configuration.tcp.budget)
        daemon.systemd?.watch(WatchdogTarget(name: "order store", probe: store.probeWriter))
        do {
            try await serve(store, monitor, configuration, daemon)
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
        _ store: OrderStore, _ monitor: OrderStoreMonitor, _ configuration: RPCServerConfiguration,
        _ daemon: Daemon
    ) async throws {
        let server = try RPCServer(
            configuration: configuration,
            services: [OrderHandler(logic: OrderLogic(store: store))], logger: daemon.logs.rpc)
        monitor.report(to: server.health)
        daemon.logUnusedSockets(otherThan: RPCServerConfiguration.socketName)
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

    private func serverConfiguration(
        _ daemon: Daemon
    ) throws(ProgramFailure) -> RPCServerConfiguration {
        do {
            var configuration = try RPCServerConfiguration(config.server, sockets: daemon.sockets)
            configuration.systemd = daemon.systemd
            return configuration
        } catch {
            throw ProgramFailure("\(error)")
        }
    }

    /// Opens the store. Pages that it has read and that are not in a connection's output yet count
    /// into the server's budget of bytes, which refuses those beyond half of it.
    private func openStore(
        _ monitor: OrderStoreMonitor, _ budget: ByteBudget
    ) throws(ProgramFailure) -> OrderStore {
        do {
            return try OrderStore(
                config[OrderStoreConfig.self].store.limited(by: budget),
                observe: monitor.observe, recordBytes: { budget.record($0) })
        } catch {
            throw ProgramFailure(error.description)
        }
    }
}

extension OrderStoreConfiguration {
    /// Returns the same with pages of no more bytes than the budget takes of them: reading then
    /// waits before the budget refuses what was read.
    func limited(by budget: ByteBudget) -> OrderStoreConfiguration {
        var limited = self
        limited.maxPageBytes = min(maxPageBytes, budget.recordLimitBytes)
        return limited
    }
}
