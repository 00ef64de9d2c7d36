public import ArgumentParser
import RocketProgram
import RocketRPC

/// `rocket_bench_client` as it is typed.
public struct BenchClientCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "rocket_bench_client",
        abstract: "Drives any TinyPB server with Order.makeOrder through Rocket's own client.",
        discussion: """
            EXAMPLES:
              One call after the other:
                rocket_bench_client --to 127.0.0.1:12345
              64 connections with 32 calls in flight on each, for 5 seconds:
                rocket_bench_client --to 127.0.0.1:12345 --connections 64 --in-flight 32 --seconds 5
              50,000 calls a second, latency from the time at which each was due:
                rocket_bench_client --to 127.0.0.1:12345 --in-flight 512 --rate 50000
            """,
        version: "rocket_bench_client \(RocketVersion.current)")

    @Option(help: "The server's address, as 127.0.0.1:12345.")
    var to: String

    @Option(help: "Connections, 1 to 10000.")
    var connections = 1

    @Option(
        help: "Calls in flight on each connection, 1 to 65536; with --rate the most there may be.")
    var inFlight = 1

    @Option(help: "How long to measure, after a fifth of it to warm up; up to 3600.")
    var seconds = 1.0

    @Option(
        help: "Calls a second, begun at fixed times; without it each reply is followed by a call.")
    var rate: Double?

    @Option(help: "So many calls in all, with no warm-up, in place of --seconds.")
    var calls: Int?

    @Option(help: "Bytes of goods in the request, in place of \"apple\".")
    var payload: Int?

    @Option(help: "So many calls of a hundred have price 5, which `--handler slow` takes 5 ms for.")
    var slowPercent = 0.0

    @Option(help: "The server's process, to count its processor time.")
    var serverPid: Int32?

    @Flag(help: "One line of JSON in place of text.")
    var json = false

    /// As the parser makes it.
    public init() {}

    /// Refuses what is out of range.
    public func validate() throws {
        let ranges: [(Bool, String)] = [
            ((1...10_000).contains(connections), "--connections is 1 to 10000"),
            ((1...65_536).contains(inFlight), "--in-flight is 1 to 65536"),
            ((0.01...3600).contains(seconds), "--seconds is 0.01 to 3600"),
            (rate.map { (1...10_000_000).contains($0) } ?? true, "--rate is 1 to 10000000"),
            (payload.map { (0...(64 << 20)).contains($0) } ?? true, "--payload is 0 to 67108864"),
            (calls.map { $0 > 0 } ?? true, "--calls is 1 or more"),
            ((0...100).contains(slowPercent), "--slow-percent is 0 to 100"),
        ]
        for (isInRange, rule) in ranges where !isInRange { throw ValidationError(rule) }
    }

    /// Drives the server, then prints what was found.
    public func run() async throws {
        let report: BenchReport
        do {
            let load = BenchLoad(
                address: try NetAddress(parsing: to), connections: connections,
                inFlight: inFlight, duration: .seconds(seconds), callsPerSecond: rate, calls: calls,
                payloadBytes: payload, slowPercent: slowPercent, serverProcess: serverPid,
                hasHistogram: json)
            report = try await load.run()
        } catch {
            throw ProgramFailure("--to \(to): \(error)")
        }
        StandardOutput.write(line: json ? try report.json() : report.text)
    }
}
