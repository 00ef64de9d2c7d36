import Glibc

/// Owns one open file descriptor and closes it exactly once, at the latest when it goes away.
///
/// Move it to hand it over; it can't be copied. Closing never retries: on Linux the number is
/// free again even when close(2) reports EINTR or EIO.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number that the kernel knows. Valid as long as this value lives.
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32) {
        precondition(raw >= 0, "a file descriptor is never negative")
        self.raw = raw
    }

    deinit { _ = Glibc.close(raw) }

    /// Gives the number away unclosed; from now on the receiver has to close it.
    public consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    /// Closes now and reports what close(2) said.
    ///
    /// - Throws: `SystemError` (EIO, ENOSPC, EDQUOT: data written earlier may be lost).
    public consuming func close() throws(SystemError) {
        let raw = release()
        if Glibc.close(raw) != 0, errno != EINTR { throw SystemError("close", .current) }
    }
}
