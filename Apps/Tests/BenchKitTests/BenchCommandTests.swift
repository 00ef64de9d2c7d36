import ArgumentParser
import Testing

@testable import BenchKit

struct BenchCommandTests {
    @Test("The server accepts the options of the benchmark", arguments: BenchHandler.allCases)
    func server(handler: BenchHandler) throws {
        let command = try BenchServerCommand.parse([
            "--port", "12345", "--io-threads", "2", "--handler", handler.rawValue,
            "--payload", "1024",
        ])
        #expect(command.port == 12345)
        #expect(command.ioThreads == 2)
        #expect(command.handler == handler)
        #expect(command.payload == 1024)
    }

    @Test("The client accepts both wires and all kinds of load", arguments: BenchKind.allCases)
    func client(kind: BenchKind) throws {
        for wire in BenchWire.allCases {
            let command = try BenchClientCommand.parse([
                "--to", "127.0.0.1:1", "--wire", wire.rawValue, "--kind", kind.rawValue,
            ])
            #expect(command.wire == wire)
            #expect(command.kind == kind)
        }
    }

    @Test("Refuses numbers out of range before anything starts")
    func ranges() {
        for arguments in [
            ["--io-threads", "0"], ["--payload", "-1"], ["--queue-delay-us", "-1"],
            ["--calls-per-second", "-1"],
        ] {
            #expect(throws: (any Error).self) { _ = try BenchServerCommand.parse(arguments) }
        }
        for arguments in [
            ["--connections", "0"], ["--in-flight", "0"], ["--seconds", "0"], ["--rate", "0"],
            ["--slow-percent", "101"], ["--batch", "0"], ["--batch", "65537"],
            ["--batch", "2", "--rate", "10"],
        ] {
            #expect(throws: (any Error).self) {
                _ = try BenchClientCommand.parse(["--to", "127.0.0.1:1"] + arguments)
            }
        }
    }
}
