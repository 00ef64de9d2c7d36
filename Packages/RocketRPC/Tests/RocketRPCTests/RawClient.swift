import Glibc
import RocketTCP

/// A peer that speaks bytes: a blocking socket, for what a well-behaved channel never sends.
final class RawClient {
    private var socket: Int32

    init(_ address: NetAddress) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // A test that waits for what never comes fails instead of hanging.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = (address.port ?? 0).bigEndian
        name.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw Failure(errno: errno) }
    }

    struct Failure: Error { let errno: Int32 }

    deinit { if socket >= 0 { close(socket) } }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    socket, $0.baseAddress?.advanced(by: sent), bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count < 0 { throw Failure(errno: errno) }
            sent += count
        }
    }

    /// Cuts the connection: the peer gets a reset.
    func reset() {
        var choice = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &choice, socklen_t(MemoryLayout<linger>.size))
        close(socket)
        socket = -1
    }

    /// No more bytes from this side.
    func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// Exactly that many bytes, or fewer where the peer closes before.
    func receive(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while bytes.count < count {
            let received = recv(socket, &chunk, min(chunk.count, count - bytes.count), 0)
            if received < 0 {
                if errno == ECONNRESET { return bytes }
                throw Failure(errno: errno)
            }
            if received == 0 { break }
            bytes += chunk[..<received]
        }
        return bytes
    }

    /// One frame, by its length field; empty when the peer closes.
    func receiveFrame() throws -> [UInt8] {
        let head = try receive(5)
        guard head.count == 5 else { return [] }
        let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
        return head + (try receive(length - 5))
    }
}
