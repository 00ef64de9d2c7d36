public import ArgumentParser
import RocketBase
import RocketRPC
import SwiftProtobuf

/// The options of a command that checks the health of a server, and the check itself.
public struct HealthOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The full name of a service, such as Order or shop.v1.Order.",
            discussion: "Default: the whole server."))
    var service = ""

    @Option(
        help: ArgumentHelp(
            "The longest that connecting and the check may take: 500ms, 2s.",
            discussion: "A bare number is milliseconds. Default: 2s, or that of a stub.",
            valueName: "duration"))
    var timeout: DurationArgument?

    @Flag(help: "Wait for a server that can't be reached, until the time-out.")
    var wait = false

    @Flag(help: "Print one JSON object on one line, also if the check fails.")
    var json = false

    @Flag(help: "Print one line and exit as a plugin of Nagios or Icinga does.")
    var nagios = false

    /// Every option at its default, for the parser.
    public init() {}

    /// Refuses two forms of output.
    public func validate() throws {
        if json && nagios { throw ValidationError("--json and --nagios exclude each other") }
    }

    /// Returns whether a command line is that of a plugin of Nagios, also one that can't be parsed.
    static func isPlugin(_ arguments: [String]) -> Bool {
        arguments.first == "health" && arguments.contains("--nagios")
    }

    /// Checks the server that `target` returns and prints the report.
    ///
    /// - Throws: `ProgramFailure` with the line for standard error, or `ExitCode` where that line is
    ///   on standard output.
    public func check(_ target: () throws -> ServerTarget) async throws {
        do {
            let report = try await report(target())
            try print(report)
        } catch let failure as ProgramFailure where nagios {
            StandardOutput.write(line: HealthReport.nagiosLine(.unknown, failure.description))
            throw ExitCode(NagiosStatus.unknown.exitStatus.rawValue)
        }
    }

    /// Calls `rocket.Health.check` once. An answer that the server is overloaded is reported, not
    /// retried.
    func report(_ target: ServerTarget) async throws(ProgramFailure) -> HealthReport {
        var target = target
        let limit = timeout?.duration ?? target.configuration.timeout
        target.configuration.connectTimeout = limit
        target.configuration.retry = .never
        let clock = ContinuousClock()
        let start = clock.now
        do throws(RPCError) {
            let channel = try target.channel()
            defer { channel.close() }
            let reply = try await RPCHealthClient(channel).check(
                .with { $0.service = service }, timeout: limit,
                options: .with { if wait { $0.waitsForReady = true } })
            return HealthReport(
                reply.status, service: service, target: target.description,
                time: clock.now - start)
        } catch {
            if error.code == .channelInit { throw ProgramFailure("\(error)") }
            // TLS whose files can't be used: nothing is known of the server.
            if error.code == .peerAddress { throw ProgramFailure(error) }
            return HealthReport(
                error, service: service, target: target.description, time: clock.now - start)
        }
    }

    private func print(_ report: HealthReport) throws {
        if nagios {
            let (line, status) = report.nagios
            StandardOutput.write(line: line)
            if status != .success { throw ExitCode(status.rawValue) }
            return
        }
        if json { StandardOutput.write(line: try report.json()) }
        guard report.exitStatus == .success else {
            throw ProgramFailure(report.text, status: report.exitStatus)
        }
        if !json { StandardOutput.write(line: report.text) }
    }
}
