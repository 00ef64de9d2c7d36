import RocketBase
import RocketRPC
import SwiftProtobuf
import Testing

@testable import greeter

/// The handlers without a network, and the program's own server and client over TCP.
@Suite struct GreeterTests {
    // docs: in-process
    @Test("Both handlers greet, and refuse an empty name", arguments: [true, false])
    func handlers(isQuick: Bool) async throws {
        let service: any RPCService = isQuick ? QuickGreetings() : Greetings()
        let channel = try RPCChannel(inProcess: [service])
        defer { channel.close() }
        let greeter = GreeterClient(channel)
        #expect(try await greeter.hello(.with { $0.name = "Ada" }).text == "Hello, Ada!")
        let error = await #expect(throws: RPCError.self) { try await greeter.hello(.init()) }
        #expect(error?.code == .invalidArgument)
    }
    // docs: end

    // docs: loopback
    @Test("The client greets over TCP")
    func overTCP() async throws {
        var config = RocketConfig()
        config.server.port = 0
        let server = try makeServer(config)
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        #expect(try await greet("Ada", at: "\(address)") == "Hello, Ada!")
        server.beginDrain()
        try await running.value
    }
    // docs: end
}
