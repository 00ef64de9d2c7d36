import InMemoryTracing
import RocketBase
import RocketCodec
import RocketRPC
import RocketRPCTracing
import SwiftProtobuf
import Testing
import Tracing

@Suite struct TracingTests {
    let tracer = InMemoryTracer()

    @Test("The server's span is a child of the client's")
    func spans() async throws {
        let tracing = RPCTracing(tracer: tracer)
        try await withLoopback(server: [tracing], client: [tracing]) { channel in
            _ = try await channel.call(Echo.say, Text("x"))
        }
        let spans = tracer.finishedSpans
        try #require(spans.count == 2)
        let server = try #require(spans.first { $0.kind == .server })
        let client = try #require(spans.first { $0.kind == .client })
        #expect(server.operationName == "test.v1.Echo.say")
        #expect(server.traceID == client.traceID)
        #expect(server.parentSpanID == client.spanID)
        #expect(client.parentSpanID == nil)
    }

    private func text(_ span: FinishedInMemorySpan, _ key: String) -> String? {
        span.attributes.get(key).map { "\($0)" }
    }

    @Test("A failure is recorded on the spans; one of the caller is none of the server")
    func failure() async throws {
        let tracing = RPCTracing(tracer: tracer)
        try await withLoopback(server: [tracing], client: [tracing]) { channel in
            for text in ["fail", "break"] {
                _ = try? await channel.call(Echo.say, Text(text))
            }
        }
        let spans = tracer.finishedSpans
        try #require(spans.count == 4)
        #expect(spans.allSatisfy { $0.errors.count == 1 })
        let server = spans.filter { $0.kind == .server }
        let client = spans.filter { $0.kind == .client }
        #expect(server.map { $0.status?.code } == [nil, .error])
        #expect(client.map { $0.status?.code } == [.error, .error])
        #expect(client.map { $0.status?.message } == ["PERMISSION_DENIED", "INTERNAL"])
        #expect(server.map { text($0, "error.type") } == client.map { text($0, "error.type") })
    }

    @Test("A span has the attributes of OpenTelemetry's conventions")
    func attributes() async throws {
        let tracing = RPCTracing(tracer: tracer)
        try await withLoopback(server: [tracing], client: [tracing]) { channel in
            _ = try await channel.call(Echo.say, Text("x"))
        }
        let spans = tracer.finishedSpans
        try #require(spans.count == 2)
        for span in spans {
            #expect(span.attributes.get("rpc.system") == .string("rocket"))
            #expect(span.attributes.get("rpc.service") == .string("test.v1.Echo"))
            #expect(span.attributes.get("rpc.method") == .string("say"))
            #expect(span.attributes.get("rpc.grpc.status_code") == .int64(0))
            #expect(span.attributes.get("rpc.rocket.code") == .int64(0))
            #expect(span.attributes.get("server.address") == .string("127.0.0.1"))
            #expect(span.attributes.get("network.transport") == .string("tcp"))
            #expect(span.attributes.get("error.type") == nil)
        }
        let ports = spans.map { text($0, "server.port") }
        #expect(ports[0] == ports[1] && ports[0] != nil)
        #expect(text(spans[0], "rpc.rocket.msg_id") == text(spans[1], "rpc.rocket.msg_id"))
        #expect(text(spans[0], "network.peer.port") != text(spans[1], "network.peer.port"))
    }

    /// Two messages, then an error if that is asked for.
    struct Counter: RPCService {
        static var serviceName: String { "test.v1.Counter" }
        static let count = RPCMethod<Text, Text>(
            service: serviceName, name: "count", kind: .serverStreaming)
        static let one = RPCMethod<Text, Text>(service: serviceName, name: "one")

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(serverStreaming: Self.count) { request, responses, _ in
                try await responses.write(Text("\(ServiceContext.current != nil)"))
                try await responses.write(Text("2"))
                if request.value == "fail" { throw RPCError(.dataLoss, "lost") }
            }
            try registry.add(
                Self.one, synchronous: { _, _ in Text("\(ServiceContext.current != nil)") })
        }
    }

    @Test("Streaming calls and synchronous handlers have spans, which end with the call")
    func kinds() async throws {
        let tracing = RPCTracing(tracer: tracer)
        try await withLoopback(server: [tracing], client: [tracing], services: [Counter()]) {
            channel in
            for text in ["good", "fail"] {
                var received: [String] = []
                do {
                    for try await message in try await channel.serverStream(
                        Counter.count, Text(text))
                    { received.append(message.value) }
                } catch { #expect((error as? RPCError)?.code == .dataLoss) }
                #expect(received == ["true", "2"])
            }
            let reply = try await channel.call(Counter.one, Text())
            #expect(reply.value == "true")
        }
        let spans = tracer.finishedSpans
        try #require(spans.count == 6)
        #expect(Set(spans.map(\.traceID)).count == 3)
        #expect(spans.filter { $0.kind == .server && $0.parentSpanID == nil }.isEmpty)
        #expect(spans.filter { $0.status?.message == "DATA_LOSS" }.count == 2)
    }

    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("A server extracts the W3C context from the metadata")
    func extracts() async throws {
        let tracing = RPCTracing(tracer: W3CTracer(inner: tracer))
        let dispatcher = try RPCDispatcher(services: [Echo()], interceptors: [tracing])
        let metadata = "rkm1\ntraceparent=\(parent)\ntracestate=a%3Db\n"
        #expect(try await say("x", to: dispatcher, metadata: metadata).rawValue == 0)
        let span = try #require(tracer.finishedSpans.first)
        #expect(span.context.traceParent == parent)
        #expect(span.context.traceState == "a=b")
    }

    /// Returns the trace context of the request.
    struct Probe: RPCService {
        static var serviceName: String { "test.v1.Probe" }
        static let ask = RPCMethod<Text, Text>(service: serviceName, name: "ask")

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.ask) { _, call in
                let metadata = call.requestMetadata
                return Text(
                    "\(metadata["traceparent"] ?? "-") \(metadata["tracestate"] ?? "-")")
            }
        }
    }

    @Test("A channel injects the W3C context into the metadata")
    func injects() async throws {
        let tracing = RPCTracing(tracer: W3CTracer(inner: tracer))
        try await withLoopback(client: [tracing], services: [Probe()]) { channel in
            var context = ServiceContext.topLevel
            context.traceParent = parent
            context.traceState = "a=b"
            let reply = try await ServiceContext.$current.withValue(context) {
                try await channel.call(Probe.ask, Text())
            }
            #expect(reply.value == "\(parent) a=b")
        }
    }
}
