import RocketRPC
import RocketSimulation
import RocketSystem
import SwiftProtobuf

typealias Number = Google_Protobuf_Int64Value

/// Answers with what it was asked: at once, or after as many milliseconds of the host's time.
struct EchoService: RPCService {
    static var serviceName: String { "simulation.v1.Echo" }

    static let echo = RPCMethod<Number, Number>(service: serviceName, name: "echo")
    static let now = RPCMethod<Number, Number>(service: serviceName, name: "now")
    static let later = RPCMethod<Number, Number>(service: serviceName, name: "later")

    let host: Host

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.echo) { request, _ in request }
        try registry.add(Self.now, synchronous: { request, _ in request })
        try registry.add(Self.later) { request, _ in
            try await host.sleep(for: .milliseconds(request.value))
            return request
        }
    }
}
