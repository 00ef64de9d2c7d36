import CAllocationCount
import RocketRPC
import SwiftProtobuf

/// Heap allocations of the channel's thread per call: the caller's task, the channel and the
/// messages' decoding and encoding all run there.
func allocationsPerCall(over channel: RPCChannel) async throws -> Double {
    try await withTaskExecutorPreference(channel.loop) {
        let calls = 20_000
        let request = Number(7)
        for _ in 0..<calls { _ = try await channel.call(CostService.echo, request) }
        let before = allocation_count()
        for _ in 0..<calls { _ = try await channel.call(CostService.echo, request) }
        return Double(allocation_count() - before) / Double(calls)
    }
}
