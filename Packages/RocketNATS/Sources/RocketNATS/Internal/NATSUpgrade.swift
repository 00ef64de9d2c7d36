import RocketBase
import RocketCodec

/// TLS as NATS has it: the server sends `INFO` in plaintext, then both sides begin the handshake. Any
/// thread.
struct NATSUpgrade: ClientTransportSecurity {
    let security: any ClientTransportSecurity

    func connectSession(to host: String?) throws(TransportSecurityError) -> any SecureSession {
        NATSUpgradeSession(try security.connectSession(to: host))
    }
}

/// One connection: takes the `INFO`, then is the session of the security. What it delivers first is
/// the `INFO`, once the handshake has ended, so that nothing is sent in plaintext. Used as any
/// `SecureSession`.
final class NATSUpgradeSession: SecureSession {
    private let session: any SecureSession
    /// The `INFO` as far as it has arrived, until it is delivered.
    private var greeting = ByteBuffer()
    private var hasBegun = false
    private var isDelivered = false

    init(_ session: any SecureSession) { self.session = session }

    var phase: SecureSessionPhase { session.phase }
    var peerIdentity: PeerIdentity { session.peerIdentity }
    var negotiatedProtocol: String? { session.negotiatedProtocol }
    var hasPartialInput: Bool { (!hasBegun && !greeting.isEmpty) || session.hasPartialInput }

    /// The server speaks first.
    func begin(output: inout ByteBuffer) {}

    func receive(
        _ input: inout ByteBuffer, plaintext: inout ByteBuffer, output: inout ByteBuffer
    ) throws(TransportSecurityError) {
        if isDelivered {
            return try session.receive(&input, plaintext: &plaintext, output: &output)
        }
        if !hasBegun {
            guard try takeGreeting(&input) else { return }
            hasBegun = true
            try session.begin(output: &output)
        }
        var first = ByteBuffer()
        try session.receive(&input, plaintext: &first, output: &output)
        if session.phase == .handshake { return }
        isDelivered = true
        greeting.withBytes { plaintext.append($0) }
        greeting.shrink()
        first.withBytes { plaintext.append($0) }
    }

    /// Moves the `INFO` out of the input.
    ///
    /// - Returns: false while it is incomplete.
    private func takeGreeting(_ input: inout ByteBuffer) throws(TransportSecurityError) -> Bool {
        input.withBytes { greeting.append($0) }
        input.removeAll()
        let result: Result<Int?, TransportSecurityError> = greeting.withBytes { bytes in
            do throws(NATSProtocolError) {
                switch try NATSCodec().step(bytes) {
                case .needMore: return .success(nil)
                case .frame(.info(let json), let byteCount):
                    let info = try bytes.bytes(json) { (bytes) throws(NATSProtocolError) in
                        try NATSServerInfo(json: Array(copying: bytes))
                    }
                    return info.offersTLS ? .success(byteCount) : .failure(Self.noTLS)
                case .frame: return .failure(Self.noInfo("another operation than INFO came first"))
                }
            } catch { return .failure(Self.noInfo("\(error)")) }
        }
        guard let byteCount = try result.get() else { return false }
        // Behind it a server that offers TLS sends nothing before our part of the handshake.
        if byteCount < greeting.readableBytes {
            throw Self.noInfo("the server sends more in plaintext behind its INFO")
        }
        return true
    }

    private static var noTLS: TransportSecurityError {
        TransportSecurityError(
            .handshake, "the NATS server offers no TLS; it needs a tls block in its configuration")
    }

    private static func noInfo(_ text: String) -> TransportSecurityError {
        TransportSecurityError(.handshake, "the peer is no NATS server that offers TLS: \(text)")
    }

    func encrypt(_ plaintext: RawSpan, output: inout ByteBuffer) throws(TransportSecurityError) {
        try session.encrypt(plaintext, output: &output)
    }

    func finish(output: inout ByteBuffer) { session.finish(output: &output) }
}

extension Array where Element == UInt8 {
    /// Copies the bytes of a span.
    init(copying bytes: RawSpan) {
        // SAFETY: the pointer does not escape from the closure.
        self = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
