import RocketBase
import RocketGRPC
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

typealias Text = Google_Protobuf_StringValue
typealias Number = Google_Protobuf_Int64Value
typealias Bytes = Google_Protobuf_BytesValue

/// Runs a server that speaks gRPC on a port chosen by the kernel until `body` returns.
func withGRPCServer(
    _ services: [any RPCService] = [GRPCService()],
    _ grpc: GRPCServerConfiguration = GRPCServerConfiguration(),
    configure: (inout RPCServerConfiguration) -> Void = { _ in },
    _ body: (RPCServer, NetAddress) async throws -> Void
) async throws {
    var configuration = RPCServerConfiguration(
        tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
    configuration.protocols = [.grpc(grpc)]
    configure(&configuration)
    let server = try RPCServer(configuration: configuration, services: services)
    try await withThrowingTaskGroup { group in
        // Not on the thread of the test, which may block.
        group.addTask(executorPreference: globalConcurrentExecutor) { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        do {
            try await body(server, address)
        } catch {
            server.beginDrain()
            throw error
        }
        server.beginDrain()
        try await group.waitForAll()
    }
}

/// The configuration of a patient channel of gRPC.
func grpcChannel(
    _ grpc: GRPCChannelConfiguration = GRPCChannelConfiguration()
) -> RPCChannelConfiguration {
    var configuration = RPCChannelConfiguration()
    configuration.timeout = .seconds(600)
    configuration.connectTimeout = .seconds(60)
    configuration.protocol = .grpc(grpc)
    return configuration
}

/// Runs a server and a channel of gRPC to it until `body` returns.
func withGRPC(
    _ services: [any RPCService] = [GRPCService()],
    server: GRPCServerConfiguration = GRPCServerConfiguration(),
    channel: GRPCChannelConfiguration = GRPCChannelConfiguration(),
    configure: (inout RPCServerConfiguration) -> Void = { _ in },
    _ body: (RPCChannel) async throws -> Void
) async throws {
    try await withGRPCServer(services, server, configure: configure) { _, address in
        let channel = try RPCChannel(to: address, configuration: grpcChannel(channel))
        defer { channel.close() }
        try await body(channel)
    }
}
