/// The use of the check_sum field of TinyPB frames (docs/wire-format.md).
public enum ChecksumPolicy: String, CaseIterable, Hashable, Sendable {
    /// Frames are marked as not checked, and the field of received ones is ignored, as by C++
    /// peers.
    case off
    /// CRC32C is sent; received frames are verified if they have one.
    case send
    /// CRC32C is sent; received frames without one are rejected.
    case require

    static let type = ConfigType.choice(of: Array(allCases)) { $0.rawValue }
}

/// Whether a server serves gRPC beside TinyPB.
public enum GRPCPolicy: String, CaseIterable, Hashable, Sendable {
    /// If the program contains RocketGRPC.
    case auto
    /// In each case: a program without RocketGRPC does not start.
    case on
    /// Not at all.
    case off

    static let type = ConfigType.choice(of: Array(allCases)) { $0.rawValue }
}

/// The wire of a channel.
public enum WireKind: String, CaseIterable, Hashable, Sendable {
    /// TinyPB.
    case tinyPB = "tinypb"
    /// gRPC, on HTTP/2.
    case grpc

    static let type = ConfigType.choice(of: Array(allCases)) { $0.rawValue }
}
