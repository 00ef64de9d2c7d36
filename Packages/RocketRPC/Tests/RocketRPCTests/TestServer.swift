import RocketBase
import RocketRPC
import RocketTCP
import Testing

extension RPCChannelConfiguration {
    /// For tests that do not test deadlines: on a busy machine, or under a sanitizer, a call may
    /// take more than the default of two seconds.
    static var patient: Self {
        var configuration = Self()
        configuration.timeout = .seconds(600)
        return configuration
    }
}

/// Runs a server on a port chosen by the kernel until `body` returns.
func withServer(
    _ services: [any RPCService] = [TestService()], interceptors: [any RPCInterceptor] = [],
    configure: (inout RPCServerConfiguration) -> Void = { _ in },
    _ body: (NetAddress) async throws -> Void
) async throws {
    var configuration = RPCServerConfiguration(
        tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
    configure(&configuration)
    let server = try RPCServer(
        configuration: configuration, services: services, interceptors: interceptors)
    try await withThrowingTaskGroup { group in
        // Not on the thread of the test, which may block.
        group.addTask(executorPreference: globalConcurrentExecutor) { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        do {
            try await body(address)
        } catch {
            server.beginDrain()
            throw error
        }
        server.beginDrain()
        try await group.waitForAll()
    }
}

/// Runs a server and a channel to it until `body` returns.
func withChannel(
    _ services: [any RPCService] = [TestService()],
    configure: (inout RPCServerConfiguration) -> Void = { _ in },
    _ body: (RPCChannel) async throws -> Void
) async throws {
    try await withServer(services, configure: configure) { address in
        let channel = try RPCChannel(to: address, configuration: .patient)
        defer { channel.close() }
        try await body(channel)
    }
}
