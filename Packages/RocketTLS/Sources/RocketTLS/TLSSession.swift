import COpenSSL
import CRocketTLS
public import RocketBase

/// One TLS connection: turns ciphertext into plaintext and back. Knows no sockets and no clocks. Owned
/// by one connection; used by one thread at a time.
///
/// Bytes of the peer go in by `receive`, bytes for the peer by `encrypt`. Both append to an output
/// what has to be sent to the peer; a handshake needs no more than that its bytes are passed on.
public final class TLSSession: SecureSession {
    /// How far it is.
    public private(set) var phase = SecureSessionPhase.handshake
    let handle: SessionHandle
    let context: TLSContext
    private let keepTicket: (@Sendable (TLSTicket) -> Void)?

    /// Room for what a flight of a handshake usually has.
    private static let outputBytes = 2 << 10

    /// Makes a server's session.
    public init(acceptingBy context: TLSContext) throws(TransportSecurityError) {
        handle = try SessionHandle(context)
        self.context = context
        keepTicket = nil
        unsafe SSL_set_accept_state(ssl)
    }

    /// Makes a client's session.
    ///
    /// - Parameters:
    ///   - host: the DNS name or IP address that is connected to, which the server's certificate must
    ///     be valid for unless the configuration names another one; nil: none is known.
    ///   - ticket: of an earlier session with the same server, by the same context; nil: none.
    ///   - keepTicket: receives what a later session can resume this one by, when this one ends. On
    ///     the thread that releases it.
    public init(
        connectingBy context: TLSContext, to host: String?, resuming ticket: TLSTicket? = nil,
        keepTicket: (@Sendable (TLSTicket) -> Void)? = nil
    ) throws(TransportSecurityError) {
        let made = try SessionHandle(context)
        unsafe SSL_set_connect_state(made.ssl)
        if case .client(let configuration) = context.role {
            try made.expect(configuration, host)
        }
        // A ticket that does not fit costs a full handshake.
        if let ticket { unsafe _ = SSL_set_session(made.ssl, ticket.session) }
        handle = made
        self.context = context
        self.keepTicket = keepTicket
    }

    deinit {
        if let keepTicket, let ticket { keepTicket(ticket) }
    }

    // MARK: Bytes

    /// Begins the handshake of a client.
    public func begin(output: inout ByteBuffer) throws(TransportSecurityError) { try step(&output) }

    /// Takes all ciphertext of `input`.
    ///
    /// - Throws: `handshake` or `certificate` in the handshake, `stream` afterwards.
    public func receive(
        _ input: inout ByteBuffer, plaintext: inout ByteBuffer, output: inout ByteBuffer
    ) throws(TransportSecurityError) {
        let result = unsafe input.withUnsafeBytes { bytes -> Result<Int, TransportSecurityError> in
            unsafe io.pointee.input = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            unsafe io.pointee.input_count = bytes.count
            unsafe io.pointee.input_taken = 0
            // SAFETY: the bytes of the input are valid until the end of this closure only.
            defer {
                unsafe io.pointee.input = nil
                unsafe io.pointee.input_count = 0
                unsafe io.pointee.input_taken = 0
            }
            do throws(TransportSecurityError) {
                if phase == .handshake { try step(&output) }
                if phase == .open { try decrypt(into: &plaintext, &output) }
            } catch { return .failure(error) }
            // What follows the end counts for nothing (RFC 8446, 6.1).
            return .success(phase == .inputEnded ? bytes.count : unsafe io.pointee.input_taken)
        }
        input.consume(try result.get())
    }

    /// Encrypts plaintext as one record; for a client that has asked for short ones (RFC 6066, 4), as
    /// several.
    public func encrypt(
        _ plaintext: RawSpan, output: inout ByteBuffer
    ) throws(TransportSecurityError) {
        precondition(
            phase != .handshake && (1...secureUnitBytes).contains(plaintext.byteCount),
            "TLSSession: encrypt during the handshake, or not one record")
        while true {
            clearErrors()
            var written = 0
            let code = unsafe plaintext.withUnsafeBytes { bytes in
                // Room for the record with its header, its tag and its padding.
                writing(&output, room: bytes.count + 256) {
                    unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written)
                }
            }
            if code == 1 { return }
            guard unsafe SSL_get_error(ssl, code) == SSL_ERROR_WANT_WRITE else {
                throw TransportSecurityError.last(.stream)
            }
        }
    }

    /// Says to the peer that nothing more follows (close_notify).
    public func finish(output: inout ByteBuffer) {
        if phase == .handshake { return }
        clearErrors()
        _ = writing(&output, room: 256) { unsafe SSL_shutdown(ssl) }
    }

    // MARK: OpenSSL

    var ssl: OpaquePointer { unsafe handle.ssl }
    private var io: UnsafeMutablePointer<rocket_tls_io> { unsafe handle.io }

    /// Goes on with the handshake as far as the input allows.
    private func step(_ output: inout ByteBuffer) throws(TransportSecurityError) {
        while true {
            clearErrors()
            let code = writing(&output, room: Self.outputBytes) {
                unsafe SSL_do_handshake(ssl)
            }
            if code == 1 {
                try checkExpectation()
                phase = .open
                return
            }
            switch unsafe SSL_get_error(ssl, code) {
            case SSL_ERROR_WANT_WRITE: continue
            case SSL_ERROR_WANT_READ: return
            default: throw handshakeError()
            }
        }
    }

    private func decrypt(
        into plaintext: inout ByteBuffer, _ output: inout ByteBuffer
    ) throws(TransportSecurityError) {
        while true {
            clearErrors()
            var code: Int32 = 0
            unsafe _ = plaintext.write(minimum: secureUnitBytes) { room in
                var count = 0
                code = writing(&output, room: 256) {
                    unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &count)
                }
                return count
            }
            if code == 1 {
                // The usual end of a read: whole records, and nothing of another one.
                let isTaken = unsafe io.pointee.input_taken == io.pointee.input_count
                if isTaken, unsafe SSL_has_pending(ssl) == 0 { return }
                continue
            }
            switch unsafe SSL_get_error(ssl, code) {
            case SSL_ERROR_WANT_WRITE: continue
            case SSL_ERROR_WANT_READ: return
            case SSL_ERROR_ZERO_RETURN:
                phase = .inputEnded
                return
            default: throw TransportSecurityError.last(.stream)
            }
        }
    }

    /// Runs a function of OpenSSL that may write, into room at the end of the output.
    private func writing(_ output: inout ByteBuffer, room: Int, _ body: () -> Int32) -> Int32 {
        var code: Int32 = 0
        unsafe _ = output.write(minimum: room) { memory in
            unsafe io.pointee.output = memory.assumingMemoryBound(to: UInt8.self).baseAddress
            unsafe io.pointee.output_capacity = memory.count
            unsafe io.pointee.output_count = 0
            code = body()
            return unsafe io.pointee.output_count
        }
        // SAFETY: the room is valid inside of the closure only.
        unsafe io.pointee.output = nil
        unsafe io.pointee.output_capacity = 0
        unsafe io.pointee.output_count = 0
        return code
    }
}

/// OpenSSL's session with its input and output, freed with it. Bound to one session.
@safe
final class SessionHandle {
    let ssl: OpaquePointer
    let io: UnsafeMutablePointer<rocket_tls_io>
    /// The name that a client expects in the server's certificate.
    var expectedName: String?

    init(_ context: TLSContext) throws(TransportSecurityError) {
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(context.handle.pointer) else {
            throw TransportSecurityError.last(.resources)
        }
        unsafe self.ssl = ssl
        unsafe io = UnsafeMutablePointer<rocket_tls_io>.allocate(capacity: 1)
        unsafe io.initialize(to: rocket_tls_io())
        if unsafe rocket_tls_set_io(ssl, io) != 1 { throw TransportSecurityError.last(.resources) }
    }

    deinit {
        // Otherwise OpenSSL regards the session as broken, and its ticket as used up.
        if unsafe SSL_is_init_finished(ssl) == 1 { unsafe rocket_tls_set_shut_down(ssl) }
        unsafe SSL_free(ssl)
        unsafe X509_free(io.pointee.refused)
        unsafe io.deallocate()
    }
}
