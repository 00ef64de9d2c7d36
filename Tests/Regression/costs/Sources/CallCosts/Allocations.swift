import CAllocationCount
import RocketRPC
import RocketReactor
import SwiftProtobuf

/// Returns the heap allocations per call on the thread of the channel, which runs the task of the
/// caller, the channel, and the decoding and encoding of messages.
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
