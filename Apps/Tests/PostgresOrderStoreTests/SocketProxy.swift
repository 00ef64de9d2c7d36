import Foundation
import Glibc
import RocketSystem

/// A Unix socket in a folder of its own that forwards to a server, and can lose what it forwards.
final class SocketProxy: Sendable {
    private enum Loss { case nothing, replies, connection, everything }

    /// One connection: a descriptor on each side.
    private final class Link: Sendable {
        let client: Int32
        let server: Int32
        let loss = Locked(Loss.nothing)
        let isRequestLost = Flag()

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }
    }

    let folder: String
    private let target: String?
    private let listener: Int32
    private let links = Locked<[Link]>([])

    private static let name = ".s.PGSQL.5432"

    /// - Parameter target: the folder of the server's socket; nil: it never answers.
    init(to target: String?) throws {
        folder = "/tmp/rocket-pp-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        self.target = target.map { "\($0)/\(Self.name)" }
        listener = Self.socket("\(folder)/\(Self.name)") { bind($0, $1, $2) }
        listen(listener, 100)
        if target == nil { return }
        Thread.detachNewThread { [listener, weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                self.open(client)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        for link in links.withLock({ $0 }) { Self.end(link) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Forwards to the server on the connections that there are, drops the first answer of each, and
    /// closes it then.
    func loseReplies() {
        for link in links.withLock({ $0 }) { link.loss.withLock { $0 = .replies } }
    }

    /// Forwards nothing any more on the connections that there are, and leaves them open, as a network
    /// that is cut.
    func loseEverything() {
        for link in links.withLock({ $0 }) { link.loss.withLock { $0 = .everything } }
    }

    /// Connections on which a request was lost by `loseEverything`.
    var lostRequests: Int { links.withLock { $0.filter(\.isRequestLost.isSet).count } }

    /// Ends the connections that there are for the clients; the server does not observe that.
    func loseConnections() {
        for link in links.withLock({ $0 }) {
            link.loss.withLock { $0 = .connection }
            shutdown(link.client, Int32(SHUT_RDWR))
        }
    }

    private func open(_ client: Int32) {
        guard let target else { return }
        let link = Link(client: client, server: Self.socket(target) { connect($0, $1, $2) })
        links.withLock { $0.append(link) }
        Thread.detachNewThread {
            Self.copy(from: client, to: link.server) {
                let forwards = link.loss.withLock { $0 } != .everything
                if !forwards { link.isRequestLost.set() }
                return forwards
            }
            if link.loss.withLock({ $0 }) == .everything { return }
            // The server goes on with a connection that is only lost.
            if link.loss.withLock({ $0 }) != .connection { shutdown(link.server, Int32(SHUT_RDWR)) }
        }
        Thread.detachNewThread {
            Self.copy(from: link.server, to: client) { link.loss.withLock { $0 } == .nothing }
            if link.loss.withLock({ $0 }) == .everything { return }
            shutdown(client, Int32(SHUT_RDWR))
        }
    }

    private static func end(_ link: Link) {
        shutdown(link.client, Int32(SHUT_RDWR))
        shutdown(link.server, Int32(SHUT_RDWR))
    }

    private static func copy(from source: Int32, to target: Int32, while forwards: () -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0, forwards() else { return }
            let isSent = buffer.withUnsafeBytes { bytes in
                var rest = bytes[..<count]
                while !rest.isEmpty {
                    let written = UnsafeRawBufferPointer(rebasing: rest).withUnsafeBytes {
                        send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard written > 0 else { return false }
                    rest = rest.dropFirst(written)
                }
                return true
            }
            guard isSent else { return }
        }
    }

    private static func socket(
        _ path: String, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(result == 0, "a socket at \(path)")
        return descriptor
    }
}
