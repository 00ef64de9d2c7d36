public import RocketBase
public import RocketRPC
import RocketSystem
import RocketTCP
import RocketTLS

/// The server that a command calls: an address of the command line, or a stub of the configuration.
public struct ServerTarget: Sendable, CustomStringConvertible {
    private enum Endpoint: Sendable {
        case addresses([NetAddress])
        case host(HostPort)
    }

    /// The address as it was given; for a stub `order (127.0.0.1:12345)`.
    public let description: String
    /// How the server is called.
    public var configuration: RPCChannelConfiguration
    /// TLS of the connections; nil: they are plaintext. Without a name or a fingerprint, the
    /// certificate must be valid for the host of the address.
    public var tls: StubTLSConfig?
    private let endpoint: Endpoint

    /// Parses an address: `127.0.0.1:12345`, `[::1]:80`, `localhost:12345`, `unix:/run/order.sock`,
    /// `unix:@name`, or the path of a Unix socket, beginning with `/`.
    ///
    /// - Throws: `ProgramFailure` (usage) with the part that is wrong.
    public init(
        address text: String, configuration: RPCChannelConfiguration = .init()
    ) throws(ProgramFailure) {
        description = text
        self.configuration = configuration
        let address = text.hasPrefix("/") ? "unix:\(text)" : text
        do throws(NetAddressError) {
            endpoint = .addresses([try NetAddress(parsing: address)])
        } catch {
            // A name in place of an IP address; what else is wrong is reported as above.
            guard !address.hasPrefix("unix:"), !address.hasPrefix("["), error.part == .host,
                let host = try? HostPort(parsing: address)
            else { throw ProgramFailure("\(error)", status: .usage) }
            endpoint = .host(host)
        }
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
        do throws(NetAddressError) {
            var addresses: [NetAddress] = []
            for text in stub.endpoints { addresses.append(try NetAddress(parsing: text)) }
            endpoint = .addresses(addresses)
        } catch {
            throw ProgramFailure("stub \(stub.name): \(error)", status: .configuration)
        }
    }

    /// Creates a channel, after looking up the name of the host. Reads the files of `tls`.
    ///
    /// - Parameter timeout: the longest that looking up the name may take.
    /// - Throws: `RPCError` ERROR_FAILED_CONNECT for a name without an address,
    ///   ERROR_RPC_CALL_TIMEOUT if the look-up takes too long, ERROR_RPC_PEER_ADDR for TLS that can't
    ///   be used, CHANNEL_INIT when a thread can't be started.
    public func channel(lookingUpWithin timeout: Duration) async throws(RPCError) -> RPCChannel {
        var configuration = configuration
        if let security = try security() { configuration.security = security }
        let addresses =
            switch endpoint {
            case .addresses(let addresses): addresses
            case .host(let host): try await Self.lookUp(host, within: timeout)
            }
        return try RPCChannel(to: addresses, configuration: configuration, target: description)
    }

    /// Returns what protects the connections.
    func security() throws(RPCError) -> (any ClientTransportSecurity)? {
        guard var tls else { return nil }
        tls.applicationProtocols = configuration.protocol.applicationProtocols
        if case .host(let host) = endpoint, tls.name == nil, tls.fingerprint == nil {
            tls.name = host.host
        }
        do throws(TransportSecurityError) {
            return try TLSProvider().clientSecurity(tls, at: description)
        } catch { throw RPCError(.peerAddress, "\(error)") }
    }

    /// Returns the addresses of a host. The system's resolver can't be cancelled: after a time-out
    /// its thread goes on until it ends by itself.
    private static func lookUp(
        _ host: HostPort, within timeout: Duration
    ) async throws(RPCError) -> [NetAddress] {
        let resolver: NameResolver
        do { resolver = try NameResolver() } catch {
            throw RPCError(.channelInit, "no thread for looking up \(host.host): \(error)")
        }
        let (results, first) = AsyncStream.makeStream(of: Result<[NetAddress], RPCError>.self)
        Task {
            do throws(NameLookupError) {
                first.yield(.success(try await resolver.resolve(host)))
            } catch {
                first.yield(
                    .failure(
                        RPCError(.failedConnect, "\(error)").adding("connect", "no address")))
            }
        }
        let clock = Task {
            try await Task.sleep(for: timeout)
            let text = "the address of \(host.host) was not found within \(timeout)"
            first.yield(.failure(RPCError(.callTimeout, text)))
        }
        defer { clock.cancel() }
        for await result in results { return try result.get() }
        throw RPCError(.cancelled, "the look-up of \(host.host) was cancelled")
    }
}
