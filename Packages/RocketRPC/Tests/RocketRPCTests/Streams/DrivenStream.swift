import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import SwiftProtobuf

@testable import RocketRPC

/// One stream without a connection, its tasks on a loop that the test drives.
struct DrivenStream {
    let driven: HandDrivenLoop
    let stream: CallStream
    let reader: RPCMessageStream<Text>
    let writer: RPCWriter<Text>

    init(
        limit: UInt64 = 0, window: Int = 1024, maxMessage: Int = 1 << 20, sendsEnd: Bool = false
    ) throws {
        driven = try HandDrivenLoop()
        stream = CallStream(
            on: driven.loop, limit: limit, maxOutboundBytes: maxMessage,
            maxInboundBytes: maxMessage, windowBytes: window, sendsEnd: sendsEnd)
        let handle = StreamHandle(stream)
        let method = RPCMethod<Text, Text>(service: "t.T", name: "m", kind: .bidirectionalStreaming)
        reader = RPCMessageStream(handle, method.request)
        writer = RPCWriter(handle, method.response)
    }

    var inbound: InboundMessages { stream.inbound }
    var outbound: OutboundMessages { stream.outbound }

    /// Runs ticks until none does anything; false if that does not happen.
    @discardableResult
    func settle() -> Bool { driven.tickUntilIdle(limit: 1000) < 1000 }

    /// Starts a task on the loop. What it returns or throws is recorded as text.
    func task(_ body: @escaping @Sendable () async throws -> String) -> Outcome {
        let outcome = Outcome()
        outcome.task = Task(executorPreference: driven.loop) {
            do { outcome.set(try await body()) } catch {
                outcome.set((error as? RPCError)?.code.name ?? "\(error)")
            }
        }
        settle()
        return outcome
    }

    /// Reads one message.
    func read() -> Outcome {
        task { [reader] in
            var iterator = reader.makeAsyncIterator()
            return try await iterator.next()?.value ?? "the end"
        }
    }

    /// Writes one message.
    func write(_ text: String) -> Outcome {
        task { [writer] in
            try await writer.write(Text(text))
            return "written"
        }
    }

    /// A message arrives, in one part or, with `more`, without its rest.
    @discardableResult
    func receive(_ bytes: [UInt8], more: Bool = false) -> InboundMessages.Part {
        inbound.append(bytes.span.bytes, isLast: !more, cost: max(1, bytes.count))
    }

    @discardableResult
    func receive(_ text: String) throws -> InboundMessages.Part {
        receive(try Text(text).serializedBytes())
    }

    /// What is sent of the next message; nil: nothing.
    func take(atMost limit: Int = .max) -> (bytes: [UInt8], isLast: Bool)? {
        var taken: (bytes: [UInt8], isLast: Bool)?
        _ = outbound.takePart(atMost: limit) { taken = ($0.copied, $1) }
        return taken
    }

    func takeEnd() -> Bool {
        outbound.takePart(atMost: .max) { _, _ in } == .end
    }

    // SAFETY: the test's thread runs the loop.
    final class Outcome: @unchecked Sendable {
        fileprivate var task: Task<Void, Never>?
        private let text = Locked<String?>(nil)

        func set(_ value: String) { text.withLock { $0 = value } }
        /// nil: the task has not ended.
        var value: String? { text.withLock { $0 } }
        func cancel() { task?.cancel() }
    }
}
