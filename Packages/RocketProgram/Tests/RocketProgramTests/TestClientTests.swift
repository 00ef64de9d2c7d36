import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketProgram

@Suite("Test client of a service")
struct TestClientTests {
    private let commands = [
        TestClient.Command(
            RPCMethod<Google_Protobuf_StringValue, Google_Protobuf_Empty>(
                service: "shop.Order", name: "make")),
        TestClient.Command(
            RPCMethod<Google_Protobuf_Empty, Google_Protobuf_Empty>(
                service: "shop.Order", name: "find")),
    ]

    @Test(
        "Prints the usage for invalid arguments",
        arguments: [[], ["make"], ["make", "h"], ["make", "h", "x"], ["make", "h", "0"]])
    func usage(arguments: [String]) async {
        let error = await #expect(throws: ProgramFailure.self) {
            try await TestClient.call(commands, arguments) { _ in true }
        }
        #expect(error?.description.contains("METHOD HOST PORT [JSON]") == true)
    }

    @Test("Rejects a method that the service does not have and lists the others")
    func unknownMethod() async {
        let error = await #expect(throws: ProgramFailure.self) {
            try await TestClient.call(commands, ["made", "127.0.0.1", "1"]) { _ in true }
        }
        #expect(
            error?.description == "there is no method 'made'; the methods are make, find")
    }

    @Test("Rejects JSON that is not a request and names it")
    func badJSON() {
        let error = #expect(throws: ProgramFailure.self) {
            let _: Google_Protobuf_Duration = try TestClient.message("{\"a\":")
        }
        #expect(
            error?.description.hasPrefix("'{\"a\":' is no google.protobuf.Duration: ") == true)
    }

    @Test("Names its methods and their requests in the help")
    func help() {
        let help = TestClient.help("test_order_client", commands)
        #expect(help.contains("  make  shop.Order.make, a google.protobuf.StringValue\n"))
        #expect(help.contains("  find  shop.Order.find, a google.protobuf.Empty"))
    }

    @Test("Takes the wire, metadata and a time-out anywhere between its arguments")
    func options() throws {
        let (options, rest) = try TestClientOptions.split([
            "make", "--metadata", "X-User=a=b", "h", "--grpc", "1", "--timeout=1500ms", "{}",
            "--metadata=x-user=c",
        ])
        #expect(rest == ["make", "h", "1", "{}"])
        #expect(options.grpc && options.timeout?.duration == .milliseconds(1500))
        #expect(options.metadata.map(\.key) == ["x-user", "x-user"])
        #expect(options.metadata.map(\.value) == ["a=b", "c"])
        for wrong in [
            ["--metadata", "x"], ["--metadata", "ü=1"], ["--timeout", "x"], ["--http"],
        ] {
            #expect(throws: ProgramFailure.self) { try TestClientOptions.split(wrong) }
        }
    }

    @Test("Calls by gRPC with metadata and a time-out", arguments: [true, false])
    func call(usesGRPC: Bool) async throws {
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.protocols = ProgramWires.server
        let server = try RPCServer(configuration: configuration, services: [Caller()])
        async let served: Void = server.run()
        let address = try #require(await server.boundAddresses.first)
        let printed = Locked<[String]>([])
        let commands = [TestClient.Command(Caller.describe)]
        let port = "\(address)".split(separator: ":").last.map(String.init) ?? ""
        try await TestClient.call(
            commands,
            ["describe", "127.0.0.1", port, "--metadata", "x-user=me", "--timeout", "600s"]
                + (usesGRPC ? ["--grpc"] : [])
        ) { line in
            printed.withLock { $0.append(line) }
            return true
        }
        // gRPC's clients say which they are.
        #expect(printed.withLock { $0 } == ["\"me true \(usesGRPC)\""])
        // By the name of this machine, as any name that a program knows.
        for server in [["localhost", port], ["dns:///localhost:\(port)"], ["list:\(address)"]] {
            try await TestClient.call(
                commands, ["describe"] + server + ["--timeout", "600s", "{}"]
            ) { line in
                printed.withLock { $0.append(line) }
                return true
            }
        }
        #expect(
            printed.withLock { $0 }.dropFirst()
                == Array(repeating: "\" true false\"", count: 3)[...])
        server.beginDrain()
        try await served
    }

    /// Answers with what it has learned of the call.
    private struct Caller: RPCService {
        static let serviceName = "test.Caller"
        static let describe = RPCMethod<Google_Protobuf_Empty, Google_Protobuf_StringValue>(
            service: serviceName, name: "describe")

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.describe) { _, call in
                let metadata = call.requestMetadata
                return .with {
                    $0.value =
                        "\(metadata["x-user"] ?? "") \(call.deadline != nil) "
                        + "\(metadata["user-agent"] != nil)"
                }
            }
        }
    }

    @Test("Fails with the error of the call")
    func failsWithTheCall() async {
        // Port 1 of the loopback has no listener; the kernel refuses at once.
        await #expect(throws: RPCError.self) {
            try await TestClient.call(commands, ["make", "127.0.0.1", "1", "\"x\""]) { _ in true }
        }
    }
}
