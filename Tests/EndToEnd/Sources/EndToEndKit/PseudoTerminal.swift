public import Foundation

/// A pseudo-terminal: the test is the person in front of it. It controls no process, so no shell is
/// needed. Functions block.
public final class PseudoTerminal: Sendable {
    private let near: Int32
    private let far: Int32

    /// TIOCSPTLCK and TIOCGPTN, which Swift's Glibc module lacks, as it lacks posix_openpt(3).
    private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    /// The end of the program under test.
    public let program: FileHandle

    /// Opens one with the modes that the system sets, such as an echo.
    public init() throws {
        near = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var isLocked: Int32 = 0
        var number: Int32 = 0
        guard near >= 0, ioctl(near, Self.setLock, &isLocked) == 0,
            ioctl(near, Self.getNumber, &number) == 0
        else { throw TerminalFailure("/dev/ptmx") }
        far = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        guard far >= 0 else { throw TerminalFailure("/dev/pts/\(number)") }
        program = FileHandle(fileDescriptor: far, closeOnDealloc: false)
    }

    deinit {
        close(near)
        close(far)
    }

    /// Whether the terminal echoes what is typed.
    public var echoes: Bool {
        var mode = termios()
        return tcgetattr(far, &mode) == 0 && mode.c_lflag & tcflag_t(ECHO) != 0
    }

    /// Types text.
    public func type(_ text: String) { _ = text.withCString { write(near, $0, strlen($0)) } }

    /// Returns what the program writes, up to and with `text`; less if it ends before.
    public func read(through text: String) -> String {
        var bytes: [UInt8] = []
        let wanted = Array(text.utf8)
        while !bytes.hasSuffix(wanted) {
            var byte: UInt8 = 0
            guard Foundation.read(near, &byte, 1) == 1 else { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ other: [UInt8]) -> Bool {
        suffix(other.count).elementsEqual(other)
    }
}

/// A pseudo-terminal could not be opened.
public struct TerminalFailure: Error {
    /// The call, and what errno says.
    public let description: String
    init(_ call: String) {
        let error = errno
        description = call + ": " + String(cString: strerror(error))
    }
}
