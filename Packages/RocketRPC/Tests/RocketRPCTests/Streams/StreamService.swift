import Foundation
import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Synchronization

/// A service with methods of all kinds of streams.
struct StreamService: RPCService {
    static var serviceName: String { "test.v1.Streams" }

    /// Adds up numbers.
    static let sum = RPCMethod<Number, Number>(
        service: serviceName, name: "sum", kind: .clientStreaming)
    /// Counts from 1 up to a number.
    static let count = RPCMethod<Number, Number>(
        service: serviceName, name: "count", kind: .serverStreaming)
    /// Returns each message.
    static let echo = RPCMethod<Bytes, Bytes>(
        service: serviceName, name: "echo", kind: .bidirectionalStreaming)
    /// Reads nothing until the gate opens, then reads everything and returns the bytes it read.
    static let hold = RPCMethod<Bytes, Number>(
        service: serviceName, name: "hold", kind: .clientStreaming)
    /// Writes messages of that many bytes until it can't.
    static let flood = RPCMethod<Number, Bytes>(
        service: serviceName, name: "flood", kind: .serverStreaming)
    /// Writes two messages, then throws.
    static let failing = RPCMethod<Text, Text>(
        service: serviceName, name: "failing", kind: .serverStreaming)
    /// Returns at once, without reading.
    static let early = RPCMethod<Number, Text>(
        service: serviceName, name: "early", kind: .clientStreaming)
    /// Waits for a message that never comes.
    static let deaf = RPCMethod<Text, Text>(
        service: serviceName, name: "deaf", kind: .bidirectionalStreaming)

    let gate = Gate()
    /// How many messages `flood` has written.
    let written = Counter()
    /// How many calls of `deaf` have begun.
    let begun = Counter()
    /// The errors that handlers have seen.
    let seen = Seen()

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(clientStreaming: Self.sum) { numbers, call in
            var sum: Int64 = 0
            for try await number in numbers { sum += number.value }
            return Number(sum)
        }
        try registry.add(serverStreaming: Self.count) { request, responses, call in
            call.replyMetadata["x-first"] = "headers"
            for number in 0..<max(0, request.value) {
                try await responses.write(Number(number + 1))
            }
        }
        try registry.add(bidirectional: Self.echo) { requests, responses, _ in
            for try await request in requests { try await responses.write(request) }
        }
        try registry.add(clientStreaming: Self.hold) { requests, _ in
            await gate.wait()
            var bytes = 0
            for try await request in requests { bytes += request.value.count }
            return Number(Int64(bytes))
        }
        try registry.add(serverStreaming: Self.flood) { request, responses, _ in
            do {
                while true {
                    try await responses.write(Bytes(Data(count: Int(request.value))))
                    written.add()
                }
            } catch {
                seen.add("\(error)")
                throw error
            }
        }
        try registry.add(serverStreaming: Self.failing) { request, responses, _ in
            try await responses.write(request)
            try await responses.write(request)
            if request.value == "business" { throw BusinessError(7, "no") }
            throw RPCError(.permissionDenied, "not you")
        }
        try registry.add(clientStreaming: Self.early) { _, _ in Text("enough") }
        try registry.add(bidirectional: Self.deaf) { requests, _, call in
            begun.add()
            do {
                for try await _ in requests {}
            } catch {
                seen.add("\((error as? RPCError)?.code.name ?? "") \(call.isCancelled)")
                throw error
            }
        }
    }
}

/// A number that tasks wait for.
final class Counter: Sendable {
    private let value = Atomic(0)

    func add() { value.add(1, ordering: .relaxed) }

    var count: Int { value.load(ordering: .relaxed) }

    /// Waits until the number has stayed the same for some turns of the pool.
    func settled() async -> Int {
        var (last, same) = (-1, 0)
        while same < 200 {
            let now = count
            same = now == last ? same + 1 : 0
            last = now
            await Task.yield()
        }
        return last
    }
}

/// Texts, and tasks that wait for the first one.
final class Seen: Sendable {
    private let texts = Locked<[String]>([])
    private let gate = Gate()

    func add(_ text: String) {
        texts.withLock { $0.append(text) }
        gate.open()
    }

    /// Waits for the first text.
    var first: String {
        get async {
            await gate.wait()
            return texts.withLock { $0.first ?? "" }
        }
    }
}
