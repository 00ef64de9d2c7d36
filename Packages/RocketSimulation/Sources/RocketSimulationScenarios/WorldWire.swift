import RocketGRPC
import RocketRPC
import RocketSimulation
import RocketTCP

/// What the connections of a world carry and are protected by. A value.
struct WorldWire: Sendable {
    var security = WorldSecurity.plaintext
    /// HTTP/2 instead of TinyPB.
    var isGRPC = false

    static let tinyPB = WorldWire()
    static let grpc = WorldWire(isGRPC: true)

    /// Runs a scenario over TLS, with the random numbers of the world's seed.
    static func secured(
        _ world: World, isGRPC: Bool = false, _ body: (WorldWire) throws -> Void
    ) throws {
        try WorldSecurity.run(world, isGRPC: isGRPC) {
            try body(WorldWire(security: $0, isGRPC: isGRPC))
        }
    }

    func server(_ configuration: inout RPCServerConfiguration) {
        configuration.tcp.security.tcp = security.server
        if isGRPC { configuration.protocols = [.grpc()] }
    }

    func channel(_ configuration: RPCChannelConfiguration) -> RPCChannelConfiguration {
        var changed = configuration
        changed.security = security.client
        if isGRPC { changed.protocol = .grpc() }
        return changed
    }
}
