public import ArgumentParser
import RocketProgram
import RocketRPC
import RocketTCP

/// The command line of `rocket_bench_client`.
public struct BenchClientCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "rocket_bench_client",
        abstract: "Loads a server with calls of Order.makeOrder, or streams, by Rocket's client.",
        discussion: """
            For the benchmarks of this repository (docs/decisions/0033); `rocket load` measures any \
            server.

            EXAMPLES:
              Make one call after the other:
                rocket_bench_client --to 127.0.0.1:12345
              Use 64 connections with 32 calls in flight on each:
                rocket_bench_client --to 127.0.0.1:12345 --connections 64 --in-flight 32
              Make 50,000 calls per second, with latencies from when each was due:
                rocket_bench_client --to 127.0.0.1:12345 --in-flight 512 --rate 50000
              Send messages of 64 KiB on one stream of gRPC:
                rocket_bench_client --to 127.0.0.1:12345 --wire grpc --kind send \
                    --payload 65536

            \(HelpSections(exitStatuses: HelpSections.clientStatuses).text)
            """,
        version: "rocket_bench_client \(RocketVersion.current)")

    @Option(help: "The address of the server: 127.0.0.1:12345.")
    var to: String

    @Option(help: "Connections, 1 to 10000.")
    var connections = 1

    @Option(
        help: """
            Calls in flight, or streams, on each connection, 1 to 65536; with --rate the maximum.
            """)
    var inFlight = 1

    @Option(help: "Calls that a caller makes as one batch, 1 to 65536; not with --rate.")
    var batch = 1

    @Option(help: "tinypb or grpc.")
    var wire = BenchWire.tinypb

    @Option(
        help: """
            calls; streams: send, receive, echo, and hold, which keeps them open without traffic \
            until the end of its input.
            """)
    var kind = BenchKind.calls

    @Option(help: "Seconds to measure, after a fifth of it to warm up; up to 3600.")
    var seconds = 1.0

    @Option(
        help: "Calls per second, begun at fixed times; without it a call follows each reply.")
    var rate: Double?

    @Option(help: "The number of calls in all, without a warm-up, instead of --seconds.")
    var calls: Int?

    @Option(
        help: """
            Bytes of goods in the request, instead of \"apple\"; of each message of a stream, 100.
            """)
    var payload: Int?

    @Option(help: "Percentage of calls with price 5, which take 5 ms with `--handler slow`.")
    var slowPercent = 0.0

    @Option(help: "The process id of the server, to measure its processor time.")
    var serverPid: Int32?

    @OptionGroup(title: "TLS") var tls: TLSOptions

    @Flag(help: "Print one line of JSON instead of text.")
    var json = false

    /// Every option at its default, for the parser.
    public init() {}

    /// Refuses values out of range.
    public func validate() throws {
        let ranges: [(Bool, String)] = [
            ((1...10_000).contains(connections), "--connections is 1 to 10000"),
            ((1...65_536).contains(inFlight), "--in-flight is 1 to 65536"),
            ((1...65_536).contains(batch), "--batch is 1 to 65536"),
            (batch == 1 || rate == nil, "--batch is not for --rate"),
            ((0.01...3600).contains(seconds), "--seconds is 0.01 to 3600"),
            (rate.map { (1...10_000_000).contains($0) } ?? true, "--rate is 1 to 10000000"),
            (payload.map { (0...(64 << 20)).contains($0) } ?? true, "--payload is 0 to 67108864"),
            (calls.map { $0 > 0 } ?? true, "--calls is 1 or more"),
            ((0...100).contains(slowPercent), "--slow-percent is 0 to 100"),
        ]
        for (isInRange, rule) in ranges where !isInRange { throw ValidationError(rule) }
    }

    /// Loads the server, then prints the report.
    public func run() async throws {
        let report: BenchReport
        let security = try tls.security()
        do {
            let address = try NetAddress(parsing: to)
            if kind == .hold { return try await hold(address) }
            if kind != .calls {
                report = try await streams(address).run()
            } else {
                var load = BenchLoad(
                    address: address, connections: connections,
                    inFlight: inFlight, duration: .seconds(seconds), callsPerSecond: rate,
                    calls: calls, payloadBytes: payload, slowPercent: slowPercent,
                    serverProcess: serverPid, hasHistogram: json)
                load.security = security
                load.wire = wire
                load.batch = batch
                report = try await load.run()
            }
        } catch {
            let status = error is NetAddressError ? .usage : ExitStatus(of: error)
            throw ProgramFailure("--to \(to): \(error)", status: status)
        }
        StandardOutput.write(line: json ? try report.json() : report.text)
    }

    private func streams(_ address: NetAddress) -> StreamLoad {
        StreamLoad(
            address: address, wire: wire, kind: kind, connections: connections, streams: inFlight,
            duration: .seconds(seconds), messageBytes: payload ?? 100, serverProcess: serverPid)
    }

    /// Prints `ready` when all streams are open, and keeps them until the input ends.
    private func hold(_ address: NetAddress) async throws {
        try await streams(address).hold {
            StandardOutput.write(line: "ready")
            while readLine() != nil {}
        }
    }
}
