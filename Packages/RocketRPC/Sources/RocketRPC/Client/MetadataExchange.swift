import RocketBase
import RocketCodec

/// What a connection knows of the metadata that its peer takes: 511 bytes, until the peer has
/// announced more in a reply (docs/wire-format.md, "Metadata"). Calls that need more before that are
/// parked, and sent when the peer has answered a small call, the probe. A value.
struct MetadataExchange {
    /// Every server of this project has this method, unless it is turned off; one that does not
    /// know it answers with an error.
    static let methodNameBytes = [UInt8]("rocket.Health.check".utf8)

    /// The longest block that the peer takes, in bytes.
    private(set) var limitBytes: Int
    /// Whether the peer has announced it.
    private var isAnnounced: Bool
    /// Whether the probe was answered, and nothing announced. A later reply may still do that.
    private var isConcluded = false
    /// Whether the last call that was refused for its metadata may be sent once more is known.
    private var isWanted = false
    private var probe: CallID?
    /// Where the probe ends in the output.
    private(set) var probeEnd: UInt64 = 0
    private(set) var isProbeAnswered = false
    /// The error that the probe was answered with, where it tells nothing of the limit.
    private var probeFailure: RPCError?
    private var parked: [CallID] = []

    /// - Parameter isKnown: whether the peer is known to take the most.
    init(isKnown: Bool) {
        isAnnounced = isKnown
        limitBytes = isKnown ? MetadataBlock.announcedLimitBytes : MetadataBlock.defaultLimitBytes
    }

    /// Whether the limit is all that the peer takes, as far as it has told.
    var isKnown: Bool { isAnnounced || isConcluded }
    var hasParked: Bool { !parked.isEmpty }
    var isProbing: Bool { probe != nil }

    /// Records that a call needs a block of so many bytes, more than the limit.
    mutating func needs(_ byteCount: Int) {
        isWanted = !isKnown && byteCount <= MetadataBlock.announcedLimitBytes
    }

    /// Parks the call that was refused last, if its metadata may be within the peer's limit.
    mutating func parks(_ id: CallID) -> Bool {
        if !isWanted { return false }
        isWanted = false
        parked.append(id)
        return true
    }

    /// The call that was refused last is not to be parked.
    mutating func dropRefused() { isWanted = false }

    /// The parked calls; none is parked afterwards.
    mutating func takeParked() -> [CallID] {
        defer { parked = [] }
        return parked
    }

    /// Removes parked calls that have ended.
    mutating func removeParked(where isOver: (CallID) -> Bool) { parked.removeAll(where: isOver) }

    var parkedCount: Int { parked.count }

    mutating func probeSent(_ id: CallID, end: UInt64) {
        probe = id
        isProbeAnswered = false
        probeEnd = end
    }

    /// Reads the err_info of a reply without an error.
    mutating func observe(_ info: RawSpan) {
        guard !isAnnounced, let limit = MetadataBlock.announcedLimit(info) else { return }
        limitBytes = limit
        isAnnounced = true
    }

    /// Whether a reply with that id answers the probe.
    ///
    /// - Parameter error: that of the reply. A server without the method knows no limit; any other
    ///   error tells nothing of the limit.
    mutating func answersProbe(_ id: RawSpan, _ error: @autoclosure () -> RPCError?) -> Bool {
        guard let probe, probe.matches(id) else { return false }
        isProbeAnswered = true
        let error = error()
        switch error?.code {
        case .serviceNotFound, .methodNotFound, .parseServiceName, .unimplemented:
            probeFailure = nil
        default: probeFailure = error
        }
        return true
    }

    /// The peer has answered without announcing a limit.
    ///
    /// - Returns: why that tells nothing of the limit, and the next call sends a probe again.
    mutating func conclude() -> RPCError? {
        guard let cause = probeFailure else {
            isConcluded = true
            return nil
        }
        probe = nil
        isProbeAnswered = false
        probeFailure = nil
        return RPCError(
            cause.code, "the server did not tell whether it takes the call's metadata", cause: cause
        )
    }
}
