import Dispatch
import RocketBase
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketProgram

/// A test client calls methods with streams of a service in the same process.
@Suite("Test client of methods with streams")
struct TestClientStreamTests {
    private typealias Text = Google_Protobuf_StringValue

    private enum Methods {
        static let list = RPCMethod<Text, Text>(
            service: "Words", name: "list", kind: .serverStreaming)
        static let join = RPCMethod<Text, Text>(
            service: "Words", name: "join", kind: .clientStreaming)
        static let echo = RPCMethod<Text, Text>(
            service: "Words", name: "echo", kind: .bidirectionalStreaming)
        static let refuse = RPCMethod<Text, Text>(
            service: "Words", name: "refuse", kind: .bidirectionalStreaming)
    }

    private struct Words: RPCService {
        static let serviceName = "Words"

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(serverStreaming: Methods.list) { request, responses, _ in
                for word in request.value.split(separator: " ") {
                    try await responses.write(.with { $0.value = String(word) })
                }
            }
            try registry.add(clientStreaming: Methods.join) { requests, _ in
                var words: [String] = []
                for try await request in requests { words.append(request.value) }
                return .with { $0.value = words.joined(separator: "+") }
            }
            try registry.add(bidirectional: Methods.echo) { requests, responses, _ in
                for try await request in requests { try await responses.write(request) }
            }
            try registry.add(bidirectional: Methods.refuse) { _, _, _ in
                throw RPCError(.permissionDenied, "not you")
            }
        }
    }

    /// Returns what a call prints.
    private func output(
        _ method: RPCMethod<Text, Text>, _ arguments: [String], input: [String] = [],
        isRead: Bool = true
    ) async throws -> [String] {
        let printed = Locked<[String]>([])
        let chunks = Locked(input)
        var requests = TestClient.Requests(arguments: arguments)
        requests.lines = InputLines {
            chunks.withLock { $0.isEmpty ? [] : Array($0.removeFirst().utf8) }
        }
        let channel = try RPCChannel(inProcess: [Words()])
        try await TestClient.Command(method).call(requests, RPCController(), channel) { line in
            printed.withLock { $0.append(line) }
            return isRead
        }
        return printed.withLock { $0 }
    }

    @Test("Prints each response of a stream as a line")
    func serverStream() async throws {
        #expect(try await output(Methods.list, ["\"a b c\""]) == ["\"a\"", "\"b\"", "\"c\""])
        #expect(try await output(Methods.list, ["\"\""]) == [])
    }

    @Test("Ends a stream whose responses nobody reads any more")
    func unread() async throws {
        #expect(try await output(Methods.list, ["\"a b c\""], isRead: false) == ["\"a\""])
        #expect(try await output(Methods.echo, ["\"a\"", "\"b\""], isRead: false) == ["\"a\""])
    }

    @Test("Sends the arguments as a stream of requests, or else the lines of standard input")
    func clientStream() async throws {
        #expect(try await output(Methods.join, ["\"a\"", "\"b\""]) == ["\"a+b\""])
        #expect(try await output(Methods.join, [], input: ["\"a\"\n\"", "b\"\n"]) == ["\"a+b\""])
        #expect(try await output(Methods.join, []) == ["\"\""])
        #expect(try await output(Methods.join, ["\"a\""], input: ["\"no\"\n"]) == ["\"a\""])
    }

    @Test("Sends requests and prints responses of a bidirectional stream")
    func bidirectionalStream() async throws {
        let lines = (1...1_000).map { "\"word \($0)\"" }
        let printed = try await output(
            Methods.echo, [], input: lines.map { "\($0)\n" })
        #expect(printed == lines)
    }

    @Test("Reports a request that is no JSON and not the cancellation that follows from it")
    func badRequest() async {
        for method in [Methods.join, Methods.echo] {
            let error = await #expect(throws: ProgramFailure.self) {
                _ = try await output(method, [], input: ["\"a\"\n{\n"])
            }
            #expect(error?.description.hasPrefix("'{' is no google.protobuf.StringValue") == true)
        }
    }

    @Test("Reports the error of the call, also while it waits for input")
    func refused() async throws {
        let error = await #expect(throws: RPCError.self) {
            _ = try await output(Methods.refuse, ["\"a\""])
        }
        #expect(error?.code == .permissionDenied)
        // The read never returns.
        let channel = try RPCChannel(inProcess: [Words()])
        let mayReturn = DispatchSemaphore(value: 0)
        defer { mayReturn.signal() }
        let requests = TestClient.Requests(
            arguments: [],
            lines: InputLines {
                mayReturn.wait()
                return []
            })
        let waiting = await #expect(throws: RPCError.self) {
            try await TestClient.Command(Methods.refuse).call(
                requests, RPCController(), channel
            ) { _ in true }
        }
        #expect(waiting?.code == .permissionDenied)
    }

    @Test("Only a stream of requests takes more than one JSON")
    func usage() async {
        let commands = [TestClient.Command(Methods.list), TestClient.Command(Methods.join)]
        let error = await #expect(throws: ProgramFailure.self) {
            try await TestClient.call(commands, ["list", "127.0.0.1", "1", "{}", "{}"]) { _ in true
            }
        }
        #expect(error?.description.contains("only a stream of requests") == true)
        await #expect(throws: RPCError.self) {
            try await TestClient.call(commands, ["join", "127.0.0.1", "1", "\"a\"", "\"b\""]) { _ in
                true
            }
        }
    }

    @Test("Names streams in the help")
    func help() {
        let help = TestClient.help(
            "test_words_client", [.init(Methods.list), .init(Methods.join)])
        #expect(
            help.contains("  list  Words.list, a google.protobuf.StringValue; returns a stream\n"))
        #expect(help.contains("  join  Words.join, a stream of google.protobuf.StringValue"))
        #expect(help.contains("any, the lines of standard input, each sent"))
        #expect(!TestClient.help("c", [.init(Methods.list)]).contains("A stream of requests"))
    }
}
