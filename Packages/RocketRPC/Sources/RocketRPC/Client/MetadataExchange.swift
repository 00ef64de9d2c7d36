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
    /// Whether that is all that the peer takes.
    private(set) var isKnown: Bool
    /// Whether the last call that was refused for its metadata may be sent once more is known.
    private var isWanted = false
    private var probe: CallID?
    /// Where the probe ends in the output.
    private(set) var probeEnd: UInt64 = 0
    private(set) var isProbeAnswered = false
    private var parked: [CallID] = []

    /// - Parameter isKnown: whether the peer is known to take the most.
    init(isKnown: Bool) {
        self.isKnown = isKnown
        limitBytes = isKnown ? MetadataBlock.announcedLimitBytes : MetadataBlock.defaultLimitBytes
    }

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
        probeEnd = end
    }

    /// Reads the err_info of a reply without an error.
    mutating func observe(_ info: RawSpan) {
        guard !isKnown, let limit = MetadataBlock.announcedLimit(info) else { return }
        limitBytes = limit
        isKnown = true
    }

    /// Whether a reply with that id answers the probe.
    mutating func answersProbe(_ id: RawSpan) -> Bool {
        guard let probe, probe.matches(id) else { return false }
        isProbeAnswered = true
        return true
    }

    /// The peer has answered without announcing a limit.
    mutating func conclude() { isKnown = true }
}
