import Glibc

/// Owns one open file descriptor and closes it exactly once, at the latest in its deinit.
///
/// Ownership is passed on by moving the value; it can't be copied. close(2) is never repeated: on
/// Linux the number is free again even after EINTR or EIO, and a second close could close a
/// descriptor of another thread.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number of the descriptor in the kernel. Valid as long as this value lives.
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32) {
        precondition(raw >= 0, "a file descriptor is never negative")
        self.raw = raw
    }

    deinit { _ = Glibc.close(raw) }

    /// Gives up ownership and returns the open descriptor, which the caller has to close.
    public consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    /// Closes the descriptor.
    ///
    /// - Throws: `SystemError` (EIO, ENOSPC, EDQUOT: data written earlier may be lost).
    public consuming func close() throws(SystemError) {
        let raw = release()
        if Glibc.close(raw) == 0 { return }
        let error = Errno.current
        if !error.isInterrupted { throw SystemError("close", error) }
    }
}

extension FileDescriptor {
    /// The size of the file in bytes.
    public borrowing func fileSize() throws(SystemError) -> Int {
        var status = stat()
        guard unsafe fstat(raw, &status) == 0 else { throw SystemError("fstat", .current) }
        return Int(status.st_size)
    }

    /// Cuts or extends the file to `size` bytes.
    public borrowing func truncate(to size: Int) throws(SystemError) {
        guard ftruncate(raw, size) == 0 else { throw SystemError("ftruncate", .current) }
    }

    /// Blocks the thread until the descriptor is readable or its stream has ended (poll(2)). For
    /// tools and tests; on an event loop it would stop all connections of the loop.
    ///
    /// - Returns: false when `limit` passed first.
    /// - Throws: `SystemError`.
    public borrowing func waitUntilReadable(atMost limit: Duration) throws(SystemError) -> Bool {
        var request = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: limit.wholeNanoseconds / 1_000_000)
        while true {
            // SAFETY: one pollfd, as the count says.
            let count = unsafe poll(&request, 1, milliseconds)
            if count >= 0 { return count > 0 }
            let error = Errno.current
            if !error.isInterrupted { throw SystemError("poll", error) }
        }
    }
}

/// Questions about descriptors that the caller does not own, by their number.
public enum OpenDescriptor {
    /// Whether the number is that of an open descriptor.
    public static func isOpen(_ raw: Int32) -> Bool { fcntl(raw, F_GETFD) >= 0 }

    /// Whether the number is that of an open socket of any kind.
    public static func isSocket(_ raw: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(raw, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }
}

/// The result of a non-blocking call. Would-block is expected, so it is a value and not an error.
@frozen
public enum IOResult<Value: Sendable>: Sendable {
    case done(Value)
    /// EAGAIN: repeat the call when the poller reports the descriptor as ready.
    case wouldBlock
}

extension IOResult: Equatable where Value: Equatable {}

/// Writes to a descriptor that the caller does not own, by its number.
public enum RawWrite {
    /// Calls write(2) once, and again after each interruption by a signal.
    ///
    /// - Returns: the number of bytes written.
    /// - Throws: `SystemError` (EAGAIN, ENOSPC, EFBIG, EIO, EPIPE …).
    public static func some(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32
    ) throws(SystemError) -> Int {
        while true {
            let count = unsafe write(descriptor, bytes.baseAddress, bytes.count)
            if count >= 0 { return count }
            let error = Errno.current
            if !error.isInterrupted { throw SystemError("write", error) }
        }
    }

    /// Writes all of `bytes`. After each EAGAIN it waits up to `limit` for the reader.
    ///
    /// - Returns: the number of bytes written, and the error that ended the call, if any; EAGAIN
    ///   when the limit passed.
    public static func all(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, waitingAtMost limit: Duration
    ) -> (written: Int, error: SystemError?) {
        var written = 0
        while written < bytes.count {
            do throws(SystemError) {
                written += unsafe try some(
                    UnsafeRawBufferPointer(rebasing: bytes[written...]), to: descriptor)
            } catch {
                guard error.errno.rawValue == EAGAIN else { return (written, error) }
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                let milliseconds = Int32(clamping: limit.wholeNanoseconds / 1_000_000)
                if unsafe poll(&request, 1, milliseconds) <= 0 { return (written, error) }
            }
        }
        return (written, nil)
    }
}
