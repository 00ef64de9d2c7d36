import FoundationEssentials
import RocketRPC
import SwiftProtobuf

/// The streams of the benchmark's server. Its handlers do as little as those of the reference
/// servers in C++.
final class BenchStreams: BenchStreamsService {
    nonisolated(nonsending) func send(
        _ requests: RPCMessageStream<BenchMessage>, _ call: RPCController
    ) async throws -> BenchTotal {
        var total = BenchTotal()
        for try await request in requests {
            total.messages += 1
            total.bytes += UInt64(request.body.count)
        }
        return total
    }

    nonisolated(nonsending) func receive(
        _ request: BenchFlood, _ responses: RPCWriter<BenchMessage>, _ call: RPCController
    ) async throws {
        let message = BenchMessage.ofBytes(Int(request.bytes))
        var sent: UInt64 = 0
        while request.messages == 0 || sent < request.messages {
            try await responses.write(message)
            sent += 1
        }
    }

    nonisolated(nonsending) func echo(
        _ requests: RPCMessageStream<BenchMessage>, _ responses: RPCWriter<BenchMessage>,
        _ call: RPCController
    ) async throws {
        for try await request in requests { try await responses.write(request) }
    }
}

extension BenchMessage {
    /// A message with a body of so many bytes.
    static func ofBytes(_ count: Int) -> BenchMessage {
        .with { $0.body = Data(repeating: UInt8(ascii: "a"), count: count) }
    }
}
