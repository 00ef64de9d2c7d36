import SwiftProtobuf

/// gRPC's binary log as a file: entries (grpc/binlog/v1/binarylog.proto), each behind its size as four
/// bytes, the highest first, as grpc-go's sinks write them.
public enum BinaryLog {
    /// The largest entry that is read: 80 MiB.
    public static let maxEntryBytes = 80 << 20

    /// Appends an entry.
    public static func append(
        _ entry: Grpc_Binarylog_V1_GrpcLogEntry, to bytes: inout [UInt8]
    ) {
        // Fails for required fields that are missing only, of which there are none.
        guard let encoded: [UInt8] = try? entry.serializedBytes() else { return }
        let count = UInt32(truncatingIfNeeded: encoded.count)
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
        bytes += encoded
    }
}

/// Reads the entries of a binary log. A value.
public struct BinaryLogReader: Sendable {
    private let bytes: [UInt8]
    /// Where the next entry begins.
    public private(set) var offset = 0
    /// Set at the end: whether the last entry is incomplete; `offset` is where it begins.
    public private(set) var isTruncated = false

    /// - Parameter bytes: of a whole file.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the next entry; nil: there are no more.
    ///
    /// - Throws: `BinaryLogError` for what is no binary log.
    public mutating func next() throws(BinaryLogError) -> Grpc_Binarylog_V1_GrpcLogEntry? {
        let rest = bytes.count - offset
        if rest == 0 { return nil }
        guard rest >= 4 else { return end() }
        let count = bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
        guard count > 0, count <= BinaryLog.maxEntryBytes else {
            throw BinaryLogError(
                offset: offset, reason: "an entry can't have \(count) bytes")
        }
        guard rest - 4 >= count else { return end() }
        let body = bytes[(offset + 4)..<(offset + 4 + count)]
        guard let entry = try? Grpc_Binarylog_V1_GrpcLogEntry(serializedBytes: Array(body)) else {
            throw BinaryLogError(offset: offset, reason: "there is no GrpcLogEntry")
        }
        // The number of no entry is zero; other messages rarely have these fields.
        guard entry.callID != 0, entry.type != .unknown else {
            throw BinaryLogError(
                offset: offset, reason: "the entry has no call_id or no type")
        }
        offset += 4 + count
        return entry
    }

    private mutating func end() -> Grpc_Binarylog_V1_GrpcLogEntry? {
        isTruncated = true
        return nil
    }
}

/// Where a file is no binary log.
public struct BinaryLogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In bytes, from the beginning of the file.
    public let offset: Int
    let reason: String

    /// The place and the reason.
    public var description: String {
        "no binary log of gRPC at byte \(offset): \(reason)"
    }
}
