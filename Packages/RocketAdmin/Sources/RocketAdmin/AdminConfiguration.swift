public import RocketBase
import RocketBinaryLog
public import RocketSystem
public import RocketTCP

/// Where a page listens, who may look at it, and its limits.
public struct AdminConfiguration: Sendable {
    /// A Unix socket with a path, or a loopback address; port 0: the kernel chooses one.
    public let address: NetAddress
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

    /// Checks the address.
    ///
    /// - Throws: `AdminError` for an address that others than this machine reach, and for an abstract
    ///   Unix socket, which has no permissions.
    public init(address: NetAddress) throws(AdminError) {
        if let fault = AdminConfig.fault(of: address.description) {
            throw AdminError(text: "the page can't listen on \(address): \(fault)", errno: nil)
        }
        self.address = address
    }

    /// The element `root/admin` of a configuration; nil: it has no address to listen on.
    ///
    /// - Throws: `AdminError` as `init(address:)`.
    public init?(_ config: AdminConfig) throws(AdminError) {
        guard let text = config.listen else { return nil }
        let address: NetAddress
        do { address = try NetAddress(parsing: text) } catch {
            throw AdminError(text: "admin/listen: \(error)", errno: nil)
        }
        try self.init(address: address)
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

/// Why a page can't be shown.
public struct AdminError: Error, Hashable, Sendable, CustomStringConvertible {
    let text: String
    /// The error of the system, if it is one.
    public let errno: Errno?

    /// What can't be done, why, and what to do.
    public var description: String { text }
}
