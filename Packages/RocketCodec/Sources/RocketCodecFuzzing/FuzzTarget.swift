import RocketCodec

/// Checks of the codecs for arbitrary bytes, run by libFuzzer (Fuzz/) and by the corpus test. Can be
/// used on any thread.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case tinyPB = "decode-TinyPB"
    case lengthField = "decode-length-field"
    case metadata = "decode-metadata"
    case errorStatus = "decode-error-status"
    case roundTrip = "decode-encode-decode"

    /// Runs the check once.
    ///
    /// - Throws: `FuzzFinding` if the codec breaks its contract. A trap is a finding, too.
    public func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        switch self {
        case .tinyPB: try Self.decodeTinyPB(bytes)
        case .lengthField: try Self.decodeLengthField(bytes)
        case .metadata: try Self.decodeMetadata(bytes)
        case .errorStatus: try Self.decodeErrorStatus(bytes)
        case .roundTrip: try Self.decodeEncodeDecode(bytes)
        }
    }

    /// Runs the check for libFuzzer: traps with the text of a finding.
    public func run(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        // SAFETY: libFuzzer passes `count` readable bytes.
        let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
        do {
            try run(bytes)
        } catch {
            preconditionFailure("\(rawValue): \(error)")
        }
    }
}

/// A violation of a codec's contract.
public struct FuzzFinding: Error, CustomStringConvertible {
    /// Description of the violation.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Throws a finding unless `condition` holds.
func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws(FuzzFinding) {
    if !condition { throw FuzzFinding(rule()) }
}
