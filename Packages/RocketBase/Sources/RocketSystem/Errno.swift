import CRocketSystem
import Glibc

/// An error number of the system (errno(3)), with its symbolic name and text.
@frozen
public struct Errno: RawRepresentable, Hashable, Sendable {
    /// The number, as in errno(3).
    public let rawValue: Int32

    /// Takes any number; unknown ones keep it.
    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// ENOMEM: no memory left.
    public static let outOfMemory = Errno(rawValue: ENOMEM)

    /// The calling thread's errno: read it at once after the call that failed.
    public static var current: Errno { Errno(rawValue: errno) }
}

extension Errno: CustomStringConvertible {
    /// `ECONNREFUSED (Connection refused)`.
    public var description: String {
        // SAFETY: both functions return pointers to constant, NUL-terminated text, or nil.
        let text = unsafe rocket_errno_text(rawValue).map { unsafe String(cString: $0) }
        let name = unsafe rocket_errno_name(rawValue).map { unsafe String(cString: $0) }
        guard let text, let name else { return "errno \(rawValue)" }
        return "\(name) (\(text))"
    }
}

/// A call into the system that failed: which one, and why.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system call's name, with what it was about where that helps: `bind 127.0.0.1:80`.
    public let operation: String
    /// Why it failed.
    public let errno: Errno

    /// The failure of `operation` with `errno`.
    public init(_ operation: String, _ errno: Errno) {
        self.operation = operation
        self.errno = errno
    }

    /// `bind 127.0.0.1:80: EADDRINUSE (…)`
    public var description: String { "\(operation): \(errno)" }
}
