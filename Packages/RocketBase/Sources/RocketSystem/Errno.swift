import CRocketSystem
import Glibc

/// An error number of the system (errno(3)), with its symbolic name and its text.
@frozen
public struct Errno: RawRepresentable, Hashable, Sendable {
    /// The number, as in errno(3).
    public let rawValue: Int32

    /// Accepts any number, also one that the system does not define.
    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// ENOMEM: no memory is available.
    public static let outOfMemory = Errno(rawValue: ENOMEM)
    /// ECONNREFUSED.
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    /// EAGAIN: the call would block.
    public static let again = Errno(rawValue: EAGAIN)
    /// EBADF.
    public static let badDescriptor = Errno(rawValue: EBADF)

    /// EINVAL.
    public static let invalid = Errno(rawValue: EINVAL)
    /// EEXIST.
    public static let exists = Errno(rawValue: EEXIST)
    /// EOPNOTSUPP.
    public static let notSupported = Errno(rawValue: EOPNOTSUPP)
    /// ECANCELED.
    public static let cancelled = Errno(rawValue: ECANCELED)

    /// The errno of the calling thread. Any other call may overwrite it, also one that Swift makes
    /// (the end of a value's life, text that is built): read it once, in the statement after the
    /// call that failed, and pass the value on. scripts/check-safety rejects other reads.
    public static var current: Errno { Errno(rawValue: errno) }
}

extension Errno {
    /// EAGAIN: the call would block. (EWOULDBLOCK is the same number on Linux.)
    public var isWouldBlock: Bool { rawValue == EAGAIN }
    /// EINTR: a signal handler interrupted the call.
    public var isInterrupted: Bool { rawValue == EINTR }
    /// EMFILE or ENFILE: the process or the machine has no free file descriptor.
    public var isOutOfDescriptors: Bool { rawValue == EMFILE || rawValue == ENFILE }
    /// ENOBUFS or ENOMEM: the kernel has no memory for the call at the moment.
    public var isOutOfMemory: Bool { rawValue == ENOBUFS || rawValue == ENOMEM }
    /// ECONNRESET or EPIPE: the peer has closed or reset the connection.
    public var isReset: Bool { rawValue == ECONNRESET || rawValue == EPIPE }
    /// ETIMEDOUT: the peer's machine does not respond.
    public var isTimedOut: Bool { rawValue == ETIMEDOUT }
    /// ECONNREFUSED, or ENOENT for a Unix path: there is no listener at the address.
    public var isRefused: Bool { rawValue == ECONNREFUSED || rawValue == ENOENT }
    /// ENETUNREACH, EHOSTUNREACH and similar: there is no route to the address.
    public var isUnreachable: Bool {
        [ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL].contains(rawValue)
    }
    /// EACCES or EPERM: the system does not permit it to this process.
    public var isNotPermitted: Bool { rawValue == EACCES || rawValue == EPERM }
    /// EADDRINUSE.
    public var isAddressInUse: Bool { rawValue == EADDRINUSE }
    /// ENOENT: there is no such file.
    public var isMissing: Bool { rawValue == ENOENT }
    /// ENOTDIR: a component of the path is a file.
    public var isNotFolder: Bool { rawValue == ENOTDIR }
    /// ENOSPC or EDQUOT: the disk, or the user's share of it, is full.
    public var isDiskFull: Bool { rawValue == ENOSPC || rawValue == EDQUOT }
    /// EIO or EFBIG: the device failed, or the file would be too large.
    public var isFailedTransfer: Bool { rawValue == EIO || rawValue == EFBIG }
    /// The errors of link(2) on file systems without a second name of a file.
    public var isLinkUnsupported: Bool {
        [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(rawValue)
    }
    /// The errors of renameat2(2) on file systems that can't refuse an existing file.
    public var isRenameUnsupported: Bool { rawValue == EINVAL || rawValue == ENOSYS }
    /// EEXIST: the file exists.
    public var isExisting: Bool { rawValue == EEXIST }
    /// ECONNABORTED and the network errors that accept4(2) passes on: only the connection that was
    /// to be accepted is lost, the listening socket is still usable.
    public var concernsOneConnection: Bool {
        [
            ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
            EOPNOTSUPP, ENETUNREACH, ETIMEDOUT,
        ].contains(rawValue)
    }
}

/// The errors of a simulated network.
@_spi(Simulation)
extension Errno {
    /// ECONNRESET.
    public static let connectionReset = Errno(rawValue: ECONNRESET)
    /// EPIPE.
    public static let brokenPipe = Errno(rawValue: EPIPE)
    /// ETIMEDOUT.
    public static let timedOut = Errno(rawValue: ETIMEDOUT)
    /// EADDRINUSE.
    public static let addressInUse = Errno(rawValue: EADDRINUSE)
    /// ENOTCONN.
    public static let notConnected = Errno(rawValue: ENOTCONN)
    /// EHOSTUNREACH.
    public static let hostUnreachable = Errno(rawValue: EHOSTUNREACH)
    /// EMFILE.
    public static let tooManyDescriptors = Errno(rawValue: EMFILE)
    /// EAFNOSUPPORT.
    public static let familyNotSupported = Errno(rawValue: EAFNOSUPPORT)
}

extension Errno: CustomStringConvertible {
    /// `Connection refused`; `errno 4711` for an undefined number.
    public var text: String {
        // SAFETY: the function returns a pointer to constant, NUL-terminated text, or nil.
        unsafe rocket_errno_text(rawValue).map { unsafe String(cString: $0) } ?? "errno \(rawValue)"
    }

    /// `ECONNREFUSED (Connection refused)`; `errno 4711` for an undefined number.
    public var description: String {
        // SAFETY: as above.
        let name = unsafe rocket_errno_name(rawValue).map { unsafe String(cString: $0) }
        guard let name else { return "errno \(rawValue)" }
        return "\(name) (\(text))"
    }
}

/// A system call that failed, and its error number.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the system call, followed by its argument where that helps:
    /// `bind 127.0.0.1:80`.
    public let operation: String
    /// The error number of the call.
    public let errno: Errno

    /// The failure of `operation` with `errno`. The text is built after `errno` was read, because
    /// its allocations may change the errno of the thread.
    public init(_ operation: @autoclosure () -> String, _ errno: Errno) {
        self.errno = errno
        self.operation = operation()
    }

    /// `bind 127.0.0.1:80: EADDRINUSE (…)`
    public var description: String { "\(operation): \(errno)" }
}

/// Returns the result of a system call, or throws the current errno when it is negative.
@discardableResult
func check(_ operation: String, _ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(operation, .current) }
    return result
}
