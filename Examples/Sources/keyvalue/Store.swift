import RocketBase
import RocketRPC
import SwiftProtobuf

/// The service `keyvalue.Store`.
struct Store: Keyvalue_StoreService {
    let pairs = StoredPairs()

    func put(_ request: Keyvalue_PutRequest, _ call: RPCController) async throws -> Keyvalue_Pair {
        try pairs.put(
            request.key, request.value,
            replacing: request.hasReplaces ? request.replaces : nil)
    }

    // docs: get
    func get(_ request: Keyvalue_Key, _ call: RPCController) async throws -> Keyvalue_Pair {
        guard let pair = try pairs.get(request.key) else {
            throw RPCError(.notFound, "no value has the key '\(request.key)'")
        }
        return pair
    }
    // docs: end

    // docs: load
    func load(
        _ requests: RPCMessageStream<Keyvalue_Pair>, _ call: RPCController
    ) async throws -> Keyvalue_LoadSummary {
        var summary = Keyvalue_LoadSummary()
        for try await pair in requests {
            _ = try pairs.put(pair.key, pair.value, replacing: nil)
            summary.pairs += 1
        }
        return summary
    }
    // docs: end

    // docs: watch
    func watch(
        _ request: Keyvalue_WatchRequest, _ responses: RPCWriter<Keyvalue_Pair>,
        _ call: RPCController
    ) async throws {
        let (stored, changes) = try pairs.watch(responses)
        for pair in stored { try await responses.write(pair) }
        // Returns at the end of the call.
        try await changes.send()
    }
    // docs: end

    // docs: query
    func query(
        _ requests: RPCMessageStream<Keyvalue_Key>, _ responses: RPCWriter<Keyvalue_Pair>,
        _ call: RPCController
    ) async throws {
        for try await key in requests {
            // Waits while the client does not read.
            try await responses.write(pairs.get(key.key) ?? .with { $0.key = key.key })
        }
    }
    // docs: end

    // docs: drain
    func serverDrains() { pairs.endWatching() }
    // docs: end
}
