import CRocketSystem
import Glibc

/// What connect(2) on a non-blocking socket came to.
public enum ConnectOutcome: Sendable {
    case connected
    /// The poller tells when; then `socketError()` says how it ended.
    case inProgress
}

/// What accept4(2) came to.
public enum AcceptOutcome: ~Copyable {
    case accepted(FileDescriptor, peer: SocketAddress)
    case wouldBlock
}

/// Stream sockets. All are non-blocking and closed on exec. Any thread.
extension FileDescriptor {
    /// A socket of the family of `address`.
    public static func streamSocket(for address: SocketAddress) throws(SystemError)
        -> FileDescriptor
    {
        FileDescriptor(owning: try check("socket", rocket_socket(address.family)))
    }

    /// A connected pair of Unix sockets.
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

    /// bind(2).
    public borrowing func bind(to address: SocketAddress) throws(SystemError) {
        var flat = address.flat
        try check("bind", unsafe rocket_bind(raw, &flat))
    }

    /// listen(2). The kernel holds the backlog to net.core.somaxconn.
    public borrowing func listen(backlog: Int) throws(SystemError) {
        try check("listen", Glibc.listen(raw, Int32(clamping: backlog)))
    }

    /// Takes one waiting connection.
    ///
    /// - Throws: `SystemError`; EMFILE, ENFILE, ENOBUFS and ENOMEM leave the connection waiting,
    ///   ECONNABORTED and the network's errors concern only that one connection.
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

    /// connect(2). A Unix socket whose listener's backlog is full fails with EAGAIN.
    public borrowing func connect(to address: SocketAddress) throws(SystemError)
        -> ConnectOutcome
    {
        var flat = address.flat
        if unsafe rocket_connect(raw, &flat) == 0 { return .connected }
        let error = Errno.current
        if error.rawValue == EINPROGRESS { return .inProgress }
        throw SystemError("connect", error)
    }

    /// The error that waits on the socket (SO_ERROR), taken away by reading it; nil for none.
    public borrowing func socketError() -> Errno? {
        let error = rocket_socket_error(raw)
        if error < 0 { return .current }
        return error == 0 ? nil : Errno(rawValue: error)
    }

    /// getsockname(2).
    public borrowing func localAddress() throws(SystemError) -> SocketAddress {
        var flat = rocket_address()
        try check("getsockname", unsafe rocket_local_address(raw, &flat))
        return SocketAddress(flat)
    }

    /// getpeername(2).
    public borrowing func peerAddress() throws(SystemError) -> SocketAddress {
        var flat = rocket_address()
        try check("getpeername", unsafe rocket_peer_address(raw, &flat))
        return SocketAddress(flat)
    }

    /// Non-blocking and closed on exec from now on: for a descriptor that was handed over.
    public borrowing func makeOurs() throws(SystemError) {
        try check("fcntl", rocket_make_ours(raw))
    }

    /// Throws EINVAL or ENOTSOCK unless this is a stream socket that listens.
    public borrowing func checkListening() throws(SystemError) {
        try check("listening socket", rocket_listening_family(raw))
    }

    /// A descriptor that only takes a place in the table (/dev/null).
    public static func placeholder() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try check("open /dev/null", rocket_open_null()))
    }
}

/// Two sockets connected to each other.
public struct SocketPair: ~Copyable {
    /// One end.
    public let first: FileDescriptor
    /// The other end.
    public let second: FileDescriptor

    /// Hands both ends over.
    public consuming func take(_ body: (consuming FileDescriptor, consuming FileDescriptor) -> Void)
    {
        body(first, second)
    }
}

extension Errno {
    /// EAGAIN: not now. (EWOULDBLOCK is the same number on Linux.)
    public var isWouldBlock: Bool { rawValue == EAGAIN }
    /// EMFILE or ENFILE: this process or the machine has no free descriptor.
    public var isOutOfDescriptors: Bool { rawValue == EMFILE || rawValue == ENFILE }
    /// ENOBUFS or ENOMEM: the kernel has no memory for it now.
    public var isOutOfMemory: Bool { rawValue == ENOBUFS || rawValue == ENOMEM }
    /// ECONNRESET or EPIPE: the peer does not take part any more.
    public var isReset: Bool { rawValue == ECONNRESET || rawValue == EPIPE }
    /// ETIMEDOUT: the peer's machine does not answer.
    public var isTimedOut: Bool { rawValue == ETIMEDOUT }
    /// ECONNREFUSED, or ENOENT for a Unix path: nobody listens there.
    public var isRefused: Bool { rawValue == ECONNREFUSED || rawValue == ENOENT }
    /// ENETUNREACH, EHOSTUNREACH and their like: there is no way there.
    public var isUnreachable: Bool {
        [ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL].contains(rawValue)
    }
    /// EADDRINUSE.
    public var isAddressInUse: Bool { rawValue == EADDRINUSE }
    /// ENOENT: no such file.
    public var isMissing: Bool { rawValue == ENOENT }
}

/// The result of a call that says -1 for failure.
@discardableResult
func check(_ operation: String, _ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(operation, .current) }
    return result
}

extension Errno {
    /// ECONNREFUSED.
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    /// EBADF.
    public static let badDescriptor = Errno(rawValue: EBADF)
    /// ECONNABORTED and what accept4(2) passes on from the network: only the one connection that
    /// was to be accepted is lost.
    public var concernsOneConnection: Bool {
        [
            ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
            EOPNOTSUPP, ENETUNREACH, ETIMEDOUT,
        ].contains(rawValue)
    }
}
