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

    @Test("A failure is recorded on the span")
    func failure() async throws {
        let dispatcher = try RPCDispatcher(
            services: [Echo()], interceptors: [RPCTracing(tracer: tracer)])
        #expect(try await say("fail", to: dispatcher) == .permissionDenied)
        let span = try #require(tracer.finishedSpans.first)
        #expect(span.errors.count == 1)
        #expect(span.status?.code == .error)
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
