import RocketBase

/// What is measured of the current call of a responder. Times are those of the loop's clock in
/// nanoseconds. A value.
struct MeasuredCall {
    /// Whether the call has begun and not ended, and is recorded.
    var isOpen = false
    /// Whether its handler may suspend, so that it counts as in flight.
    var isAwaited = false
    /// Whether it was chosen at its beginning to be kept.
    var isSampled = false
    /// Its slot in the flight recorder, if there is one; negative: it has none.
    var flightSlot = -1
    /// When it was read, and when it was its turn.
    var readAt: UInt64 = 0
    var beganAt: UInt64 = 0
    // The ends of its stages; 0: not measured.
    var decodedAt: UInt64 = 0
    var handledAt: UInt64 = 0
    var hasRoomAt: UInt64 = 0

    /// What ends before the call does.
    enum Stage { case decoding, handler, outputWait }

    /// Only the first end of a stage counts.
    mutating func ended(_ stage: Stage, at now: UInt64) {
        switch stage {
        case .decoding: if decodedAt == 0 { decodedAt = now }
        case .handler: if handledAt == 0 { handledAt = now }
        case .outputWait: if hasRoomAt == 0 { hasRoomAt = now }
        }
    }

    mutating func forgetStages() { (decodedAt, handledAt, hasRoomAt) = (0, 0, 0) }
}

/// A call that was kept: what a loop stores of it, as it is cheapest. A value.
struct KeptCall {
    var endedAt: UInt64
    var method: _MethodEntry?
    var peers: ConnectionPeers
    var connection: UInt64
    var wire: String
    var code: RPCErrorCode
    var reason: RPCServerSnapshot.SampledCall.Reason
    var measured: MeasuredCall
    var flushedAt: UInt64 = 0
    var requestBytes = 0
    var responseBytes = 0
    var traceID: String?
}

/// Reads the id of a trace out of a W3C `traceparent`, such as
/// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
enum TraceParent {
    /// Returns the 32 hexadecimal digits; nil if the text is not of that form, or the id is zero.
    static func traceID(_ text: String) -> String? {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), maxSplits: 3)
        guard parts.count == 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16,
            parts[1].allSatisfy(isHexadecimal), parts[1].contains(where: { $0 != 0x30 })
        else { return nil }
        return String(parts[1])
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte >= 0x61 && byte <= 0x66
    }
}
