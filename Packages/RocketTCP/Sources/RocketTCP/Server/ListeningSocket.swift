public import RocketSystem

/// An address that a server can't listen on, and the cause. A value.
public struct TCPListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address as configured, or `descriptor` and the number of an adopted one.
    public let address: String
    /// The error of the system.
    public let cause: SystemError

    /// `listen on 127.0.0.1:80: bind: EADDRINUSE (Address already in use)`.
    public var description: String { "listen on \(address): \(cause)" }
}

/// A socket that listens. Owns its descriptor until it is released to the loop that accepts.
struct ListeningSocket: ~Copyable {
    let descriptor: FileDescriptor
    /// The address that it is bound to: port 0 is resolved.
    let address: NetAddress
    /// The socket was adopted: its file, if it has one, belongs to the process that created it.
    let isAdopted: Bool

    /// The same as a Sendable value, on its way to its loop. The receiver closes the descriptor.
    struct Released: Sendable {
        let raw: Int32
        let address: NetAddress
        let isAdopted: Bool
    }

    /// Takes ownership of what `release` returned.
    init(_ released: Released) {
        self.init(
            descriptor: FileDescriptor(owning: released.raw), address: released.address,
            isAdopted: released.isAdopted)
    }

    private init(
        descriptor: consuming FileDescriptor, address: NetAddress, isAdopted: Bool = false
    ) {
        self.descriptor = descriptor
        self.address = address
        self.isAdopted = isAdopted
    }

    /// Releases the descriptor: from now on the receiver must close it, or it leaks.
    consuming func release() -> Released {
        let (address, isAdopted) = (address, isAdopted)
        return Released(raw: descriptor.release(), address: address, isAdopted: isAdopted)
    }

    /// Binds to the address and listens.
    static func open(_ address: NetAddress, _ configuration: TCPServerConfiguration)
        throws(TCPListenError) -> ListeningSocket
    {
        do {
            return try bound(address, configuration)
        } catch {
            throw TCPListenError(address: address.description, cause: error)
        }
    }

    /// Takes ownership of a socket that listens already.
    static func adopt(_ raw: Int32, _ configuration: TCPServerConfiguration)
        throws(TCPListenError) -> ListeningSocket
    {
        do {
            return try adopted(raw, configuration)
        } catch {
            throw TCPListenError(address: "descriptor \(raw)", cause: error)
        }
    }

    private static func adopted(_ raw: Int32, _ configuration: TCPServerConfiguration)
        throws(SystemError) -> ListeningSocket
    {
        if raw < 0 { throw SystemError("adopt", .badDescriptor) }
        let descriptor = FileDescriptor(owning: raw)
        try descriptor.checkListening()
        try descriptor.setNonBlockingCloseOnExec()
        let address = NetAddress(try descriptor.localAddress())
        try configuration.connection.apply(to: descriptor, address)
        return ListeningSocket(descriptor: descriptor, address: address, isAdopted: true)
    }

    private static func bound(_ address: NetAddress, _ configuration: TCPServerConfiguration)
        throws(SystemError) -> ListeningSocket
    {
        let descriptor = try FileDescriptor.streamSocket(for: address.socketAddress)
        switch address.socketAddress {
        case .ipv4, .ipv6:
            try descriptor.setReuseAddress(configuration.reuseAddress)
            try descriptor.setReusePort(configuration.reusePort)
        case .unix(let path): try removeStale(path, address)
        case .abstract, .unnamed: break
        }
        if case .ipv6 = address.socketAddress {
            try descriptor.setIPv6Only(!configuration.dualStack)
        }
        try configuration.connection.apply(to: descriptor, address)
        try descriptor.bind(to: address.socketAddress)
        // No peer connects in between: before listen, connects are refused.
        if case .unix(let path) = address.socketAddress, let mode = configuration.unixMode {
            try SocketFile.setMode(mode, of: path)
        }
        try descriptor.listen(backlog: max(1, configuration.backlog))
        let actual = NetAddress(try descriptor.localAddress())
        return ListeningSocket(descriptor: descriptor, address: actual)
    }

    /// Removes the file that a crashed server has left, only if it is a socket and no process
    /// listens there. Otherwise `bind` fails: the address is in use.
    private static func removeStale(_ path: String, _ address: NetAddress) throws(SystemError) {
        do {
            guard try SocketFile.isSocket(path) else { return }
        } catch {
            if error.errno.isMissing { return }
            throw error
        }
        let probe = try FileDescriptor.streamSocket(for: address.socketAddress)
        do {
            _ = try probe.connect(to: address.socketAddress)
        } catch  where error.errno.isRefused {
            try SocketFile.remove(path)
        } catch {
            // A process listens, or that can't be determined.
        }
    }
}
