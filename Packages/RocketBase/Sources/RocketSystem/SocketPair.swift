import Glibc

/// Two connected Unix stream sockets, non-blocking: a connection without a network, for tests.
@frozen
public struct SocketPair: ~Copyable {
    /// One end; move it out to hand it over.
    public var a: FileDescriptor
    /// The other end.
    public var b: FileDescriptor

    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public init() throws(SystemError) {
        var raw: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        // SAFETY: socketpair writes two descriptors into a pair of Int32.
        let result = unsafe withUnsafeMutableBytes(of: &raw) {
            unsafe socketpair(AF_UNIX, type, 0, $0.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        guard result == 0 else { throw SystemError("socketpair", .current) }
        a = FileDescriptor(owning: raw.0)
        b = FileDescriptor(owning: raw.1)
    }
}
