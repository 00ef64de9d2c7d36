public import RocketBase
import RocketBinaryLog
public import RocketSystem
public import RocketTCP

/// Where a page listens, who may look at it, and its limits.
public struct AdminConfiguration: Sendable {
    /// A Unix socket with a path, a loopback address, or with TLS any IP address; port 0: the kernel
    /// chooses one.
    public let address: NetAddress
    /// Nil: there is no TLS.
    let access: SecureAccess?
    /// The group whose members may connect to the Unix socket, by name or number, besides root and the
    /// user of the process. Default nil: nobody else.
    public var group: String?
    /// Whether the log's levels can be changed. Default false.
    public var isWritable = false
    /// Whether calls can be recorded, with their messages, by who may look at the page. Default false.
    public var allowsRecording = false
    /// Fields of messages that each recording masks: `admin/record_mask`.
    var alwaysMasked: [FieldPath] = []
    /// The most connections; further ones wait until one ends. Default 32.
    public var maxConnections = 32
    /// The most connections of one IP address, or of one user of a Unix socket; further ones are closed.
    /// Default 16.
    public var maxConnectionsPerPeer = 16
    /// The longest time for a request, and for sending its answer; afterwards its connection is closed.
    /// Default 10 s.
    public var requestTimeout = Duration.seconds(10)
    /// The memory for the line and the headers of a request, about; longer ones are refused with 431 or
    /// 414. Default 8192.
    public var maxHeaderBytes = 8192

    /// How long a snapshot is shown, so that many who look don't ask the loops more often.
    var validity = Duration.milliseconds(250)

    /// The time for the handshake of TLS.
    let handshakeTimeout = Duration.seconds(10)

    /// A page without TLS: checks the address.
    ///
    /// - Throws: `AdminError` for an address that others than this machine reach, and for an abstract
    ///   Unix socket, which has no permissions.
    public init(address: NetAddress) throws(AdminError) {
        if let fault = AdminConfig.fault(of: address.description) {
            throw AdminError(text: "the page can't listen on \(address): \(fault)", errno: nil)
        }
        self.address = address
        access = nil
    }

    /// A page with TLS, on any IP address.
    ///
    /// - Parameters:
    ///   - security: makes the sessions; clients should have to have certificates.
    ///   - authorization: returns the table that is in force, for each request: `admin.read` for
    ///     everything that is shown, `admin.change` for a change of the log's level; nil: nobody may do
    ///     anything. Any thread.
    /// - Throws: `AdminError` for a Unix socket, whose peers the kernel knows.
    public init(
        address: NetAddress, security: any ServerTransportSecurity,
        authorization: @escaping @Sendable () -> AuthorizationPolicy?
    ) throws(AdminError) {
        if address.isUnix {
            throw AdminError(
                text: "the page can't listen on \(address) with TLS: a Unix socket has none",
                errno: nil)
        }
        self.address = address
        access = SecureAccess(security: security, policy: authorization)
    }

    /// The element `root/admin` of a configuration; nil: it has no address to listen on.
    ///
    /// - Parameters:
    ///   - security: makes TLS, for which it reads files: `TLSProvider` of RocketTLS; nil: none, so that
    ///     a configuration with TLS is an error.
    ///   - authorization: returns `admin/authorization` of the configuration that is in force, for pages
    ///     with TLS; nil: that of this one.
    /// - Throws: `AdminError` as `init(address:)`, and for TLS that can't be used.
    public init?(
        _ config: AdminConfig, security: (any TransportSecurityProvider)? = nil,
        authorization: (@Sendable () -> AuthorizationPolicy?)? = nil
    ) throws(AdminError) {
        guard let text = config.listen else { return nil }
        let address: NetAddress
        do { address = try NetAddress(parsing: text) } catch {
            throw AdminError(text: "admin/listen: \(error)", errno: nil)
        }
        if var tls = config.tls {
            tls.applicationProtocols = ["http/1.1"]
            let made: any ServerTransportSecurity
            do throws(TransportSecurityError) {
                guard let security else { throw .noProvider(at: "admin/tls") }
                made = try security.serverSecurity(tls, at: "admin/tls")
            } catch { throw AdminError(text: "\(error)", errno: nil) }
            try self.init(
                address: address, security: made,
                authorization: authorization ?? { config.authorization })
        } else {
            try self.init(address: address)
        }
        group = config.group
        isWritable = config.isWritable
        allowsRecording = config.allowsRecording
        switch FieldPath.list(config.recordMask ?? "") {
        case .success(let paths): alwaysMasked = paths
        case .failure(let error):
            throw AdminError(text: "admin/record_mask: \(error)", errno: nil)
        }
        maxConnections = config.maxConnections
        maxConnectionsPerPeer =
            config.maxConnectionsPerPeer > 0
            ? config.maxConnectionsPerPeer : max(1, config.maxConnections / 2)
        requestTimeout = config.requestTimeout
        maxHeaderBytes = config.maxHeaderBytes
    }
}

/// TLS of a page, and who may look at it. Any thread.
struct SecureAccess: Sendable {
    let security: any ServerTransportSecurity
    /// Returns the table that is in force; nil: nobody may do anything.
    let policy: @Sendable () -> AuthorizationPolicy?

    /// What is asked for, as rules name it.
    enum Right: String {
        case read = "admin.read"
        case change = "admin.change"
    }

    /// Why a request is refused; nil: it is not.
    func refusal(of right: Right, to identity: PeerIdentity) -> Int? {
        if policy()?.decide(right.rawValue, identity).isAllowed ?? false { return nil }
        return identity == .none ? 401 : 403
    }
}

/// Why a page can't be shown.
public struct AdminError: Error, Hashable, Sendable, CustomStringConvertible {
    let text: String
    /// The error of the system, if it is one.
    public let errno: Errno?

    /// What can't be done, why, and what to do.
    public var description: String { text }
}
