import RocketBase
import RocketSystem

/// The protection of one connection, between its socket and its handler: the session, the ciphertext
/// that waits to be sent, and how much plaintext the sent part of it stands for. Bound to the
/// connection's loop; knows no sockets.
final class ConnectionSecurity {
    /// The session; nil while a thread of `HandshakeThreads` has it.
    private var session: (any SecureSession)?
    /// What that thread does.
    private var step: HandshakeStep?
    /// Ciphertext that waits to be sent.
    var output = ByteBuffer()
    /// The ends of units that were encrypted and not sent whole yet.
    private var units = RingBuffer<Unit>()
    /// Bytes that were encrypted, and sent, in all.
    private var encrypted: UInt64 = 0
    private var sent: UInt64 = 0
    private var encryptedPlaintext: UInt64 = 0
    /// Plaintext bytes of the units that were sent whole: a peer reads nothing of the others.
    private(set) var sentPlaintext: UInt64 = 0
    private var isFinished = false
    /// The session is of no use any more: its output is still sent, and what arrives is dropped.
    var hasFailed = false
    /// Called once: with nil after the handler's `connected`, else with the reason, in place of the
    /// handler's `closed`.
    var handshakeEnded: ((TCPConnection, CloseReason?) -> Void)?
    /// The connection drains as soon as the handshake has ended.
    var drainsLater = false

    private struct Unit {
        var end: UInt64
        var plaintextEnd: UInt64
    }

    /// No more is encrypted while so many bytes wait to be sent: a peer that reads slowly does not
    /// turn bytes that it shares with others into bytes of its own.
    private static let aheadBytes = 64 << 10
    /// What a session takes: OpenSSL's memory during a handshake and after it.
    static let handshakeBytes = 48 << 10
    static let openBytes = 24 << 10

    init(_ session: any SecureSession) { self.session = session }

    var phase: SecureSessionPhase { session?.phase ?? .handshake }
    var isAway: Bool { session == nil }
    var peerIdentity: PeerIdentity { session?.peerIdentity ?? .none }
    var negotiatedProtocol: String? { session?.negotiatedProtocol }
    /// Bytes of ciphertext that were sent in all.
    var sentBytes: UInt64 { sent }
    var hasPartialInput: Bool { session?.hasPartialInput ?? false }

    /// The memory that is counted for the connection.
    var heldBytes: Int {
        (phase == .handshake ? Self.handshakeBytes : Self.openBytes) + output.capacityBytes
    }

    // MARK: Bytes

    func begin() throws(TransportSecurityError) {
        try counting { (output) throws(TransportSecurityError) in
            try session?.begin(output: &output)
        }
    }

    func receive(
        _ input: inout ByteBuffer, plaintext: inout ByteBuffer
    ) throws(TransportSecurityError) {
        try counting { (output) throws(TransportSecurityError) in
            try session?.receive(&input, plaintext: &plaintext, output: &output)
        }
    }

    /// Counts what `body` appends to the output, also where it throws.
    private func counting<Result, E: Error>(
        _ body: (inout ByteBuffer) throws(E) -> Result
    ) throws(E) -> Result {
        let before = output.readableBytes
        defer { encrypted += UInt64(output.readableBytes - before) }
        return try body(&output)
    }

    /// Encrypts the front of `queue`, until enough ciphertext waits.
    func encrypt(_ queue: inout OutputQueue) throws(TransportSecurityError) {
        guard let session, phase != .handshake else { return }
        while !queue.isEmpty, output.readableBytes < Self.aheadBytes {
            let count = try counting { (output) throws(TransportSecurityError) in
                try queue.withFront(secureUnitBytes) { (bytes) throws(TransportSecurityError) in
                    try session.encrypt(bytes, output: &output)
                }
            }
            queue.sent(count)
            encryptedPlaintext += UInt64(count)
            units.append(Unit(end: encrypted, plaintextEnd: encryptedPlaintext))
        }
    }

    /// Says to the peer that nothing more follows, once.
    func finish() {
        if isFinished { return }
        isFinished = true
        counting { session?.finish(output: &$0) }
    }

    /// Removes the first `count` bytes of the output: the kernel has taken them.
    func sent(_ count: Int) {
        output.consume(count)
        sent += UInt64(count)
        while let first = units.first, first.end <= sent {
            sentPlaintext = first.plaintextEnd
            _ = units.popFirst()
        }
    }

    // MARK: Handshakes on other threads

    /// Gives the session away, with what has arrived for it.
    func takeStep(_ input: inout ByteBuffer) -> HandshakeStep? {
        step = session.take().map { HandshakeStep($0, &input) }
        return step
    }

    /// Nothing more is done for the handshake: the connection has ended.
    func abandonStep() { step.take()?.abandon() }

    /// Takes the session back, and what it has to send.
    func takeBack(_ step: HandshakeStep) {
        self.step = nil
        session = step.session
        counting { output in step.output.withBytes { output.append($0) } }
    }
}

extension OutputQueue {
    /// Lends the first bytes, at most `most`, as one piece: copied together where shared bytes are
    /// among them. The queue is not empty.
    ///
    /// - Returns: how many they are.
    borrowing func withFront<E: Error>(
        _ most: Int, _ body: (RawSpan) throws(E) -> Void
    ) throws(E) -> Int {
        if !hasShared {
            let count = min(most, own.readableBytes)
            try own.withBytes { (bytes) throws(E) in try body(bytes.extracting(first: count)) }
            return count
        }
        var piece = ByteBuffer()
        unsafe try? withSlices { (slices) throws(SystemError) in
            for index in 0..<slices.count where piece.readableBytes < most {
                let left = most - piece.readableBytes
                let bytes = unsafe slices[index].bytes.prefix(left)
                unsafe piece.append(UnsafeRawBufferPointer(rebasing: bytes))
            }
        }
        let count = piece.readableBytes
        try piece.withBytes(body)
        return count
    }
}
