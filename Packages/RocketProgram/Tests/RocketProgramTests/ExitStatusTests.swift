import ArgumentParser
import Foundation
import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketProgram

@Suite("Exit statuses")
struct ExitStatusTests {
    private struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "example")
        @Option var size: Int = 1
    }
    private struct OtherError: Error {}

    private func status(_ error: any Error) -> Int {
        Int(Program.status(for: error, of: Example.self).rawValue)
    }

    @Test(
        "The code of a failed call has a status",
        arguments: [
            (RPCErrorCode.failedConnect, 69), (.peerClosed, 69), (.callTimeout, 69),
            (.unavailable, 69), (.failedGetReply, 69), (.resourceExhausted, 75),
            (.permissionDenied, 77), (.unauthenticated, 77), (.serviceNotFound, 76),
            (.methodNotFound, 76), (.failedDeserialize, 76), (.failedSerialize, 65),
            (.internal, 70), (.peerAddress, 78), (.cancelled, 1), (RPCErrorCode(rawValue: 42), 1),
            (.invalidArgument, 65), (.outOfRange, 65), (.dataLoss, 65), (.notFound, 66),
            (.aborted, 75), (.unimplemented, 76), (.alreadyExists, 1), (.failedPrecondition, 1),
            (.unknown, 1), (.deadlineExceeded, 69),
        ])
    func calls(code: RPCErrorCode, expected: Int) {
        #expect(status(RPCError(code, "why")) == expected)
    }

    @Test(
        "The errno of a system call has a status",
        arguments: [
            (EACCES, 77), (EPERM, 77), (ENOSPC, 74), (EIO, 74), (EMFILE, 75), (ENOMEM, 75),
            (ENOENT, 73), (EROFS, 73), (EADDRINUSE, 73), (EADDRNOTAVAIL, 75), (EINTR, 75),
        ])
    func systemCalls(errno: Int32, expected: Int) {
        let error = SystemError("open", Errno(rawValue: errno))
        #expect(status(error) == expected)
        #expect(Int(ProgramFailure(error).status.rawValue) == expected)
        #expect(ProgramFailure(error).description == error.description)
    }

    @Test("A wrong command line has the status 64, another error 1, a failure its own")
    func others() throws {
        let usage = try #require(
            #expect(throws: (any Error).self) { _ = try Example.parse(["--sise", "3"]) })
        #expect(status(usage) == 64)
        #expect(status(OtherError()) == 1)
        #expect(status(ProgramFailure("x")) == 1)
        #expect(status(ProgramFailure("x", status: .ioError)) == 74)
    }

    @Test("A configuration that is missing or wrong has the status 78")
    func configuration() throws {
        let path = NSTemporaryDirectory() + "ExitStatusTests-\(UUID().uuidString).xml"
        #expect(
            #expect(throws: ProgramFailure.self) {
                _ = try ConfigurationFile.read(path)
            }?.status == .configuration)
        try "<root><server><port>x</port></server></root>".write(
            toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(
            #expect(throws: ProgramFailure.self) {
                _ = try ConfigurationFile.read(path)
            }?.status == .configuration)
    }

    @Test("A log that can't be written has the status of its errno")
    func log() {
        var config = RocketConfig()
        config.log.filePath = "/proc/no/log"
        #expect(
            #expect(throws: ProgramFailure.self) {
                _ = try LogSystem.open(config, program: "test")
            }?.status == .cannotCreate)
    }

    @Test("An address that is taken has the status 73")
    func listener() async throws {
        let first = try RPCServer(
            configuration: .init(tcp: .init(listen: [.loopback(port: 0)])), services: [])
        async let running: Void = first.run()
        let taken = try #require(await first.boundAddresses.first)
        let second = try RPCServer(
            configuration: .init(tcp: .init(listen: [taken])), services: [])
        let error = await #expect(throws: TCPListenError.self) { try await second.run() }
        #expect(error.map(status) == 73)
        first.beginDrain()
        try await running
    }

    @Test("The help lists statuses, files and variables, each line within 80 columns")
    func help() {
        let text = HelpSections(
            exitStatuses: HelpSections.serverStatuses + HelpSections.clientStatuses + [.noInput],
            files: [("/etc/a.xml", "The configuration.")],
            environment: HelpSections.serverEnvironment
        ).text
        #expect(text.hasPrefix("EXIT STATUS:\n  0   Success.\n  1   "))
        #expect(text.contains("\n  64  The command line is wrong.\n"))
        #expect(
            text.contains("\n\nFILES:\n  /etc/a.xml\n      The configuration.\n\nENVIRONMENT:\n"))
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 79 })
        #expect(lines.filter { $0.hasPrefix("  6") || $0.hasPrefix("  7") }.count == 11)
    }
}
