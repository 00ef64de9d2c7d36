import RocketBase
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Synchronization

/// Accepts the tokens `good-SUBJECT`, and counts what it verifies.
final class TestAuthenticator: RPCAuthenticator {
    private let keys = Atomic<UInt64>(0)
    private let seen = Locked<[String]>([])
    private let expires: WallTime?

    init(expires: WallTime? = nil) { self.expires = expires }

    var generation: UInt64 { keys.load(ordering: .acquiring) }
    var verified: [String] { seen.withLock { $0 } }

    func changeKeys() { keys.wrappingAdd(1, ordering: .releasing) }

    func authenticate(_ token: String, _ peer: RPCPeer) throws -> RPCToken {
        seen.withLock { $0.append(token) }
        guard token.hasPrefix("good-") else {
            throw RPCError(.unauthenticated, "the key is unknown")
        }
        return RPCToken(
            subject: String(token.dropFirst(5)), claims: ["kind": "test"], expires: expires)
    }
}

/// Tells the caller whom the server takes it for, in a synchronous and in an asynchronous handler.
struct WhoService: RPCService {
    static var serviceName: String { "test.Who" }

    func register(in registry: inout RPCServiceRegistry) throws {
        for name in ["sync", "other"] {
            try registry.add(
                RPCMethod<Text, Text>(service: Self.serviceName, name: name),
                synchronous: { _, call in Self.describe(call) })
        }
        try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "async")) {
            _, call in
            await Task.yield()
            return Self.describe(call)
        }
    }

    private static func describe(_ call: RPCController) -> Text {
        guard let peer = call.peer else { return Text("nobody") }
        let token = peer.token.map { "\($0) \($0.claims.count)" } ?? "no token"
        return Text("\(peer.address) \(peer.identity) \(token)")
    }
}
