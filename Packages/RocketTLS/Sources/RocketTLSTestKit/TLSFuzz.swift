public import RocketBase
import RocketSystem
import RocketTLS

/// Drives a client's and a server's session by arbitrary bytes: what is sent, in which parts it
/// arrives, what is changed on the way, and what was never sent. Run by libFuzzer (Fuzz/) and by
/// tests.
///
/// Each byte is an operation in its low 3 bits, with a number in the others; see `Operation`.
public struct TLSFuzz: Sendable {
    private let client, server: TLSContext

    /// Makes certificates in an empty folder, which is not used any more afterwards.
    public init(inFolder folder: String) throws(TransportSecurityError) {
        let authority = TestAuthority(inFolder: folder)
        var configuration = TLSClientConfiguration()
        configuration.trust = .file(authority.certificate)
        configuration.identity = authority.issue("client")
        let now = SystemTimeSource().wall()
        client = try TLSContext(configuration, now: now)
        server = try TLSContext(
            TLSServerConfiguration(
                identities: [authority.issue("server")], clientCA: authority.certificate),
            tickets: TLSTicketKeys(), now: now)
    }

    /// A violation of what sessions promise.
    public struct Finding: Error, CustomStringConvertible {
        /// What was violated.
        public let description: String
    }

    private enum Operation: UInt8 {
        /// Encrypts 1 to 32 times 100 bytes.
        case clientSends, serverSends
        /// Delivers 1 to 32 bytes of what is on its way; 32: all.
        case toServer, toClient
        /// Delivers everything.
        case both
        /// Changes a byte on its way to the server, by the next byte of the input.
        case change
        /// Puts the next bytes of the input on their way to the server.
        case inject
        /// The client says that nothing follows; with an odd number the server.
        case finish
    }

    /// Runs the operations once, on the calling thread.
    ///
    /// - Throws: `Finding`, and errors of sessions for bytes that nobody has changed.
    public func run(_ bytes: [UInt8]) throws {
        var pair = Pair(
            client: Side(try TLSSession(connectingBy: client, to: "localhost")),
            server: Side(try TLSSession(acceptingBy: server)))
        try pair.client.session.begin(output: &pair.client.output)
        var rest = bytes[...]
        while let byte = rest.popFirst(), !pair.hasFailed {
            let number = Int(byte >> 3) + 1
            switch Operation(rawValue: byte & 7) {
            case .clientSends: try pair.client.send(number * 100)
            case .serverSends: try pair.server.send(number * 100)
            case .toServer: try pair.deliver(number == 32 ? .max : number, toServer: true)
            case .toClient: try pair.deliver(number == 32 ? .max : number, toServer: false)
            case .both: try pair.deliverAll()
            case .change: pair.change(at: number, by: rest.popFirst() ?? 1)
            case .inject:
                pair.inject(Array(rest.prefix(number)))
                rest = rest.dropFirst(number)
            case .finish, nil:
                (number % 2 == 0 ? pair.server : pair.client).finish()
            }
        }
        if pair.isChanged || pair.hasFailed { return }
        try pair.deliverAll()
        try pair.checkEverythingArrived()
    }
}

/// One side: its session, what it has sent, and what has arrived. Bound to one run.
private final class Side {
    let session: TLSSession
    var output = ByteBuffer()
    var sent: [UInt8] = []
    var received = ByteBuffer()
    private var isFinished = false

    init(_ session: TLSSession) { self.session = session }

    func send(_ count: Int) throws {
        if session.phase == .handshake || isFinished { return }
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: sent.count + $0) }
        // SAFETY: the array lives, unchanged, until encrypt returns.
        try session.encrypt(unsafe bytes.span.bytes, output: &output)
        sent += bytes
    }

    func finish() {
        isFinished = isFinished || session.phase != .handshake
        session.finish(output: &output)
    }
}

private struct Pair {
    let client, server: Side
    /// Bytes on their way to the server are not those that the client has sent.
    private(set) var isChanged = false
    private(set) var hasFailed = false

    init(client: Side, server: Side) {
        self.client = client
        self.server = server
    }

    mutating func deliver(_ most: Int, toServer: Bool) throws {
        let (from, to) = toServer ? (client, server) : (server, client)
        let part = Array(from.output.copyBytes().prefix(most))
        if part.isEmpty { return }
        from.output.consume(part.count)
        var input = ByteBuffer()
        input.append(part)
        let before = to.output.readableBytes
        do {
            try to.session.receive(&input, plaintext: &to.received, output: &to.output)
            try require(input.isEmpty, "bytes were left")
        } catch let error as TransportSecurityError {
            hasFailed = true
            if !isChanged { throw error }
        }
        try require(to.output.readableBytes - before < 64 << 10, "an answer of 64 KiB")
        let received = to.received.copyBytes()
        try require(
            received.count <= from.sent.count && from.sent.starts(with: received),
            "\(received.count) bytes arrived that were not sent so")
    }

    mutating func deliverAll() throws {
        while !hasFailed, !client.output.isEmpty || !server.output.isEmpty {
            try deliver(.max, toServer: true)
            if !hasFailed { try deliver(.max, toServer: false) }
        }
    }

    mutating func change(at position: Int, by mask: UInt8) {
        var bytes = client.output.copyBytes()
        if position >= bytes.count || mask == 0 { return }
        bytes[position] ^= mask
        client.output.removeAll()
        client.output.append(bytes)
        isChanged = true
    }

    mutating func inject(_ bytes: [UInt8]) {
        client.output.append(bytes)
        isChanged = isChanged || !bytes.isEmpty
    }

    func checkEverythingArrived() throws {
        for (from, to) in [(client, server), (server, client)] {
            try require(to.session.phase != .handshake, "the handshake has not ended")
            try require(to.received.readableBytes == from.sent.count, "bytes are missing")
        }
    }

    private func require(_ condition: Bool, _ rule: String) throws {
        if !condition { throw TLSFuzz.Finding(description: rule) }
    }
}
