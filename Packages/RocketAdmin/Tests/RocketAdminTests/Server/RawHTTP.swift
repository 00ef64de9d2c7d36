import Glibc
import RocketSystem
import RocketTCP

/// A client of single bytes: a socket of its own for each use, on a thread of its own, which may block.
enum RawHTTP {
    struct Answer: Sendable {
        var bytes: String

        var status: Int { Int(bytes.split(separator: " ").dropFirst().first ?? "") ?? 0 }
        var body: String {
            guard let end = bytes.utf8.firstRange(of: "\r\n\r\n") else { return "" }
            return String(bytes.utf8[end...]) ?? ""
        }
        func header(_ name: String) -> String? {
            for line in bytes.split(separator: "\r\n").prefix(40) {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                    return String(parts[1].drop { $0 == " " })
                }
            }
            return nil
        }
    }

    /// Sends a request and reads until the server closes.
    static func get(
        _ target: String, from address: NetAddress, method: String = "GET",
        headers: [String] = ["Host: localhost"], body: String = ""
    ) async -> Answer {
        var lines = ["\(method) \(target) HTTP/1.1"] + headers + ["Connection: close"]
        if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
        return await send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body, to: address)
    }

    /// Sends bytes and reads until the server closes, or has been silent for 20 s.
    static func send(_ text: String, to address: NetAddress) async -> Answer {
        await onThread {
            let descriptor = connect(to: address)
            defer { close(descriptor) }
            var text = text
            text.withUTF8 { bytes in
                var rest = UnsafeRawBufferPointer(bytes)
                while rest.count > 0 {
                    let sent = Glibc.send(
                        descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                    if sent <= 0 { break }
                    rest = .init(rebasing: rest[sent...])
                }
            }
            return Answer(bytes: readAll(descriptor))
        }
    }

    /// Sends bytes and their end together; returns what the server sends until it closes; nil: it does not,
    /// within 20 s.
    static func sendWithEnd(_ text: String, to address: NetAddress) async -> Answer? {
        await onThread {
            let descriptor = connect(to: address)
            defer { close(descriptor) }
            // What is sent waits for the end.
            var on: Int32 = 1
            setsockopt(
                descriptor, Int32(IPPROTO_TCP), TCP_CORK, &on, socklen_t(MemoryLayout<Int32>.size))
            _ = text.withCString { Glibc.send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            shutdown(descriptor, Int32(SHUT_WR))
            let bytes = readAll(descriptor)
            var byte: UInt8 = 0
            return recv(descriptor, &byte, 1, 0) == 0 ? Answer(bytes: bytes) : nil
        }
    }

    static func connect(to address: NetAddress) -> Int32 {
        let isUnix = address.isUnix
        let descriptor = socket(isUnix ? AF_UNIX : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        switch address.socketAddress {
        case .unix(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { space in
                for (index, byte) in path.utf8.enumerated() { space[index] = byte }
            }
            withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        case .ipv4(let bits, let port):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_addr.s_addr = bits.bigEndian
            name.sin_port = port.bigEndian
            withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        default: break
        }
        return descriptor
    }

    static func readAll(_ descriptor: Int32) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            all += buffer[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// Runs what blocks on a thread of its own: tasks of the server run on the threads of this test.
    static func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result
    {
        await withCheckedContinuation { continuation in
            do {
                try SystemThread(name: "test-client") { continuation.resume(returning: body()) }
                    .detach()
            } catch {
                fatalError("no thread: \(error)")
            }
        }
    }
}

extension String.UTF8View {
    /// The position behind the first occurrence.
    fileprivate func firstRange(of text: String) -> Index? {
        let wanted = Array(text.utf8)
        var start = startIndex
        while start != endIndex {
            if self[start...].starts(with: wanted) { return index(start, offsetBy: wanted.count) }
            start = index(after: start)
        }
        return nil
    }
}
