import RocketBase
@_spi(Simulation) public import RocketSystem

/// An address that a server can't listen on, and the cause. A value.
public struct TCPListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address as configured, or `descriptor` and the number of an adopted one.
    public let address: String
    /// The error of the system.
    public let cause: SystemError

    /// `listen on 127.0.0.1:80: bind: EADDRINUSE (Address already in use)`.
    public var description: String { "listen on \(address): \(cause)" }
}

/// A socket that listens. Owns it until it is released to the loop that accepts.
struct ListeningSocket: ~Copyable {
    let socket: Socket
    /// The address that it is bound to: port 0 is resolved.
    let address: NetAddress
    /// The file of a Unix socket that was bound here. That of an adopted one belongs to the process
    /// that created it.
    let file: BoundFile?

    /// The same as a Sendable value, on its way to its loop. The receiver closes the socket.
    struct Released: Sendable {
        let socket: Socket.Released
        let address: NetAddress
        let file: BoundFile?
        /// What protects the connections that it accepts; nil: nothing.
        let security: (any ServerTransportSecurity)?

        /// Closes the socket and removes the file.
        func close() {
            file?.remove()
            _ = Socket(owning: socket)
        }
    }

    /// The file that binding a Unix socket has created.
    struct BoundFile: Sendable {
        let path: String
        let identity: SocketFile.Identity
        let logger: RocketLogger

        /// Removes the file, unless another one has taken its path.
        func remove() {
            try? withFolderLocked(of: path, logger) { () throws(SystemError) in
                if try SocketFile.identity(of: path) == identity { try SocketFile.remove(path) }
            }
        }
    }

    /// Runs `body` with the folder locked, or without the lock where somebody keeps it: a
    /// server must start and stop all the same.
    private static func withFolderLocked<Result>(
        of path: String, _ logger: RocketLogger, _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try SocketFile.withFolderLocked(
            of: path,
            lockHeld: {
                // Perhaps by this process: an order store locks its folder.
                logger.info(
                    "the folder of a Unix socket is locked; going on without the lock"
                ) { $0.add("path", path) }
            }, body)
    }

    /// Takes ownership of what `release` returned.
    init(_ released: Released) {
        self.init(
            socket: Socket(owning: released.socket), address: released.address,
            file: released.file)
    }

    private init(
        socket: consuming Socket, address: NetAddress, file: BoundFile? = nil
    ) {
        self.socket = socket
        self.address = address
        self.file = file
    }

    /// Releases the socket: from now on the receiver must close it, or it leaks.
    consuming func release(_ security: (any ServerTransportSecurity)?) -> Released {
        let (address, file) = (address, file)
        return Released(
            socket: socket.release(), address: address, file: file, security: security)
    }

    /// Binds to the address and listens.
    ///
    /// - Parameter network: nil: the kernel's.
    static func open(
        _ address: NetAddress, _ configuration: TCPServerConfiguration,
        network: (any SimulatedNetwork)? = nil, logger: RocketLogger = .disabled
    ) throws(TCPListenError) -> ListeningSocket {
        do {
            return try bound(address, configuration, network, logger)
        } catch {
            throw TCPListenError(address: address.description, cause: error)
        }
    }

    /// Takes ownership of a socket that listens already. A number that turns out to be something
    /// else is left alone: it may belong to another part of the process.
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
        try FileDescriptor.checkListening(raw)
        let descriptor = FileDescriptor(owning: raw)
        try descriptor.setNonBlockingCloseOnExec()
        let address = NetAddress(try descriptor.localAddress())
        // Accepted sockets inherit it, and an older version may have set it.
        if !address.isUnix { try descriptor.setUserTimeout(.zero) }
        let socket = Socket(descriptor)
        try configuration.connection.apply(to: socket, address)
        return ListeningSocket(socket: socket, address: address)
    }

    private static func bound(
        _ address: NetAddress, _ configuration: TCPServerConfiguration,
        _ network: (any SimulatedNetwork)?, _ logger: RocketLogger
    ) throws(SystemError) -> ListeningSocket {
        let socket = try Socket(for: address.socketAddress, in: network)
        try configuration.connection.apply(to: socket, address)
        try socket.withDescriptor { (descriptor) throws(SystemError) in
            if case .ipv6 = address.socketAddress {
                try descriptor.setIPv6Only(!configuration.dualStack)
            }
            if address.isUnix { return }
            try descriptor.setReuseAddress(configuration.reuseAddress)
            try descriptor.setReusePort(configuration.reusePort)
        }
        if case .unix(let path) = address.socketAddress {
            let file = try bindFile(socket, path, address, configuration, logger)
            return ListeningSocket(socket: socket, address: address, file: file)
        }
        try socket.bind(to: address.socketAddress)
        try socket.listen(backlog: max(1, configuration.backlog))
        let actual = NetAddress(try socket.localAddress())
        return ListeningSocket(socket: socket, address: actual)
    }

    /// Binds to a path and listens, in place of a stale file.
    ///
    /// One server at a time in each folder, from the look at the file to listen: a server that has
    /// bound but does not listen yet looks like a stale file, and another one would remove it.
    private static func bindFile(
        _ socket: borrowing Socket, _ path: String, _ address: NetAddress,
        _ configuration: TCPServerConfiguration, _ logger: RocketLogger
    ) throws(SystemError) -> BoundFile {
        try withFolderLocked(of: path, logger) { () throws(SystemError) -> BoundFile in
            try SocketFile.removeStale(path, at: address.socketAddress)
            try socket.bind(to: address.socketAddress)
            let file = BoundFile(
                path: path, identity: try SocketFile.identity(of: path), logger: logger)
            do throws(SystemError) {
                // No peer connects in between: before listen, connects are refused.
                try SocketFile.setMode(configuration.unixMode, of: path)
                try socket.listen(backlog: max(1, configuration.backlog))
            } catch {
                try? SocketFile.remove(path)
                throw error
            }
            return file
        }
    }
}
