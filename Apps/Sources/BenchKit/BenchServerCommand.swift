public import ArgumentParser
import Logging
import RocketAdmin
import RocketBase
import RocketCodec
import RocketGRPC
import RocketProgram
import RocketRPC
import RocketTCP
import ServiceLifecycle
import UnixSignals

/// The command line of `rocket_bench_server`.
public struct BenchServerCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "rocket_bench_server",
        abstract: "Serves Order.makeOrder without a database, and streams, for benchmarks.",
        discussion: """
            EXAMPLES:
              Serve on a port chosen by the kernel:
                rocket_bench_server
              Serve with two threads and handlers that sleep for 5 ms at price 5:
                rocket_bench_server --port 12345 --io-threads 2 --handler slow

            Serves TinyPB and gRPC on 127.0.0.1, prints one line when it is ready, and exits with status 0 on \
            SIGTERM. Every reply is the same: res_info "OK", order_id "20230514".

            \(HelpSections(exitStatuses: HelpSections.serverStatuses).text)
            """,
        version: "rocket_bench_server \(RocketVersion.current)")

    @Option(help: "The port; 0: chosen by the kernel.")
    var port: UInt16 = 0

    @Option(help: "Threads that serve connections, 1 to 1024.")
    var ioThreads = 1

    @Option(
        help: ArgumentHelp(
            "sync: synchronous; async: never suspends; suspend: suspends once;"
                + " slow: sleeps for 5 ms at price 5."))
    var handler = BenchHandler.sync

    @Option(help: "How long the threads look for events before they sleep, in microseconds.")
    var busyWaitUs = 0

    @Option(help: "Refuse calls that wait for longer under overload, in microseconds.")
    var queueDelayUs: Int?

    @Option(help: "The calls that each caller may make per second.")
    var callsPerSecond = 0

    @Option(
        help: ArgumentHelp(
            "Record calls, and show the page at this loopback address.", valueName: "IP:PORT"))
    var admin: String?

    @Flag(help: "Record calls, as for metrics.")
    var metrics = false

    @Option(
        help: ArgumentHelp("Record calls in a flight recorder, too.", valueName: "file"))
    var flightRecorder: String?

    @Option(help: "Bytes of order_id in the reply, instead of \"20230514\".")
    var payload: Int?

    @Option(
        name: .customLong("tls-cert"),
        help: ArgumentHelp("Serve by TLS with this certificate.", valueName: "file"))
    var tlsCertificate: String?

    @Option(
        name: .customLong("tls-key"),
        help: ArgumentHelp("The private key of the certificate.", valueName: "file"))
    var tlsKey: String?

    @Option(
        name: .customLong("tls-client-ca"),
        help: ArgumentHelp(
            "Demand certificates of these authorities from clients.", valueName: "file"))
    var tlsClientCA: String?

    /// Every option at its default, for the parser.
    public init() {}

    /// Refuses values out of range.
    public func validate() throws {
        guard (1...1024).contains(ioThreads) else {
            throw ValidationError("--io-threads is 1 to 1024")
        }
        guard (0...1000).contains(busyWaitUs) else {
            throw ValidationError("--busy-wait-us is 0 to 1000")
        }
        guard queueDelayUs.map({ (0...60_000_000).contains($0) }) ?? true,
            (0...1_000_000).contains(callsPerSecond)
        else {
            throw ValidationError(
                "--queue-delay-us is 0 to 60000000, --calls-per-second 0 to 1000000")
        }
        guard payload.map({ (0...(64 << 20)).contains($0) }) ?? true else {
            throw ValidationError("--payload is 0 to 67108864")
        }
        guard (tlsCertificate == nil) == (tlsKey == nil), tlsClientCA == nil || tlsKey != nil else {
            throw ValidationError("TLS needs --tls-cert and --tls-key")
        }
    }

    /// TLS as the options say.
    private func security() throws -> ListenerSecurity {
        var server = ServerConfig()
        if let tlsCertificate, let tlsKey {
            var tls = ServerTLSConfig(certificate: tlsCertificate, key: tlsKey)
            tls.clientCA = tlsClientCA
            server.tls = tls
        }
        do {
            return try ListenerSecurity(server, by: TLSReload(logger: .disabled).provider)
        } catch { throw ProgramFailure(error) }
    }

    /// Serves until SIGTERM or SIGINT.
    public func run() async throws {
        StandardOutput.outliveReaders()
        var configuration = RPCServerConfiguration(tcp: .init(listen: [.loopback(port: port)]))
        configuration.ioThreads = ioThreads
        configuration.busyWait = .microseconds(busyWaitUs)
        configuration.codec = BenchLimits.codec(payloadBytes: payload)
        configuration.tcp.connection = BenchLimits.connection(payloadBytes: payload)
        configuration.tcp.maxConnections = 100_000
        configuration.tcp.security = try security()
        configuration.protocols = [.grpc()]
        if let flightRecorder {
            do {
                configuration.flightRecorder = try FlightRecorder(
                    path: flightRecorder, program: "rocket_bench_server", loops: ioThreads)
            } catch { throw ProgramFailure("\(error)") }
        }
        // 0: every call waits for longer.
        configuration.limits.queueDelay = queueDelayUs.map {
            max(.nanoseconds(1), .microseconds($0))
        }
        configuration.limits.callsPerSecond = callsPerSecond
        configuration.collectsMetrics = metrics || admin != nil
        let server = try RPCServer(
            configuration: configuration,
            services: [handler.service(payloadBytes: payload), BenchStreams()])
        // Without the group's own log, which is not to be measured.
        let quiet = Logger(label: "rocket_bench_server") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(
            services: trimmers + (try page(of: server)) + [server],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        async let announced: Void = Self.announce(server)
        try await group.run()
        await announced
    }

    /// What every generated program has. Without `--payload` calls are counted, which its looks at the
    /// heap would disturb.
    private var trimmers: [any Service] {
        payload == nil ? [] : [HeapTrimmer(logger: .disabled)]
    }

    private func page(of server: RPCServer) throws -> [any Service] {
        guard let admin else { return [] }
        do {
            let address = try NetAddress(parsing: admin)
            return [
                AdminServer(
                    try AdminConfiguration(address: address),
                    AdminSource(name: "rocket_bench_server", server: server))
            ]
        } catch { throw ProgramFailure("\(error)", status: .usage) }
    }

    /// Prints the ready line, for which scripts wait.
    private static func announce(_ server: RPCServer) async {
        let addresses = await server.boundAddresses.map(\.description)
        guard let address = addresses.first else { return }
        StandardOutput.write(line: "rocket_bench_server is ready, listening on \(address)")
    }
}

/// The default limits, raised as far as the measured payloads need it.
enum BenchLimits {
    /// Accepts frames with that payload.
    static func codec(payloadBytes: Int?) -> TinyPBCodec {
        let codec = TinyPBCodec()
        guard let payloadBytes else { return codec }
        return TinyPBCodec(maxFrameBytes: max(codec.maxFrameBytes, payloadBytes + 4096))
    }

    /// Buffers many frames of that payload, and keeps idle connections.
    static func connection(payloadBytes: Int?) -> TCPConnectionConfiguration {
        var connection = TCPConnectionConfiguration()
        connection.firstBytesTimeout = nil
        guard let payloadBytes, payloadBytes > 1024 else { return connection }
        connection.inputLimitBytes = max(connection.inputLimitBytes, payloadBytes * 64)
        connection.outputLimitBytes = max(connection.outputLimitBytes, payloadBytes * 128)
        return connection
    }
}
