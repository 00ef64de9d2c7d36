import RocketBase
import RocketRPC

/// The keys of the servers of a name: those below `rocket/orders/` for `etcd:///rocket/orders`. A value.
struct EtcdKeys: Hashable {
    /// With a slash at the end, so that `rocket/orders2` is another name.
    let prefix: String

    /// The longest name, in bytes.
    static let maxBytes = 1024

    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a name that is empty or too long.
    init(_ target: RPCTarget) throws(RPCError) {
        var name = Substring(target.name)
        while name.last == "/" { name.removeLast() }
        if name.isEmpty { throw RPCError(.peerAddress, "'\(target)' has no name") }
        if name.utf8.count > Self.maxBytes {
            throw RPCError(
                .peerAddress, "'\(target)' has a name of more than \(Self.maxBytes) bytes")
        }
        prefix = "\(name)/"
    }

    /// The first key behind all of them.
    var end: String { "\(prefix.dropLast())0" }

    /// The key of a server.
    func key(of address: String) -> String { prefix + address }
}
