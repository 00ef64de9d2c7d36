import Glibc

/// Reads and writes whole small files, such as configuration files. Blocks on the disk, so it must
/// not be called on an event loop.
public enum FileContents {
    /// Returns the bytes of the file, at most `limit` + 1 of them: a longer result means that the
    /// file exceeds the limit.
    ///
    /// - Parameter wait: the longest time to wait for the writer of a pipe or a FIFO, in all.
    /// - Throws: `SystemError` with the path (ENOENT, EACCES, EISDIR …; ETIMEDOUT: nothing, or not
    ///   everything, was written within the time).
    public static func read(
        _ path: String, limit: Int, waitingAtMost wait: Duration = .seconds(5)
    ) throws(SystemError) -> [UInt8] {
        let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        let raw = unsafe path.withCString { unsafe open($0, flags) }
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        let clock = SystemTimeSource()
        let deadline = clock.monotonic() + wait
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count <= limit {
            // A FIFO that no process has opened for writing yet has nothing to read, and no end.
            guard try file.waitUntilReadable(atMost: max(.zero, deadline - clock.monotonic()))
            else { throw SystemError("read \(path)", Errno(rawValue: ETIMEDOUT)) }
            let wanted = min(chunk.count, limit + 1 - bytes.count)
            // SAFETY: `wanted` is at most the size of the chunk.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe Glibc.read(file.raw, $0.baseAddress, wanted)
            }
            if count < 0 {
                let error = Errno.current
                if error.isInterrupted || error.isWouldBlock { continue }
                throw SystemError("read \(path)", error)
            }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes
    }

    /// Creates the file (mode 0644) or empties it, and writes the bytes. Not atomic: a crash can
    /// leave a part of them. For tools.
    ///
    /// - Throws: `SystemError` with the path.
    public static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let raw = unsafe path.withCString { unsafe open($0, flags, 0o644) }
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: the call only reads the bytes of the slice.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file.raw, $0.baseAddress, $0.count)
            }
            if count < 0 {
                let error = Errno.current
                if error.isInterrupted { continue }
                throw SystemError("write \(path)", error)
            }
            rest = rest.dropFirst(count)
        }
    }
}
