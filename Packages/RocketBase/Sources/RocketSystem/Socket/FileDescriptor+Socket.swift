import CRocketSystem
import Glibc

/// The outcome of connect(2) on a non-blocking socket.
public enum ConnectOutcome: Sendable {
    case connected
    /// The socket becomes writable when the attempt has ended; `socketError()` then returns its
    /// error.
    case inProgress
}

/// The outcome of accept4(2).
public enum AcceptOutcome: ~Copyable {
    case accepted(FileDescriptor, peer: SocketAddress)
    case wouldBlock
}

/// Stream sockets: all are non-blocking and closed on exec. Any thread.
extension FileDescriptor {
    /// Creates a socket of the address family of `address`.
    public static func streamSocket(for address: SocketAddress) throws(SystemError)
        -> FileDescriptor
    {
        FileDescriptor(owning: try check("socket", rocket_socket(address.family)))
    }

    /// Creates a connected pair of Unix sockets.
    public static func socketPair() throws(SystemError) -> SocketPair {
        var raw: (Int32, Int32) = (-1, -1)
        // SAFETY: a tuple of two Int32 has the layout of int[2].
        let result = unsafe withUnsafeMutableBytes(of: &raw) {
            guard let base = $0.baseAddress else { return Int32(-1) }
            return unsafe rocket_socket_pair(base.assumingMemoryBound(to: Int32.self))
        }
        try check("socketpair", result)
        return SocketPair(
            first: FileDescriptor(owning: raw.0), second: FileDescriptor(owning: raw.1))
    }

    /// Binds the socket to `address` (bind(2)).
    public borrowing func bind(to address: SocketAddress) throws(SystemError) {
        var flat = address.flat
        try check("bind", unsafe rocket_bind(raw, &flat))
    }

    /// Starts listening (listen(2)). The kernel limits the backlog to net.core.somaxconn.
    public borrowing func listen(backlog: Int) throws(SystemError) {
        try check("listen", Glibc.listen(raw, Int32(clamping: backlog)))
    }

    /// Accepts one pending connection (accept4(2)).
    ///
    /// - Throws: `SystemError`. After EMFILE, ENFILE, ENOBUFS and ENOMEM the connection is still
    ///   pending; `Errno.concernsOneConnection` lists the errors that lose only this connection.
    public borrowing func accept() throws(SystemError) -> AcceptOutcome {
        var flat = rocket_address()
        let accepted = unsafe rocket_accept(raw, &flat)
        if accepted >= 0 {
            return .accepted(FileDescriptor(owning: accepted), peer: SocketAddress(flat))
        }
        let error = Errno.current
        if error.isWouldBlock { return .wouldBlock }
        throw SystemError("accept4", error)
    }

    /// Starts connecting to `address` (connect(2)). A Unix socket fails with EAGAIN when the
    /// backlog of its listener is full.
    public borrowing func connect(to address: SocketAddress) throws(SystemError)
        -> ConnectOutcome
    {
        var flat = address.flat
        if unsafe rocket_connect(raw, &flat) == 0 { return .connected }
        let error = Errno.current
        if error.rawValue == EINPROGRESS { return .inProgress }
        throw SystemError("connect", error)
    }

    /// Returns and clears the pending error of the socket (SO_ERROR); nil when there is none.
    public borrowing func socketError() -> Errno? {
        let error = rocket_socket_error(raw)
        if error < 0 { return .current }
        return error == 0 ? nil : Errno(rawValue: error)
    }

    /// Returns the local address (getsockname(2)).
    public borrowing func localAddress() throws(SystemError) -> SocketAddress {
        var flat = rocket_address()
        try check("getsockname", unsafe rocket_local_address(raw, &flat))
        return SocketAddress(flat)
    }

    /// Returns the address of the peer (getpeername(2)).
    public borrowing func peerAddress() throws(SystemError) -> SocketAddress {
        var flat = rocket_address()
        try check("getpeername", unsafe rocket_peer_address(raw, &flat))
        return SocketAddress(flat)
    }

    /// Sets O_NONBLOCK and FD_CLOEXEC: for a descriptor that another process opened.
    public borrowing func setNonBlockingCloseOnExec() throws(SystemError) {
        try check("fcntl", rocket_set_nonblocking_cloexec(raw))
    }

    /// Checks that the number is a listening stream socket of a supported family. The caller need
    /// not own it.
    ///
    /// - Throws: `SystemError` that says what it is instead (EBADF, ENOTSOCK, EINVAL).
    public static func checkListening(_ raw: Int32) throws(SystemError) {
        if rocket_listening_family(raw) >= 0 { return }
        let error = Errno.current
        let problem =
            switch error.rawValue {
            case EBADF: "it is not open"
            case ENOTSOCK: "it is not a socket"
            default: "it is not a listening TCP or Unix stream socket"
            }
        throw SystemError(problem, error)
    }

    /// Opens /dev/null, to reserve an entry in the descriptor table.
    public static func placeholder() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try check("open /dev/null", rocket_open_null()))
    }
}

/// Two sockets that are connected to each other.
public struct SocketPair: ~Copyable {
    /// One end.
    public let first: FileDescriptor
    /// The other end.
    public let second: FileDescriptor

    /// Passes ownership of both ends to `body`.
    public consuming func take(_ body: (consuming FileDescriptor, consuming FileDescriptor) -> Void)
    {
        body(first, second)
    }
}
