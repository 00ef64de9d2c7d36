import Glibc

/// Whole small files, read at once: configuration and the like. Blocks; never on a loop's thread.
public enum FileContents {
    /// The file's bytes, at most `limit` + 1 of them: more than `limit` means that it is longer.
    ///
    /// - Throws: `SystemError` naming the path (ENOENT, EACCES, EISDIR…).
    public static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let raw = unsafe path.withCString { unsafe open($0, O_RDONLY | O_CLOEXEC | O_NOCTTY) }
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count <= limit {
            let wanted = min(chunk.count, limit + 1 - bytes.count)
            // SAFETY: `wanted` is at most the chunk's size.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe Glibc.read(file.raw, $0.baseAddress, wanted)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read \(path)", .current)
            }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes
    }

    /// Makes or empties the file (mode 0644) and writes the bytes. Not atomic: for tools.
    ///
    /// - Throws: `SystemError` naming the path.
    public static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let raw = unsafe path.withCString { unsafe open($0, flags, 0o644) }
        guard raw >= 0 else { throw SystemError("open \(path)", .current) }
        let file = FileDescriptor(owning: raw)
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: reads what is left, no more.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file.raw, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("write \(path)", .current)
            }
            rest = rest.dropFirst(count)
        }
    }
}
