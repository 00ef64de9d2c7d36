import RocketBase
import RocketRPC
import SwiftProtobuf
import Synchronization

/// The pairs, and the streams that watch them. Any thread.
final class StoredPairs: Sendable {
    static let maxKeyBytes = 128
    static let maxValueBytes = 4096
    /// A further key is refused with RESOURCE_EXHAUSTED.
    static let maxPairs = 100_000

    private let pairs = Mutex<[String: Keyvalue_Pair]>([:])
    // docs: feed
    /// What `Watch` sends. A stream for which more than 1024 pairs wait ends: its client begins
    /// again, and gets all pairs as they are then.
    private let changes = RPCBroadcast(
        for: Keyvalue_StoreMethods.watch, slowReaders: .disconnect(above: 1024))
    // docs: end

    /// Stores a value.
    ///
    /// - Parameter version: the version that is replaced; nil: any.
    func put(_ key: String, _ value: String, replacing version: Int64?) throws -> Keyvalue_Pair {
        try Self.check(key)
        guard value.utf8.count <= Self.maxValueBytes else {
            throw RPCError(.invalidArgument, "the value has more than \(Self.maxValueBytes) bytes")
        }
        return try pairs.withLock { pairs in
            var pair = pairs[key] ?? .with { $0.key = key }
            // docs: detail
            if let version, version != pair.version {
                let conflict = Keyvalue_Conflict.with { $0.current = pair }
                throw RPCError(
                    .aborted, "the version of '\(key)' is \(pair.version)",
                    details: [try RPCErrorDetail(conflict)])
            }
            // docs: end
            guard pair.version > 0 || pairs.count < Self.maxPairs else {
                throw RPCError(.resourceExhausted, "there are \(Self.maxPairs) pairs")
            }
            pair.value = value
            pair.version += 1
            pairs[key] = pair
            // Under the lock: watchers see versions in their order. It does not wait.
            try changes.send(pair)
            return pair
        }
    }

    /// Returns the pair of a key; nil if it has no value.
    func get(_ key: String) throws -> Keyvalue_Pair? {
        try Self.check(key)
        return pairs.withLock { $0[key] }
    }

    // docs: subscribe
    /// Returns all pairs, and what is stored from then on: nothing is missing between them.
    func watch(
        _ responses: RPCWriter<Keyvalue_Pair>
    ) throws -> (pairs: [Keyvalue_Pair], changes: RPCBroadcast<Keyvalue_Pair>.Subscription) {
        try pairs.withLock { pairs in
            (pairs.values.sorted { $0.key < $1.key }, try changes.subscribe(responses))
        }
    }
    // docs: end

    /// Ends all watching streams, so that a drain does not wait for them.
    func endWatching() {
        changes.finish(throwing: RPCError(.unavailable, "the server is draining"))
    }

    private static func check(_ key: String) throws {
        guard (1...maxKeyBytes).contains(key.utf8.count) else {
            throw RPCError(.invalidArgument, "a key has 1 to \(maxKeyBytes) bytes")
        }
    }
}
