import OrderProtos
import OrderStore
import OrderStoring
import RocketBase
import RocketCodec
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
        let logs = try LogSystem.open(config, program: "order_server")
        defer { logs.shutdown() }
        let daemon = Daemon(name: "order_server", logs: logs)
        defer { daemon.end() }
        let monitor = OrderStoreMonitor(logs: logs)
        let tls = daemon.makeTLSReload()
        let configuration = try serverConfiguration(daemon, tls)
        let tracing = try daemon.tracing(config.trace, security: tls.provider)
        let store = try await openStore(monitor, configuration.tcp.budget)
        daemon.systemd?.watch(WatchdogTarget(name: "order store", probe: store.probe))
        daemon.systemd?.addCondition(monitor.status)
        do {
            try await serve(store, monitor, configuration, daemon, tls, tracing)
        } catch {
            await store.close()
            throw ProgramFailure(error)
        }
        await store.close()
        let statistics = store.statistics
        StandardOutput.write(
            line: "order_server has drained: \(statistics.orders) orders stored in "
                + "\(statistics.transactions) transactions")
    }

    private func serve(
        _ store: any OrderStoring, _ monitor: OrderStoreMonitor,
        _ configuration: RPCServerConfiguration, _ daemon: Daemon, _ tls: TLSReload,
        _ tracing: ProgramTracing
    ) async throws {
        let server = try Self.server(
            OrderHandler(logic: OrderLogic(store: store)), configuration, tracing.interceptors,
            logger: daemon.logs.rpc)
        monitor.report(to: server.health)
        daemon.logUnusedSockets(otherThan: RPCServerConfiguration.socketName)
        // docs: daemon
        let reload = ConfigReload(config, logs: daemon.logs) { [file] in
            try ConfigurationFile.read(file, sections: [OrderStoreConfig.self])
        } apply: {
            let configuration = try Self.checked($0)
            try tls.reload($0)
            server.update(configuration)
        }
        try await daemon.run(
            [HeapTrimmer(logger: daemon.logs.app), tls]
                + daemon.admin(of: server, reload, security: tls.provider, tracing: tracing)
                + tracing.services + [server]
                + daemon.registration(of: server, config.server),
            listening: { await server.boundAddresses.map(\.description) },
            reload: reload.run)
        // docs: end
    }

    private func serverConfiguration(
        _ daemon: Daemon, _ tls: TLSReload
    ) throws(ProgramFailure) -> RPCServerConfiguration {
        do {
            var configuration = try RPCServerConfiguration(
                config.server, sockets: daemon.sockets, security: tls.provider,
                protocols: ProgramWires.server)
            configuration.systemd = daemon.systemd
            configuration.collectsMetrics = config.admin.listen != nil
            configuration.flightRecorder = daemon.logs.flightRecorder
            return configuration
        } catch {
            throw ProgramFailure(error)
        }
    }

    /// Makes the server.
    private static func server(
        _ orders: some OrderService, _ configuration: RPCServerConfiguration,
        _ interceptors: [any RPCInterceptor] = [], logger: RocketLogger = .disabled
    ) throws -> RPCServer {
        try RPCServer(
            configuration: configuration, services: [orders], interceptors: interceptors,
            logger: logger)
    }

    /// Returns the configuration of the server without TLS, after checking it as a start does: also
    /// what it says about the methods.
    private static func checked(_ config: RocketConfig) throws -> RPCServerConfiguration {
        let configuration = try RPCServerConfiguration(
            config.server.withoutTLS, protocols: ProgramWires.server)
        _ = try server(UnservedOrders(), configuration)
        try ProgramNames.check(config.server)
        try ProgramTracing.check(config.trace)
        return configuration
    }

    /// Checks the configuration as a start does, besides TLS, and opens nothing.
    ///
    /// - Throws: `ProgramFailure` (configuration) with the reason.
    func check() throws(ProgramFailure) {
        do {
            _ = try Self.checked(config)
            _ = try OrderStoreChoice(config[OrderStoreConfig.self])
        } catch {
            throw ProgramFailure("\(file): \(error)", status: .configuration)
        }
    }

    private func openStore(
        _ monitor: OrderStoreMonitor, _ budget: ByteBudget
    ) async throws(ProgramFailure) -> any OrderStoring {
        let choice = try OrderStoreChoice(config[OrderStoreConfig.self])
        do throws(OrderStoreError) {
            return try await choice.open(observe: monitor.observe, budget)
        } catch {
            throw ProgramFailure(error.description, status: choice.exitStatus(of: error))
        }
    }
}

/// The methods of the service without a store, to check what a configuration says about them. No
/// call reaches it.
private struct UnservedOrders: OrderService {
    private static let refusal = RPCError(.unavailable, "only the configuration is checked")

    nonisolated(nonsending) func makeOrder(
        _ request: MakeOrderRequest, _ call: RPCController
    ) async throws -> MakeOrderResponse { throw Self.refusal }

    nonisolated(nonsending) func queryOrder(
        _ request: QueryOrderRequest, _ call: RPCController
    ) async throws -> QueryOrderResponse { throw Self.refusal }

    nonisolated(nonsending) func listOrders(
        _ request: ListOrdersRequest, _ call: RPCController
    ) async throws -> ListOrdersResponse { throw Self.refusal }

    nonisolated(nonsending) func watchOrders(
        _ request: WatchOrdersRequest, _ responses: RPCWriter<OrderEvent>, _ call: RPCController
    ) async throws { throw Self.refusal }
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
