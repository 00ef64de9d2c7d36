public import ArgumentParser
import Logging
import RocketProgram
import RocketRPC
import ServiceLifecycle
import UnixSignals

/// `rocket_bench_server` as it is typed.
public struct BenchServerCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "rocket_bench_server",
        abstract: "Serves Order.makeOrder with no database, to be measured.",
        discussion: """
            Listens on 127.0.0.1, prints one line when it is ready, ends with status 0 at \
            SIGTERM. Every reply is the same: res_info "OK", order_id "20230514".
            """,
        version: "rocket_bench_server \(RocketVersion.current)")

    @Option(help: "The port; 0 lets the kernel choose.")
    var port: UInt16 = 0

    @Option(help: "Threads that serve connections, 1 to 1024.")
    var ioThreads = 1

    @Option(
        help: "sync: no async function; async: one that never suspends; slow: price 5 takes 5 ms.")
    var handler = BenchHandler.sync

    @Option(help: "Bytes of order_id in the reply, in place of \"20230514\".")
    var payload: Int?

    /// As the parser makes it.
    public init() {}

    /// Refuses what is out of range.
    public func validate() throws {
        guard (1...1024).contains(ioThreads) else {
            throw ValidationError("--io-threads is 1 to 1024")
        }
        guard payload.map({ (0...(64 << 20)).contains($0) }) ?? true else {
            throw ValidationError("--payload is 0 to 67108864")
        }
    }

    /// Serves until SIGTERM or SIGINT.
    public func run() async throws {
        var configuration = RPCServerConfiguration(tcp: .init(listen: [.loopback(port: port)]))
        configuration.ioThreads = ioThreads
        configuration.codec = BenchLimits.codec(payloadBytes: payload)
        configuration.tcp.connection = BenchLimits.connection(payloadBytes: payload)
        configuration.tcp.maxConnections = 100_000
        let server = try RPCServer(
            configuration: configuration, services: [handler.service(payloadBytes: payload)])
        // The group's own steps are not what is measured.
        let quiet = Logger(label: "rocket_bench_server") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(
            services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        async let announced: Void = Self.announce(server)
        try await group.run()
        await announced
    }

    /// Scripts wait for this line.
    private static func announce(_ server: RPCServer) async {
        let addresses = await server.boundAddresses.map(\.description)
        guard let address = addresses.first else { return }
        StandardOutput.write(line: "rocket_bench_server is ready, listening on \(address)")
    }
}
