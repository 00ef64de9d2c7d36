import RocketBase
import RocketDNS
import RocketRPC
import RocketSystem
import RocketTCP

/// What a name of the schemes `dns` and `srv` asks for, and whom. A value.
struct DNSName: Hashable {
    enum Question: Hashable {
        /// The addresses of a host; `name` is what TLS checks, nil for an IP address.
        case host(String, port: UInt16, name: String?)
        /// The SRV records of a service.
        case service(String)
    }

    static let hostScheme = "dns"
    static let serviceScheme = "srv"

    let question: Question
    /// The server that is asked; nil: those of the configuration. Port 0 means 53.
    let server: SocketAddress?

    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR.
    init(_ target: RPCTarget) throws(RPCError) {
        server = target.authority.isEmpty ? nil : try Self.server(target)
        if target.scheme == Self.serviceScheme {
            guard DNSResolver.accepts(name: target.name), !target.name.utf8.contains(58) else {
                throw RPCError(
                    .peerAddress,
                    "'\(target)' is not the name of a service: expected srv:_SERVICE._tcp.DOMAIN")
            }
            question = .service(target.name)
            return
        }
        if let literal = try? NetAddress(parsing: target.name), let port = literal.port {
            question = .host(literal.host, port: port, name: nil)
            return
        }
        let parsed: HostPort
        do { parsed = try HostPort(parsing: target.name) } catch {
            throw RPCError(.peerAddress, "'\(target)': \(error)")
        }
        guard DNSResolver.accepts(name: parsed.host) else {
            throw RPCError(
                .peerAddress, "'\(target)': '\(parsed.host)' is not a name that DNS may have")
        }
        let name = parsed.host.hasSuffix(".") ? String(parsed.host.dropLast()) : parsed.host
        question = .host(parsed.host, port: parsed.port, name: name)
    }

    private static func server(_ target: RPCTarget) throws(RPCError) -> SocketAddress {
        let text = target.authority
        for form in [text, "\(text):0", "[\(text)]:0"] {
            guard let address = try? NetAddress(parsing: form).socketAddress else { continue }
            switch address {
            case .ipv4, .ipv6(_, _, _, scope: 0): return address
            default: continue
            }
        }
        throw RPCError(
            .peerAddress, "'\(target)': the server \(text) is not an IP address, or IP:PORT")
    }
}
