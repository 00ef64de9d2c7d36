public import RocketBase
public import RocketRPC
public import RocketReactor
import RocketTCP
import RocketTLS

/// The server that a command calls: an address or a name of the command line, or a stub of the
/// configuration.
public struct ServerTarget: Sendable, CustomStringConvertible {
    private enum Servers: Sendable {
        case addresses([NetAddress])
        /// What a resolver finds servers by, or an address.
        case target(String)
    }

    /// The address as it was given; for a stub `order (127.0.0.1:12345)`.
    public let description: String
    /// How the server is called.
    public var configuration: RPCChannelConfiguration
    /// TLS of the connections; nil: they are plaintext. Without a name or a fingerprint, the
    /// certificate must be valid for the host of the address.
    public var tls: StubTLSConfig?
    private let servers: Servers

    /// Parses an address or a name: `127.0.0.1:12345`, `[::1]:80`, `localhost:12345`,
    /// `unix:/run/order.sock`, `unix:@name`, the path of a Unix socket, beginning with `/`, or what a
    /// resolver of `ProgramNames` finds servers by, such as `srv:_rocket._tcp.orders.svc`.
    ///
    /// - Throws: `ProgramFailure` (usage) with the part that is wrong.
    public init(
        address text: String, configuration: RPCChannelConfiguration = .init()
    ) throws(ProgramFailure) {
        description = text
        self.configuration = configuration
        let address = text.hasPrefix("/") ? "unix:\(text)" : text
        do throws(RPCError) { try ProgramNames.check(RPCTarget(address)) } catch {
            throw ProgramFailure(error.message, status: .usage)
        }
        servers = .target(address)
    }

    /// The server of a stub.
    ///
    /// - Throws: `ProgramFailure` (configuration) if one of its addresses is wrong.
    public init(_ stub: StubConfig) throws(ProgramFailure) {
        description = "\(stub.name) (\(stub.endpoint))"
        tls = stub.tls
        var plain = stub
        plain.tls = nil
        do throws(RPCError) {
            configuration = try RPCChannelConfiguration(plain, grpc: ProgramWires.channel)
        } catch {
            throw ProgramFailure("stub \(stub.name): \(error)", status: .configuration)
        }
        do {
            if stub.addresses.isEmpty {
                try ProgramNames.check(RPCTarget(stub.endpoint))
                servers = .target(stub.endpoint)
            } else {
                servers = .addresses(try stub.addresses.map { try NetAddress(parsing: $0) })
            }
        } catch {
            throw ProgramFailure("stub \(stub.name): \(error)", status: .configuration)
        }
    }

    /// Creates a channel. Reads the files of `tls`. A name is looked up with the first call.
    ///
    /// - Parameter loop: runs its connections; nil: a loop on a thread of its own.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for TLS that can't be used, CHANNEL_INIT when a thread
    ///   can't be started.
    public func channel(on loop: EventLoop? = nil) throws(RPCError) -> RPCChannel {
        var configuration = configuration
        if let security = try security() { configuration.security = security }
        switch servers {
        case .addresses(let addresses):
            return try RPCChannel(
                to: addresses, configuration: configuration, loop: loop, target: description)
        case .target(let target):
            return try RPCChannel(
                to: target, resolvers: ProgramNames.resolvers(), configuration: configuration,
                loop: loop)
        }
    }

    /// Returns what protects the connections.
    func security() throws(RPCError) -> (any ClientTransportSecurity)? {
        guard var tls else { return nil }
        tls.applicationProtocols = configuration.protocol.applicationProtocols
        do throws(TransportSecurityError) {
            return try TLSProvider().clientSecurity(tls, at: description)
        } catch { throw RPCError(.peerAddress, "\(error)") }
    }
}
