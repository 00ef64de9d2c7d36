public import RocketSystem

/// A server that can't listen: where, and why.
public struct TCPListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address as configured, or the number of a descriptor that was handed over.
    public let address: String
    /// What the system said.
    public let cause: SystemError

    /// `listen on 127.0.0.1:80: bind: EADDRINUSE (Address already in use)`.
    public var description: String { "listen on \(address): \(cause)" }
}

/// Opens listeners.
struct ListeningSocket: ~Copyable {
    let descriptor: FileDescriptor
    /// Where it really listens: port 0 is resolved.
    let address: NetAddress
    /// It was handed over: its file, where it has one, belongs to whoever made it.
    let isAdopted: Bool

    /// A listener on its way to its loop.
    struct Parcel: Sendable {
        let raw: Int32
        let address: NetAddress
        let isAdopted: Bool
    }

    /// Takes what `release` gave away.
    init(_ parcel: Parcel) {
        self.init(
            descriptor: FileDescriptor(owning: parcel.raw), address: parcel.address,
            isAdopted: parcel.isAdopted)
    }

    private init(
        descriptor: consuming FileDescriptor, address: NetAddress, isAdopted: Bool = false
    ) {
        self.descriptor = descriptor
        self.address = address
        self.isAdopted = isAdopted
    }

    /// From now on the receiver has to close the descriptor.
    consuming func release() -> Parcel {
        let (address, isAdopted) = (address, isAdopted)
        return Parcel(raw: descriptor.release(), address: address, isAdopted: isAdopted)
    }

    static func open(_ address: NetAddress, _ configuration: TCPServerConfiguration)
        throws(TCPListenError) -> ListeningSocket
    {
        do {
            return try bound(address, configuration)
        } catch {
            throw TCPListenError(address: address.description, cause: error)
        }
    }

    /// Takes over a socket that listens already.
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
        // Nobody gets in between: before listen, connecting is refused.
        if case .unix(let path) = address.socketAddress, let mode = configuration.unixMode {
            try SocketFile.setMode(mode, of: path)
        }
        try descriptor.listen(backlog: max(1, configuration.backlog))
        let actual = NetAddress(try descriptor.localAddress())
        return ListeningSocket(descriptor: descriptor, address: actual)
    }

    /// A crashed server leaves its socket's file behind. It goes only when it is a socket and
    /// nobody listens there; otherwise bind will say that the address is in use.
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
            // Somebody listens, or it can't be known.
        }
    }
}
