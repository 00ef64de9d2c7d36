import ArgumentParser
import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import SwiftProtobuf
import Testing

@testable import RocketProgram

/// Health checks of servers on the loopback, and how a command ends after them.
@Suite("Health check")
struct HealthOptionsTests {
    /// Refuses all calls with one error.
    private struct Refusal: RPCInterceptor {
        let error: RPCError
        func intercept<Request: Message, Response: Message>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response { throw error }
    }

    private func withServer(
        _ interceptors: [any RPCInterceptor] = [], hasHealth: Bool = true,
        _ body: (RPCServer, ServerTarget) async throws -> Void
    ) async throws {
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.health = hasHealth
        let server = try RPCServer(
            configuration: configuration, services: [], interceptors: interceptors)
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        try await body(server, ServerTarget(address: address.description))
        server.beginDrain()
        try await running.value
    }

    private func report(
        _ target: ServerTarget, _ arguments: String...
    ) async throws -> HealthReport {
        // Long enough for a busy machine: only the check of the silent server waits as long.
        try await HealthOptions.parse(["--timeout", "30s"] + arguments).report(target)
    }

    @Test("Reports the status of the server and of a service")
    func statuses() async throws {
        try await withServer { server, target in
            #expect(try await report(target).state == .serving)
            #expect(try await report(target, "Order").state == .notFound)
            server.health.set(.notServing, for: "Order")
            let report = try await report(target, "Order")
            #expect(report.state == .notServing)
            #expect(report.text == "\(target): Order is NOT_SERVING")
        }
    }

    @Test("A server without rocket.Health answers")
    func noHealth() async throws {
        try await withServer(hasHealth: false) { _, target async throws in
            #expect(try await report(target).state == .answering)
            #expect(try await report(target, "Order").state == .notFound)
        }
    }

    @Test("An overloaded server has refused the check, which is not sent again")
    func overloaded() async throws {
        let refusal = Refusal(error: RPCError(.unavailable, "too much to do"))
        try await withServer([refusal]) { _, target in
            let report = try await report(target)
            #expect(report.state == .refused && report.reason == .overloaded)
        }
    }

    @Test("Nothing listens, or nobody answers: the reasons differ")
    func down() async throws {
        let listener = try RawListener()
        let target = try ServerTarget(address: listener.address.description)
        let refused = try await report(target)
        #expect(refused.state == .down && refused.reason == .connectionRefused)
        let missing = try await report(ServerTarget(address: "/nowhere/rocket.sock"))
        #expect(missing.reason == .connectionRefused)

        // The kernel accepts; no process does.
        try listener.listen()
        let timeout = try await HealthOptions.parse(["--timeout", "20ms"]).report(target)
        #expect(timeout.state == .down && timeout.reason == .timeout)
    }

    @Test("Finds the address of a name")
    func name() async throws {
        try await withServer { _, target in
            let port = try #require(target.description.split(separator: ":").last)
            let named = try ServerTarget(address: "localhost:\(port)")
            #expect(try await report(named).state == .serving)
        }
    }

    @Test("A failed check is a failure with its status and line")
    func failure() async throws {
        let options = try HealthOptions.parse(["Order"])
        let failure = await #expect(throws: ProgramFailure.self) {
            try await options.check { try ServerTarget(address: "127.0.0.1:1") }
        }
        #expect(failure?.status == .unavailable)
        #expect(failure?.description.hasPrefix("127.0.0.1:1: Order is down: connect:") == true)
    }

    @Test("A plugin of Nagios prints one line on standard output and nothing else")
    func nagios() async {
        let result = await #expect(
            processExitsWith: .exitCode(2),
            observing: [\.standardOutputContent, \.standardErrorContent]
        ) {
            await Program.run(
                HealthCommand.self, arguments: ["--to", "127.0.0.1:1", "Order", "--nagios"])
        }
        let line = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        #expect(line.hasPrefix("ROCKET CRITICAL - Order is down: connect: 127.0.0.1:1"))
        #expect(line.split(separator: "\n").count == 1)
        let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(!errors.contains("down"))
    }

    @Test("A plugin of Nagios has the status UNKNOWN for an address that is none")
    func nagiosUnknown() async {
        let result = await #expect(
            processExitsWith: .exitCode(3), observing: [\.standardOutputContent]
        ) {
            await Program.run(HealthCommand.self, arguments: ["--to", "nowhere", "--nagios"])
        }
        let line = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        #expect(line.hasPrefix("ROCKET UNKNOWN - address \"nowhere\""))
    }

    @Test(
        "A plugin of Nagios has the status UNKNOWN for a wrong command line",
        arguments: [["--nagois"], ["--timeout", "x"], ["--json"]])
    func nagiosUsage(options: [String]) async {
        let result = await #expect(
            processExitsWith: .exitCode(3), observing: [\.standardOutputContent]
        ) { [options = options as [String]] in
            let arguments = ["health", "--to", "127.0.0.1:1", "--nagios"] + options
            await Program.run(HealthProgram.self, arguments: arguments)
        }
        let line = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        #expect(line.hasPrefix("ROCKET UNKNOWN - example: "))
    }

    @Test("Without --nagios a wrong command line has its status")
    func usage() async {
        await #expect(processExitsWith: .exitCode(64)) {
            await Program.run(HealthProgram.self, arguments: ["health", "--to", "x", "--nagois"])
        }
    }

    @Test("--json and --nagios exclude each other")
    func forms() {
        #expect(throws: (any Error).self) { try HealthOptions.parse(["--json", "--nagios"]) }
    }
}

/// The command of a program that has one.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "health")
    @Option var to: String
    @OptionGroup var health: HealthOptions
    func run() async throws { try await health.check { try ServerTarget(address: to) } }
}

/// A program with the command.
struct HealthProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example", subcommands: [HealthCommand.self])
}
