import RocketCodec
import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

/// Servers that call other servers: what the calls of a handler inherit.
@Suite struct ChainTests {
    /// Forwards each call to the next server, and records the call.
    struct Relay: RPCService {
        static let serviceName = "chain.Relay"
        static let pass = RPCMethod<Text, Number>(service: serviceName, name: "pass")

        struct Record: Sendable {
            var messageID = ""
            var left: Duration?
            var trace: [String?] = []
            var priority: String?
        }

        let next: RPCChannel?
        var options = RPCCallOptions()
        let record = Shared(Record())
        let gate = Gate()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.pass) { request, call in
                let left = call.deadline.map { $0 - SystemTimeSource().monotonic() }
                record.value.withLock {
                    $0 = Record(
                        messageID: call.messageID, left: left,
                        trace: ["traceparent", "tracestate"].map { call.requestMetadata[$0] },
                        priority: call.requestMetadata["call-priority"])
                }
                if let next {
                    return try await next.call(
                        Self.pass, request, timeout: .seconds(3600), options: options)
                }
                if request.value == "hold" {
                    await withTaskCancellationHandler {
                        await gate.wait()
                    } onCancel: {
                        gate.cancelled.withLock { $0 += 1 }
                        gate.open()
                    }
                }
                return Number(7)
            }
        }
    }

    final class Shared<Value: Sendable>: Sendable {
        let value: Locked<Value>
        init(_ value: Value) { self.value = Locked(value) }
    }

    /// A calls B, which calls C.
    func withChain(
        options: RPCCallOptions = .init(),
        _ body: (_ toB: RPCChannel, _ b: Relay, _ c: Relay) async throws -> Void
    ) async throws {
        let c = Relay(next: nil)
        try await withServer([c]) { addressC in
            let toC = try RPCChannel(to: addressC, configuration: .patient)
            defer { toC.close() }
            let b = Relay(next: toC, options: options)
            try await withServer([b]) { addressB in
                let toB = try RPCChannel(to: addressB, configuration: .patient)
                defer { toB.close() }
                try await body(toB, b, c)
            }
        }
    }

    @Test("The last server receives the time left of the first call's deadline")
    func deadlineAlongChain() async throws {
        try await withChain { toB, b, c in
            _ = try await toB.call(Relay.pass, Text(), timeout: .seconds(3600))
            let (atB, atC) = (b.record.value.withLock { $0 }, c.record.value.withLock { $0 })
            let (leftAtB, leftAtC) = (try #require(atB.left), try #require(atC.left))
            #expect(leftAtC <= leftAtB && leftAtB <= .seconds(3600))
            #expect(leftAtC > .seconds(100))
        }
    }

    /// On a busy machine 100 ms may be over before C is called; then the call ends with a time-out.
    @Test("A deadline of 100 ms is not longer at the end of the chain")
    func shortDeadline() async throws {
        try await withChain { toB, _, c in
            do throws(RPCError) {
                _ = try await toB.call(Relay.pass, Text(), timeout: .milliseconds(100))
                let left = c.record.value.withLock { $0.left }
                #expect(left.map { $0 > .zero && $0 <= .milliseconds(100) } ?? false)
            } catch {
                #expect(error.code == .callTimeout)
                let left = c.record.value.withLock { $0.left }
                #expect(left.map { $0 <= .milliseconds(100) } ?? true)
            }
        }
    }

    @Test("A deadline that passes cancels the handlers of the whole chain")
    func deadlineCancelsChain() async throws {
        try await withChain { toB, _, c in
            // On a busy machine a short deadline passes before the call is at C.
            var timeout = Duration.milliseconds(100)
            while c.gate.arrivalCount == 0 {
                let error = await #expect(throws: RPCError.self) {
                    try await toB.call(Relay.pass, Text("hold"), timeout: timeout)
                }
                #expect(error?.code == .callTimeout)
                timeout *= 2
            }
            await c.gate.wait()
            let cancelled = c.gate.cancelled.withLock { $0 }
            #expect(cancelled >= 1)
        }
    }

    @Test("Cancelling the first call cancels the last handler")
    func cancelAlongChain() async throws {
        try await withChain { toB, _, c in
            let call = toB.start(Relay.pass, Text("hold"), timeout: .seconds(600))
            await c.gate.arrived(1)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .cancelled)
            await c.gate.wait()
            let cancelled = c.gate.cancelled.withLock { $0 }
            #expect(cancelled == 1)
        }
    }

    @Test("The msg_id and the trace context are passed along the chain")
    func idAndTrace() async throws {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try await withChain { toB, b, c in
            let call = RPCController(metadata: ["traceparent": trace, "tracestate": "a=b"])
            _ = try await toB.call(Relay.pass, Text(), call)
            let (atB, atC) = (b.record.value.withLock { $0 }, c.record.value.withLock { $0 })
            #expect(atB.messageID == call.messageID && atC.messageID == call.messageID)
            #expect(atB.trace == [trace, "a=b"] && atC.trace == [trace, "a=b"])
        }
    }

    @Test(
        "The priority that a server grants is passed along the chain",
        arguments: [("sheddable", "sheddable"), ("critical", nil), ("default", nil)])
    func priority(sent: String, passedOn: String?) async throws {
        try await withChain { toB, b, c in
            _ = try await toB.call(Relay.pass, Text(), metadata: ["call-priority": sent])
            #expect(b.record.value.withLock { $0.priority } == sent)
            #expect(c.record.value.withLock { $0.priority } == passedOn)
        }
    }

    @Test("An independent call inherits nothing")
    func independent() async throws {
        try await withChain(options: .independent) { toB, b, c in
            _ = try await toB.call(
                Relay.pass, Text(), timeout: .seconds(60), metadata: ["traceparent": "t"])
            let (atB, atC) = (b.record.value.withLock { $0 }, c.record.value.withLock { $0 })
            #expect(atB.messageID != atC.messageID)
            #expect(atC.trace == [nil, nil])
            let left = try #require(atC.left)
            #expect(left > .seconds(60))
        }
    }
}
