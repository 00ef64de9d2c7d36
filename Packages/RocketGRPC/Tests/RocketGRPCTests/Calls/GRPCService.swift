import Foundation
import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import SwiftProtobuf

/// A service with methods of all kinds.
struct GRPCService: RPCService {
    static var serviceName: String { "test.v1.Calls" }

    static let echo = RPCMethod<Text, Text>(service: serviceName, name: "echo")
    /// The same, from a synchronous handler.
    static let now = RPCMethod<Text, Text>(service: serviceName, name: "now")
    /// Returns the bytes.
    static let bytes = RPCMethod<Bytes, Bytes>(service: serviceName, name: "bytes")
    /// Fails with the code of that number.
    static let fail = RPCMethod<Number, Text>(service: serviceName, name: "fail")
    /// Returns the metadata that it was sent, as `key=value` lines, and sets some itself.
    static let metadata = RPCMethod<Text, Text>(service: serviceName, name: "metadata")
    /// Waits until it is cancelled.
    static let wait = RPCMethod<Text, Text>(service: serviceName, name: "wait")
    static let sum = RPCMethod<Number, Number>(
        service: serviceName, name: "sum", kind: .clientStreaming)
    static let count = RPCMethod<Number, Number>(
        service: serviceName, name: "count", kind: .serverStreaming)
    static let chat = RPCMethod<Bytes, Bytes>(
        service: serviceName, name: "chat", kind: .bidirectionalStreaming)
    /// Sends that many messages, then fails.
    static let failing = RPCMethod<Number, Number>(
        service: serviceName, name: "failing", kind: .serverStreaming)
    /// Answers without reading.
    static let early = RPCMethod<Bytes, Text>(
        service: serviceName, name: "early", kind: .clientStreaming)
    /// Writes messages of that many bytes until it is cancelled.
    static let flood = RPCMethod<Number, Bytes>(
        service: serviceName, name: "flood", kind: .serverStreaming)

    /// Opened when `wait` has begun, and when it, or `flood`, was cancelled.
    let hasBegun = AsyncEvent()
    let wasCancelled = AsyncEvent()

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.echo) { request, _ in request }
        try registry.add(Self.now, synchronous: { request, _ in request })
        try registry.add(Self.bytes) { request, _ in request }
        try registry.add(Self.fail) { request, call in
            call.trailingMetadata["x-trailer"] = "t"
            throw RPCError(
                RPCErrorCode(rawValue: Int32(request.value)), "fehlgeschlagen: 100 % é\n",
                details: [try RPCErrorDetail(Text("detail"))])
        }
        try registry.add(Self.metadata) { _, call in
            call.replyMetadata["x-initial"] = "1"
            call.replyMetadata.add(bytes: [0, 255], for: "y-bin")
            call.trailingMetadata["x-trailing"] = "2"
            let lines = call.requestMetadata.entries.map { "\($0.key)=\($0.value)" }
            return Text(lines.joined(separator: "\n"))
        }
        try registry.add(Self.wait) { request, _ in
            hasBegun.fire()
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                wasCancelled.fire()
                throw error
            }
            return request
        }
        try registry.add(clientStreaming: Self.sum) { numbers, call in
            var sum: Int64 = 0
            for try await number in numbers { sum += number.value }
            call.replyMetadata["x-initial"] = "1"
            call.trailingMetadata["x-trailing"] = "2"
            return Number(sum)
        }
        try registry.add(serverStreaming: Self.count) { request, responses, call in
            call.replyMetadata["x-initial"] = "1"
            for number in 0..<max(0, request.value) {
                try await responses.write(Number(number + 1))
            }
            call.trailingMetadata["x-trailing"] = "2"
        }
        try registry.add(bidirectional: Self.chat) { requests, responses, _ in
            for try await request in requests { try await responses.write(request) }
        }
        try registry.add(serverStreaming: Self.failing) { request, responses, _ in
            for number in 0..<max(0, request.value) { try await responses.write(Number(number)) }
            throw RPCError(.failedPrecondition, "not now")
        }
        try registry.add(clientStreaming: Self.early) { _, _ in Text("enough") }
        try registry.add(serverStreaming: Self.flood) { request, responses, _ in
            do {
                while true {
                    try await responses.write(Bytes(Data(count: Int(request.value))))
                    hasBegun.fire()
                }
            } catch {
                wasCancelled.fire()
                throw error
            }
        }
    }
}
