/// A code of RST_STREAM and GOAWAY (RFC 9113, 7).
public struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32

    /// Makes a code, which may be one that RFC 9113 does not know.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No error: a drain, or a request whose rest is not needed.
    public static let noError = HTTP2ErrorCode(rawValue: 0)
    /// The peer broke a rule that has no code of its own.
    public static let protocolError = HTTP2ErrorCode(rawValue: 1)
    /// A failure of the side that sends the code.
    public static let internalError = HTTP2ErrorCode(rawValue: 2)
    /// The peer sent more than flow control allows.
    public static let flowControlError = HTTP2ErrorCode(rawValue: 3)
    /// SETTINGS were not acknowledged in time.
    public static let settingsTimeout = HTTP2ErrorCode(rawValue: 4)
    /// A frame for a stream whose bytes had ended.
    public static let streamClosed = HTTP2ErrorCode(rawValue: 5)
    /// A frame of a length that is not allowed.
    public static let frameSizeError = HTTP2ErrorCode(rawValue: 6)
    /// The stream has not been processed; the request may be sent again.
    public static let refusedStream = HTTP2ErrorCode(rawValue: 7)
    /// The stream is not needed any more.
    public static let cancel = HTTP2ErrorCode(rawValue: 8)
    /// The state of the compression of headers is lost.
    public static let compressionError = HTTP2ErrorCode(rawValue: 9)
    /// A tunnel's connection failed.
    public static let connectError = HTTP2ErrorCode(rawValue: 10)
    /// The peer does something too often.
    public static let enhanceYourCalm = HTTP2ErrorCode(rawValue: 11)
    /// The transport is not secure enough.
    public static let inadequateSecurity = HTTP2ErrorCode(rawValue: 12)
    /// The peer wants HTTP/1.1.
    public static let http11Required = HTTP2ErrorCode(rawValue: 13)
}

extension HTTP2ErrorCode: CustomStringConvertible {
    private static let names = [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
        "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
        "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ]

    /// The name in RFC 9113, or the number.
    public var description: String {
        rawValue < UInt32(Self.names.count) ? Self.names[Int(rawValue)] : "error \(rawValue)"
    }
}

/// What a peer did too often, so that its connection ended with ENHANCE_YOUR_CALM.
public enum HTTP2Flood: String, Sendable {
    /// It reset streams (CVE-2023-44487): `HTTP2Configuration.peerResets`.
    case resets
    /// It made this side reset streams (CVE-2025-8671): `provokedResets`.
    case provokedResets = "provoked resets"
    /// Frames that carry nothing, as PING and empty DATA: `controlFrames`.
    case controlFrames = "control frames"
    /// It changed its settings: `settingsFrames`.
    case settings
    /// CONTINUATION frames of one list of headers (CVE-2024-28182): `continuationFrames`.
    case continuations
    /// A list of headers that is far above `headerListBytes` when it is decoded.
    case headers
    /// Answers to it that it does not read: `unsentAnswers`.
    case unreadAnswers = "unread answers"
}

/// Why a session has failed, or why a request was refused.
public enum HTTP2Error: Error, Equatable, Sendable {
    /// The peer broke a rule of RFC 9113; the connection ends with this code.
    case connection(HTTP2ErrorCode, String)
    /// The peer did something too often; the connection ends with ENHANCE_YOUR_CALM.
    case flood(HTTP2Flood)
    /// A request was refused: the connection is ending, or has no numbers for streams left.
    case goingAway
    /// A request was refused: `queuedRequests` wait already.
    case tooManyRequests
    /// There is no memory; the connection ends.
    case outOfMemory

    /// The code that the peer is sent.
    public var code: HTTP2ErrorCode {
        switch self {
        case .connection(let code, _): code
        case .flood: .enhanceYourCalm
        case .goingAway, .tooManyRequests: .refusedStream
        case .outOfMemory: .internalError
        }
    }
}

extension HTTP2Error: CustomStringConvertible {
    /// One line for a log.
    public var description: String {
        switch self {
        case .connection(let code, let text): text.isEmpty ? "\(code)" : "\(code): \(text)"
        case .flood(let flood): "\(code): too many \(flood.rawValue)"
        case .goingAway: "the connection takes no more requests"
        case .tooManyRequests: "too many requests wait for the connection"
        case .outOfMemory: "out of memory"
        }
    }
}
