import CRocketDNSTestKit
public import RocketReactor
public import RocketSystem

/// A DNS server at a port of 127.0.0.1 that the kernel chooses, over UDP and TCP, whose answers a test
/// gives. Runs on the test's loop; bound to its thread.
public final class FakeDNSServer: IOHandler {
    /// Its address, for `DNSConfiguration.servers`.
    public let address: SocketAddress
    /// The questions so far.
    public private(set) var questions: [FakeDNSQuestion] = []
    /// Returns the messages that are sent for a question; none: it stays silent. By default none.
    public var answer: (FakeDNSQuestion) -> [[UInt8]] = { _ in [] }

    private let sockets: Sockets
    private var registrations: [Registration] = []
    private var peers: [TCPPeer] = []

    /// Both sockets, at the same port.
    private struct Sockets: ~Copyable {
        let datagrams: FileDescriptor
        let listener: FileDescriptor

        init() throws(SystemError) {
            let opened = rocket_dns_test_open(0)
            if opened < 0 { throw SystemError("bind", .current) }
            let datagrams = FileDescriptor(owning: opened)
            let address = try datagrams.localAddress()
            let listener = try FileDescriptor.streamSocket(for: address)
            try listener.bind(to: address)
            try listener.listen(backlog: 16)
            self.datagrams = datagrams
            self.listener = listener
        }

        /// Tries again when a port is in use for one of the two.
        static func open(attempts: Int) throws(SystemError) -> Sockets {
            do throws(SystemError) { return try Sockets() } catch {
                if attempts <= 1 { throw error }
            }
            return try open(attempts: attempts - 1)
        }
    }

    /// Opens the sockets.
    public init(on reactor: Reactor) throws(SystemError) {
        let sockets = try Sockets.open(attempts: 16)
        address = try sockets.datagrams.localAddress()
        self.sockets = sockets
        registrations = [
            try reactor.register(
                self.sockets.datagrams, interest: .read, label: "fake dns", handler: self)
        ]
        registrations.append(
            try reactor.register(
                self.sockets.listener, interest: .read, label: "fake dns",
                handler: Accepting(self)))
    }

    /// Stops answering. The port stays in use until the server is released.
    public func close() {
        for registration in registrations { registration.cancel() }
        registrations = []
        for peer in peers { peer.close() }
        peers = []
    }

    /// Called by the reactor.
    public func ready(_ events: IOEvents, on reactor: Reactor) {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while true {
            var port: UInt16 = 0
            let count = unsafe rocket_dns_test_receive(
                sockets.datagrams.raw, &bytes, bytes.count, &port)
            if count < 0 { return }
            for reply in replies(to: Array(bytes[..<count]), isTCP: false) {
                unsafe rocket_dns_test_send(sockets.datagrams.raw, reply, reply.count, port)
            }
        }
    }

    fileprivate func replies(to query: [UInt8], isTCP: Bool) -> [[UInt8]] {
        guard let question = FakeDNSQuestion(query, isTCP: isTCP) else { return [] }
        questions.append(question)
        return answer(question)
    }

    fileprivate func accept(on reactor: Reactor) {
        while case .accepted(let socket, _)? = try? sockets.listener.accept() {
            if let peer = try? TCPPeer(socket, self, on: reactor) { peers.append(peer) }
        }
    }
}

private final class Accepting: IOHandler {
    private weak var server: FakeDNSServer?

    init(_ server: FakeDNSServer) { self.server = server }

    func ready(_ events: IOEvents, on reactor: Reactor) { server?.accept(on: reactor) }
}

/// A connection over which queries come, each behind its length.
private final class TCPPeer: IOHandler {
    private let socket: FileDescriptor
    private weak var server: FakeDNSServer?
    private var registration: Registration?
    private var input: [UInt8] = []

    init(_ socket: consuming FileDescriptor, _ server: FakeDNSServer, on reactor: Reactor)
        throws(SystemError)
    {
        self.socket = socket
        self.server = server
        registration = try reactor.register(
            self.socket, interest: .read, label: "fake dns", handler: self)
    }

    func close() { registration.take()?.cancel() }

    func ready(_ events: IOEvents, on reactor: Reactor) {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let result = try? unsafe bytes.withUnsafeMutableBytes {
            (bytes) throws(SystemError) in
            unsafe try socket.receive(into: bytes)
        }
        guard case .done(let count)? = result, count > 0 else { return close() }
        input += bytes[..<count]
        while input.count >= 2 {
            let end = 2 + Int(input[0]) << 8 + Int(input[1])
            guard input.count >= end else { return }
            let query = Array(input[2..<end])
            input.removeSubrange(..<end)
            for reply in server?.replies(to: query, isTCP: true) ?? [] {
                let framed = FakeDNSRecord.bytes(UInt16(clamping: reply.count)) + reply
                _ = try? unsafe framed.withUnsafeBytes { (bytes) throws(SystemError) in
                    unsafe try socket.send(bytes)
                }
            }
        }
    }
}
