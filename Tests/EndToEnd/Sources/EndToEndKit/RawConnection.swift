public import Foundation

/// A TCP connection on a bare socket. Functions block.
public final class RawConnection: Sendable {
    private let descriptor: Int32

    /// Connects to 127.0.0.1.
    public init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in.loopback(port: port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SocketFailure("connect") }
    }

    /// Takes ownership of an accepted socket.
    fileprivate init(accepted: Int32) {
        descriptor = accepted
    }

    deinit { close(descriptor) }

    /// Shuts down both directions. A draining peer does not wait for this connection any more.
    public func finish() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// The local port, by which the server identifies this peer.
    public var localPort: UInt16 { boundPort(of: descriptor) }

    /// Sends all of it.
    public func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw SocketFailure("send") }
            rest = rest.dropFirst(count)
        }
    }

    /// Returns exactly `count` bytes; nil when the stream ends before.
    public func receive(_ count: Int) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var part = [UInt8](repeating: 0, count: count - bytes.count)
            let got = recv(descriptor, &part, part.count, 0)
            if got == 0 { return nil }
            guard got > 0 else {
                // A peer that closes with bytes unread resets the connection: also the end.
                if errno == ECONNRESET { return nil }
                throw SocketFailure("recv")
            }
            bytes += part.prefix(got)
        }
        return bytes
    }

    /// Returns the next frame; nil at the end of the stream.
    public func receiveFrame() throws -> TinyPBBytes? {
        guard let head = try receive(5) else { return nil }
        let length = head[1...4].reduce(0) { $0 << 8 | Int($1) }
        guard let rest = try receive(length - 5) else { return nil }
        return TinyPBBytes(head + rest)
    }

    /// Waits for the end of the stream; false if a byte arrives instead.
    public func isAtEnd() throws -> Bool { try receive(1) == nil }
}

/// A bound port, so that no server can listen on it. With `isListening` clients can connect,
/// without it they are refused.
public final class ReservedPort: Sendable {
    private let descriptor: Int32
    /// The port, chosen by the kernel.
    public var port: UInt16 { boundPort(of: descriptor) }

    /// Binds a port until the last reference is gone.
    public init(isListening: Bool) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in.loopback(port: 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SocketFailure("bind") }
        if isListening { try beginListening() }
    }

    /// Lets clients connect from now on.
    public func beginListening() throws {
        if listen(descriptor, 16) != 0 { throw SocketFailure("listen") }
    }

    deinit { close(descriptor) }

    /// Returns the same socket for another process, as a service manager passes it.
    public func duplicate() -> FileHandle {
        FileHandle(fileDescriptor: dup(descriptor), closeOnDealloc: true)
    }

    /// Accepts the next connection.
    public func accept() throws -> RawConnection {
        let accepted = Foundation.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw SocketFailure("accept") }
        return RawConnection(accepted: accepted)
    }
}

/// A system call that failed.
public struct SocketFailure: Error {
    let call: String
    let code = errno

    init(_ call: String) { self.call = call }
}

extension sockaddr_in {
    static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }
}

private func boundPort(of descriptor: Int32) -> UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = getsockname(descriptor, $0, &length)
        }
    }
    return UInt16(bigEndian: address.sin_port)
}
