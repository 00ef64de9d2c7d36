/// What protects the connections of a listener, such as TLS. Any thread.
public protocol ServerTransportSecurity: Sendable {
    /// Makes the session of a connection that was accepted. Takes no time worth mentioning.
    func acceptSession() throws(TransportSecurityError) -> any SecureSession
}

/// What protects the connections to a server, such as TLS. Any thread.
public protocol ClientTransportSecurity: Sendable {
    /// Makes the session of a connection that has been established.
    ///
    /// - Parameter host: the IP address or the host name that is connected to; nil: a Unix socket.
    func connectSession(to host: String?) throws(TransportSecurityError) -> any SecureSession
}

/// The protection of one connection: turns the bytes that the peer has sent into plaintext, and
/// plaintext into bytes for the peer. Knows no sockets. Used by one thread at a time, and moved to
/// another one only in between.
public protocol SecureSession: AnyObject {
    /// How far it is.
    var phase: SecureSessionPhase { get }
    /// What the peer has proved; `none` during the handshake.
    var peerIdentity: PeerIdentity { get }
    /// The protocol that both sides have agreed on (ALPN, RFC 7301); nil: none.
    var negotiatedProtocol: String? { get }
    /// Whether the peer has sent a part of a record, whose rest is missing.
    var hasPartialInput: Bool { get }

    /// Begins the handshake of a client; that of a server begins with what it receives.
    ///
    /// - Parameter output: receives what must be sent to the peer.
    func begin(output: inout ByteBuffer) throws(TransportSecurityError)

    /// Takes all bytes of `input`. Returns when the handshake has ended, even if bytes are left: they
    /// are taken by the next call.
    ///
    /// - Parameters:
    ///   - plaintext: receives what the peer has sent; may stay as it is.
    ///   - output: receives what must be sent to the peer, also where this throws.
    /// - Throws: the session is of no use then: send the output, and close.
    func receive(
        _ input: inout ByteBuffer, plaintext: inout ByteBuffer, output: inout ByteBuffer
    ) throws(TransportSecurityError)

    /// Encrypts plaintext. What a client encrypts at once is one unit, of which the server reads nothing
    /// before it has all: a call in it can be sent again.
    ///
    /// - Parameter plaintext: 1 to `secureUnitBytes` bytes.
    /// - Precondition: the handshake has ended.
    func encrypt(_ plaintext: RawSpan, output: inout ByteBuffer) throws(TransportSecurityError)

    /// Says to the peer that nothing more follows. Does nothing during the handshake.
    func finish(output: inout ByteBuffer)
}

/// How far a `SecureSession` is.
public enum SecureSessionPhase: Hashable, Sendable {
    /// The peer has not proved itself yet: nothing that is sent is encrypted, so nothing is.
    case handshake
    /// Both sides may send.
    case open
    /// The peer has said that it will send no more.
    case inputEnded
}

/// The most bytes that a `SecureSession` encrypts at once: those of a TLS record.
public let secureUnitBytes = 16 << 10

/// Why a certificate, a key, a configuration or a session can't be used. A value.
public struct TransportSecurityError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of errors.
    public enum Kind: String, Hashable, Sendable {
        /// A file of the configuration can't be read or holds nothing usable.
        case file
        /// A certificate has expired, or its time has not begun.
        case dates
        /// The configuration contradicts itself.
        case configuration
        /// The peer does not speak TLS in a version that is allowed, or broke the protocol.
        case handshake
        /// The peer's certificate is not trusted, or is not that of the peer that is expected.
        case certificate
        /// Bytes of an established session are invalid.
        case stream
        /// There is no memory or no randomness.
        case resources
    }

    /// The kind.
    public let kind: Kind
    /// What is wrong, where, and what was expected.
    public let text: String

    /// Creates one from its parts.
    public init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    /// `TLS certificate: …`.
    public var description: String { "TLS \(kind.rawValue): \(text)" }
}
