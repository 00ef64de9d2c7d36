public import RocketBase
public import RocketRPC
import RocketTCP
public import ServiceLifecycle

/// How a server is announced. A value.
public struct ServerRegistrationConfiguration: Sendable {
    /// The name to announce it under, such as `etcd:///rocket/orders`.
    public var target: String
    /// The address that clients reach it at, `IP:PORT`. Port 0: that of the server's first listener.
    /// Default nil: the first address that the server listens on, which must not be `0.0.0.0` or `[::]`.
    public var address: String?
    /// Its share of calls, in relation to the weights of the others. 1 to 65,535; default 1.
    public var weight = 1
    /// The zone that it runs in. Default nil: unknown.
    public var zone: String?
    /// How long clients may take to find out that a server is withdrawn. It serves on for so long
    /// before it drains. Default 1 second.
    public var propagationTime = Duration.seconds(1)

    /// The defaults for a name.
    public init(target: String) { self.target = target }

    /// Returns what is announced of a server with these listeners.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for an address that no client could use.
    func endpoint(listening addresses: [NetAddress]) throws(RPCError) -> RPCEndpoint {
        var announced: NetAddress
        if let address {
            do { announced = try NetAddress(parsing: address) } catch {
                throw RPCError(.peerAddress, error.description)
            }
            if announced.port == 0, let port = addresses.lazy.compactMap(\.port).first {
                announced = announced.withPort(port)
            }
        } else {
            guard let first = addresses.first else {
                throw RPCError(.peerAddress, "the server to announce has no address")
            }
            announced = first
        }
        if announced.port == 0 || ["0.0.0.0", "::"].contains(announced.host) {
            throw RPCError(
                .peerAddress,
                "\(announced) can't be announced: no client reaches a server there. Set the address "
                    + "of the registration")
        }
        var endpoint = RPCEndpoint([announced])
        endpoint.weight = weight
        endpoint.zone = zone
        return endpoint
    }
}

/// Announces a server under a name once it listens, and withdraws it before it drains. A service of a
/// `ServiceGroup`, behind its server in the list: a group ends its services one after the other, the
/// last one first. Any thread.
///
/// ```swift
/// let registration = try ServerRegistration(of: server, configuration, registrars: [EtcdRegistrar()])
/// try await daemon.run([server, registration], …)
/// ```
///
/// A server that can't be announced serves all the same: that is logged, and tried again. The same
/// goes for an end without a graceful shutdown, after which the entry is left to expire.
public final class ServerRegistration: Service {
    private let server: RPCServer
    private let configuration: ServerRegistrationConfiguration
    private let target: RPCTarget
    private let registrar: any RPCRegistrar
    private let logger: RocketLogger

    /// Creates a registration that begins with `run`.
    ///
    /// - Parameter registrars: one of them has the scheme of the target.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a target or an address that can't be used.
    public init(
        of server: RPCServer, _ configuration: ServerRegistrationConfiguration,
        registrars: [any RPCRegistrar], logger: RocketLogger = .disabled
    ) throws(RPCError) {
        (target, registrar) = try Self.check(configuration, registrars: registrars)
        self.server = server
        self.configuration = configuration
        self.logger = logger
    }

    /// Checks a configuration as `init` does: before there is a server.
    ///
    /// - Throws: as `init`.
    @discardableResult
    public static func check(
        _ configuration: ServerRegistrationConfiguration, registrars: [any RPCRegistrar]
    ) throws(RPCError) -> (RPCTarget, any RPCRegistrar) {
        let target = try RPCTarget(configuration.target)
        guard let registrar = registrars.first(where: { $0.schemes.contains(target.scheme) })
        else {
            let known = registrars.flatMap(\.schemes).joined(separator: ", ")
            throw RPCError(
                .peerAddress,
                "servers can't be announced as '\(target)' (known schemes: \(known))")
        }
        try registrar.check(target)
        if configuration.address != nil {
            // With a port in place of the one that the kernel will choose.
            _ = try configuration.endpoint(listening: [.loopback(port: 1)])
        }
        return (target, registrar)
    }

    /// Announces the server when it listens; at a graceful shutdown withdraws it, and returns when its
    /// clients had `propagationTime` to find out.
    ///
    /// - Throws: `RPCError` for an address that can't be announced, when the server listens.
    public func run() async throws {
        let addresses = await server.boundAddresses
        // A server that could not start ends the group.
        if addresses.isEmpty { return try await gracefulShutdown() }
        let endpoint = try configuration.endpoint(listening: addresses)
        let registration = try registrar.register(endpoint, as: target, logger: logger)
        do { try await gracefulShutdown() } catch {
            // Cancelled: nothing waits, the entry expires if this does not get through.
            // determinism: a registration works on its own loop, nothing waits for this task
            Task { try await registration.withdraw() }
            throw error
        }
        let wasAnnounced = registration.isAnnounced
        do throws(RPCError) {
            try await registration.withdraw()
        } catch {
            logger.warn("server not withdrawn") {
                $0.add("target", configuration.target)
                $0.add("error", error.description)
            }
        }
        // determinism: a service of a ServiceGroup, which has no loop
        if wasAnnounced { try? await Task.sleep(for: configuration.propagationTime) }
    }
}
