import RocketCodec

/// What is tried on any bytes, by libFuzzer (Fuzz/) and by the corpus test. Any thread.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case tinyPB = "decode-TinyPB"
    case lengthField = "decode-length-field"
    case metadata = "decode-metadata"
    case roundTrip = "decode-encode-decode"

    /// Runs the target once.
    ///
    /// - Throws: `FuzzFinding` where the codec's answer breaks its contract. A trap is one too.
    public func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        switch self {
        case .tinyPB: try Self.decodeTinyPB(bytes)
        case .lengthField: try Self.decodeLengthField(bytes)
        case .metadata: try Self.decodeMetadata(bytes)
        case .roundTrip: try Self.decodeEncodeDecode(bytes)
        }
    }

    /// libFuzzer's view of `run`: a finding traps with its text.
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

/// What a codec did against its contract.
public struct FuzzFinding: Error, CustomStringConvertible {
    /// The broken rule, in a sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws(FuzzFinding) {
    if !condition { throw FuzzFinding(rule()) }
}
