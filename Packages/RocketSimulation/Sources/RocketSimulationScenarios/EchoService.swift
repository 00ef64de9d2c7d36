public import RocketRPC
public import RocketSimulation
import RocketSystem
public import SwiftProtobuf

/// The messages of the scenarios' service.
public typealias Payload = Google_Protobuf_BytesValue

/// Answers with what it was asked: at once, synchronously, after a while, or by asking the next host
/// of a chain.
public struct EchoService: RPCService {
    /// `simulation.v1.Echo`.
    public static var serviceName: String { "simulation.v1.Echo" }

    /// Answers from an asynchronous handler that does not suspend.
    public static let echo = RPCMethod<Payload, Payload>(service: serviceName, name: "echo")
    /// Answers from a synchronous handler.
    public static let now = RPCMethod<Payload, Payload>(service: serviceName, name: "now")
    /// Answers after as many milliseconds as the payload's first byte says.
    public static let later = RPCMethod<Payload, Payload>(service: serviceName, name: "later")
    /// Answers with what the next host of the chain answers.
    public static let chain = RPCMethod<Payload, Payload>(service: serviceName, name: "chain")

    private let host: Host
    private let next: RPCChannel?

    /// - Parameter next: the channel of `chain` to the next host; nil: this is the last one.
    public init(host: Host, next: RPCChannel? = nil) {
        self.host = host
        self.next = next
    }

    /// Adds the methods.
    public func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.echo) { request, _ in request }
        try registry.add(Self.now, synchronous: { request, _ in request })
        try registry.add(Self.later) { request, _ in
            try await host.sleep(for: .milliseconds(Int(request.value.first ?? 0)))
            return request
        }
        try registry.add(Self.chain) { request, _ in
            guard let next else { return request }
            return try await next.call(Self.chain, request)
        }
    }
}
