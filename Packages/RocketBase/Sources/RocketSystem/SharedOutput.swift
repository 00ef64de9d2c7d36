import Glibc

/// Writes to a stream that other processes may share, such as standard output, and waits for its
/// reader no longer than a limit.
///
/// O_NONBLOCK on the descriptor itself would change the stream of those other processes, too. So a
/// pipe or a terminal is opened a second time, without blocking. Where that is refused, only as much
/// is written at a time as poll(2) reports room for: a page to a pipe, to a terminal a run of text or
/// one control character. Sockets are written with MSG_DONTWAIT. Any thread.
public struct SharedOutput: ~Copyable, Sendable {
    private enum Kind { case file, socket, own, borrowedPipe, borrowedTerminal }

    private let descriptor: Int32
    private let own: FileDescriptor?
    private let kind: Kind

    /// Writes to `descriptor`, which must stay open as long as this value; it is not closed.
    public init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        _ = unsafe fstat(descriptor, &status)
        let type = status.st_mode & S_IFMT
        guard type == S_IFIFO || type == S_IFCHR else {
            kind = type == S_IFSOCK ? .socket : .file
            own = nil
            return
        }
        // SAFETY: Swift passes a NUL-terminated copy of the path.
        let raw = unsafe open(
            "/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        kind = raw >= 0 ? .own : type == S_IFIFO ? .borrowedPipe : .borrowedTerminal
        own = raw < 0 ? nil : FileDescriptor(owning: raw)
    }

    /// Writes all of `bytes`.
    ///
    /// - Parameter limit: the longest time to wait for the reader in all; nil: no limit.
    /// - Returns: the number of bytes written, and the error that ended the call, if any; EAGAIN
    ///   when the limit passed.
    public borrowing func write(
        _ bytes: UnsafeRawBufferPointer, waitingAtMost limit: Duration?
    ) -> (written: Int, error: SystemError?) {
        let clock = SystemTimeSource()
        let deadline = limit.map { clock.monotonic() + $0 }
        var written = 0
        while written < bytes.count {
            let isOver = deadline.map { $0 <= clock.monotonic() } ?? false
            guard isWritable(until: deadline) else {
                return (written, SystemError("write", .again))
            }
            let count = unsafe writeSome(UnsafeRawBufferPointer(rebasing: bytes[written...]))
            if count >= 0 {
                written += count
                continue
            }
            let error = Errno.current
            if error.isInterrupted { continue }
            if !error.isWouldBlock || isOver { return (written, SystemError("write", error)) }
        }
        return (written, nil)
    }

    /// Writes a text; see `write(_:waitingAtMost:)`.
    public borrowing func write(_ text: String, waitingAtMost limit: Duration?) -> SystemError? {
        var text = text
        return text.withUTF8 {
            unsafe write(UnsafeRawBufferPointer($0), waitingAtMost: limit).error
        }
    }

    private borrowing func writeSome(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch kind {
        case .file: unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        case .socket:
            unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
        case .own: unsafe Glibc.write(raw, bytes.baseAddress, bytes.count)
        case .borrowedPipe:
            unsafe Glibc.write(descriptor, bytes.baseAddress, min(bytes.count, Int(PIPE_BUF)))
        case .borrowedTerminal:
            unsafe Glibc.write(descriptor, bytes.baseAddress, Self.terminalPiece(bytes))
        }
    }

    /// Returns how many of the bytes a terminal takes without blocking after poll(2). The kernel
    /// keeps room for 256 (WAKEUP_CHARS; the size of the smallest buffer of a pseudo-terminal), but
    /// for a control character, such as a line feed, it asks for room again.
    private static func terminalPiece(_ bytes: UnsafeRawBufferPointer) -> Int {
        max(1, unsafe bytes.prefix(256).prefix { $0 >= 0x20 }.count)
    }

    private var raw: Int32 {
        switch own {
        case .some(let own): own.raw
        case .none: descriptor
        }
    }

    /// Returns true also for a stream with an error, which the write then reports.
    private borrowing func isWritable(until deadline: MonotonicTime?) -> Bool {
        let clock = SystemTimeSource()
        var request = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
        while true {
            // Rounded up, so that a wait never ends before the deadline.
            let wait = deadline.map {
                let left = max(.zero, $0 - clock.monotonic())
                return Int32(clamping: (left.wholeNanoseconds + 999_999) / 1_000_000)
            }
            // SAFETY: one pollfd, as the count says.
            let count = unsafe poll(&request, 1, wait ?? -1)
            let error = Errno.current
            if count >= 0 || !error.isInterrupted { return count > 0 }
        }
    }
}
