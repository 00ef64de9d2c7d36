public import RocketHTTP2

/// A frame as it is on the wire (RFC 9113, 4.1), right or wrong, for tests that speak HTTP/2 by hand.
public struct RawFrame: Hashable, Sendable {
    /// The type on the wire.
    public var type: UInt8
    /// The flags on the wire.
    public var flags: UInt8
    /// The stream; 0: the connection.
    public var stream: UInt32
    /// What follows the header.
    public var payload: [UInt8]
    /// The length in the header, if it is not that of the payload.
    public var length: Int?

    /// Makes a frame.
    public init(
        type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, payload: [UInt8] = [], length: Int? = nil
    ) {
        self.type = type
        self.flags = flags
        self.stream = stream
        self.payload = payload
        self.length = length
    }

    /// END_STREAM, and ACK of SETTINGS and PING.
    public static let endStream: UInt8 = 1, ack: UInt8 = 1
    /// END_HEADERS.
    public static let endHeaders: UInt8 = 4
    /// PADDED.
    public static let padded: UInt8 = 8
    /// PRIORITY, of HEADERS.
    public static let priority: UInt8 = 0x20

    /// The bytes on the wire.
    public var bytes: [UInt8] {
        let length = length ?? payload.count
        return bigEndian(UInt32(length))[1...] + [type, flags] + bigEndian(stream) + payload
    }

    /// Reads all frames of bytes; what is left of an incomplete one is a frame with its `length`.
    public static func read(_ bytes: [UInt8]) -> [RawFrame] {
        var rest = bytes[...]
        var frames: [RawFrame] = []
        while rest.count >= 9 {
            let header = Array(rest.prefix(9))
            rest = rest.dropFirst(9)
            let length = header[..<3].reduce(0) { $0 << 8 | Int($1) }
            let stream = header[5...].reduce(0) { $0 << 8 | UInt32($1) }
            let payload = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            frames.append(
                RawFrame(
                    type: header[3], flags: header[4], stream: stream, payload: payload,
                    length: payload.count < length ? length : nil))
        }
        return frames
    }

    /// The error of RST_STREAM or GOAWAY; nil: another type.
    public var code: HTTP2ErrorCode? {
        let start = type == 3 ? 0 : 4
        guard type == 3 || type == 7, payload.count >= start + 4 else { return nil }
        return HTTP2ErrorCode(
            rawValue: payload[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// The text of GOAWAY.
    public var text: String { String(decoding: payload.dropFirst(8), as: UTF8.self) }
}

/// The bytes of an integer, the highest first.
public func bigEndian<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
    (0..<MemoryLayout<Integer>.size).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

extension RawFrame {
    /// DATA.
    public static func data(
        _ stream: UInt32, _ bytes: [UInt8], ends: Bool = false
    ) -> RawFrame {
        RawFrame(type: 0, flags: ends ? endStream : 0, stream: stream, payload: bytes)
    }

    /// HEADERS with END_HEADERS.
    public static func headers(_ stream: UInt32, _ block: [UInt8], ends: Bool = true) -> RawFrame {
        RawFrame(
            type: 1, flags: endHeaders | (ends ? endStream : 0), stream: stream, payload: block)
    }

    /// PRIORITY.
    public static func priority(_ stream: UInt32, dependsOn other: UInt32 = 0) -> RawFrame {
        RawFrame(type: 2, stream: stream, payload: bigEndian(other) + [15])
    }

    /// RST_STREAM.
    public static func reset(_ stream: UInt32, _ code: HTTP2ErrorCode = .cancel) -> RawFrame {
        RawFrame(type: 3, stream: stream, payload: bigEndian(code.rawValue))
    }

    /// SETTINGS.
    public static func settings(_ entries: [(UInt16, UInt32)] = []) -> RawFrame {
        RawFrame(type: 4, payload: entries.flatMap { bigEndian($0.0) + bigEndian($0.1) })
    }

    /// The acknowledgement of SETTINGS.
    public static let settingsAcknowledged = RawFrame(type: 4, flags: ack)

    /// PING.
    public static func ping(_ payload: UInt64 = 0, isAnswer: Bool = false) -> RawFrame {
        RawFrame(type: 6, flags: isAnswer ? ack : 0, payload: bigEndian(payload))
    }

    /// GOAWAY.
    public static func goAway(_ last: UInt32, _ code: HTTP2ErrorCode = .noError) -> RawFrame {
        RawFrame(type: 7, payload: bigEndian(last) + bigEndian(code.rawValue))
    }

    /// WINDOW_UPDATE.
    public static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> RawFrame {
        RawFrame(type: 8, stream: stream, payload: bigEndian(increment))
    }

    /// CONTINUATION.
    public static func continuation(
        _ stream: UInt32, _ block: [UInt8], ends: Bool = true
    ) -> RawFrame {
        RawFrame(type: 9, flags: ends ? endHeaders : 0, stream: stream, payload: block)
    }
}

/// A field of a list of headers as HPACK's literal without compression (RFC 7541, 6.2.2).
public func literal(_ name: String, _ value: String) -> [UInt8] {
    [0] + hpackString(name) + hpackString(value)
}

private func hpackString(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    if bytes.count < 127 { return [UInt8(bytes.count)] + bytes }
    var rest = bytes.count - 127
    var count: [UInt8] = [127]
    while rest >= 128 {
        count.append(UInt8(rest & 127) | 128)
        rest >>= 7
    }
    return count + [UInt8(rest)] + bytes
}

/// The headers of a request by gRPC, without compression.
public func requestBlock(_ more: [(String, String)] = [], path: String = "/p.S/M") -> [UInt8] {
    let fields =
        [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
        + more
    return fields.flatMap { literal($0.0, $0.1) }
}
