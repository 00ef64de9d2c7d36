import OrderProtos
import RocketRPC
import SwiftProtobuf

/// Streams of messages of about 100 bytes between a channel and handlers on its loop, without
/// sockets: what each message costs in both of its ends. One allocation of each is the text that
/// its reader receives.
struct StreamedOrders: RPCService {
    static var serviceName: String { "bench.Streams" }

    /// That of generated code.
    private static let coding = OrderMethods.makeOrder.request
    private static let take = RPCMethod<MakeOrderRequest, MakeOrderRequest>(
        service: serviceName, name: "take", kind: .clientStreaming, request: coding,
        response: coding)
    private static let give = RPCMethod<MakeOrderRequest, MakeOrderRequest>(
        service: serviceName, name: "give", kind: .serverStreaming, request: coding,
        response: coding)

    private static let message = MakeOrderRequest.with {
        $0.price = 100
        $0.goods = String(repeating: "apple,", count: 16)
    }

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(clientStreaming: Self.take) { requests, _ in
            var sum: Int32 = 0
            for try await request in requests { sum &+= request.price }
            return .with { $0.price = sum }
        }
        try registry.add(serverStreaming: Self.give) { request, responses, _ in
            for _ in 0..<request.price { try await responses.write(Self.message) }
        }
    }

    /// Sends so many messages to a handler, or from it.
    ///
    /// - Returns: the sum of their prices.
    static func run(up: Bool, times: Int) async throws -> Int {
        let channel = try RPCChannel(
            inProcess: try RPCDispatcher(services: [StreamedOrders()]))
        defer { channel.close() }
        return try await withTaskExecutorPreference(channel.loop) {
            try await up ? send(times, over: channel) : receive(times, over: channel)
        }
    }

    private static func send(_ times: Int, over channel: RPCChannel) async throws -> Int {
        let response = try await channel.clientStream(take) { requests in
            for _ in 0..<times { try await requests.write(message) }
        }
        return Int(response.price)
    }

    private static func receive(_ times: Int, over channel: RPCChannel) async throws -> Int {
        let request = MakeOrderRequest.with { $0.price = Int32(clamping: times) }
        var sum = 0
        for try await message in try await channel.serverStream(give, request) {
            sum += Int(message.price)
        }
        return sum
    }
}
