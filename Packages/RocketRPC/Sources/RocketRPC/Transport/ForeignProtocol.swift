import RocketBase
import RocketCodec

/// Which protocol a peer speaks that sends no TinyPB from its first byte on, for a hint in the log or
/// in an error. A guess: what the bytes begin with. A value.
enum ForeignProtocol {
    /// A client or a server of TLS.
    case tls
    /// A client of HTTP/2, such as one of gRPC (its preface), or a server of it (its SETTINGS).
    case http2
    /// A client or a server of HTTP/1.
    case http1

    /// Recognizes a protocol by the beginning of what a client sends.
    ///
    /// - Parameter error: what is wrong with these bytes as a frame.
    init?(ofClient bytes: RawSpan, _ error: FrameError) {
        guard error.rule == .startMarker, error.offset == 0 else { return nil }
        let bytes = Self.beginning(of: bytes)
        if bytes.starts(with: [0x16, 0x03]) || bytes == [0x16] {
            self = .tls
        } else if bytes.begins("PRI * HTTP/2") {
            self = .http2
        } else if Self.methods.contains(where: { bytes.begins($0) }) {
            self = .http1
        } else {
            return nil
        }
    }

    /// Recognizes a protocol by the beginning of what a server sends.
    ///
    /// - Parameter error: what is wrong with these bytes as a frame.
    init?(ofServer bytes: RawSpan, _ error: FrameError) {
        guard error.rule == .startMarker, error.offset == 0 else { return nil }
        let bytes = Self.beginning(of: bytes)
        if bytes.starts(with: [0x15, 0x03]) {
            self = .tls
        } else if bytes.isHTTP2Settings {
            self = .http2
        } else if bytes.begins("HTTP/1.") {
            self = .http1
        } else {
            return nil
        }
    }

    private static func beginning(of bytes: RawSpan) -> [UInt8] {
        bytes.extracting(0..<Swift.min(bytes.byteCount, 16)).copied
    }

    private static let methods: [StaticString] = [
        "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ",
    ]

    /// What a server without this protocol logs, for who runs it.
    var clientHint: String {
        switch self {
        case .tls:
            "the peer speaks TLS, and this listener is plaintext: set server/tls, or turn TLS off in the client"
        case .http2:
            "the peer speaks HTTP/2 (gRPC), and this server speaks only TinyPB: give the server "
                + "protocols: [.grpc()] of RocketGRPC, and set server/grpc to auto or on"
        case .http1:
            "the peer speaks HTTP/1, and this address does not: calls as JSON need HTTP/2 here (curl "
                + "--http2-prior-knowledge), or a listener for HTTP/1.1 (server/http)"
        }
    }

    /// What a channel's error says, for who uses it.
    var serverHint: String {
        switch self {
        case .tls: "the server seems to speak TLS: use TLS in the channel (<tls> of the stub)"
        case .http2:
            "the server seems to speak HTTP/2 and not TinyPB: use protocol .grpc() of RocketGRPC "
                + "(<protocol>grpc</protocol> of the stub)"
        case .http1: "the server seems to speak HTTP/1 and not TinyPB"
        }
    }
}

extension [UInt8] {
    /// Whether these are the first bytes; false if there are fewer.
    fileprivate func begins(_ text: StaticString) -> Bool {
        starts(with: "\(text)".utf8)
    }

    /// Whether the bytes begin with the head of the frame that each server of HTTP/2 sends first:
    /// SETTINGS of a few entries, without flags, on stream 0.
    fileprivate var isHTTP2Settings: Bool {
        if count < 9 { return false }
        let length = Int(self[1]) << 8 | Int(self[2])
        return self[0] == 0 && length % 6 == 0 && self[3] == 4 && self[4..<9].allSatisfy { $0 == 0 }
    }
}
