import RocketBase
import RocketCodec
import RocketGRPC
import RocketRPC
import RocketRPCTracing
import RocketTCP
import ServiceLifecycleTestKit
import SwiftProtobuf
import Testing
import Tracing

@testable import RocketOTLP

struct OTLPTracerTests {
    private let buffer = SpanBuffer(queue: 100, batch: 100)

    private func tracer(callsPerTrace: Int = 1) -> OTLPTracer {
        var random = CountingGenerator()
        return OTLPTracer(
            buffer, TraceSampler(callsPerTrace: callsPerTrace), TraceIDs(using: &random))
    }

    @Test("A child has the trace of its parent, and other spans begin their own")
    func children() throws {
        let tracer = tracer()
        tracer.withSpan("parent") { _ in
            tracer.withSpan("child", ofKind: .client) { $0.attributes["a"] = "b" }
        }
        tracer.startSpan("other", context: .topLevel).end()
        let spans = buffer.take()
        try #require(spans.map(\.name) == ["child", "parent", "other"])
        #expect(spans[0].traceID == spans[1].traceID)
        #expect(spans[0].parentSpanID == spans[1].spanID)
        #expect(spans[1].parentSpanID.isEmpty)
        #expect(spans[2].traceID != spans[1].traceID)
        #expect(spans[0].kind == .client)
        #expect(spans[1].kind == .internal)
        #expect(spans[0].attributes.map(\.key) == ["a"])
        #expect(spans[0].flags & 1 == 1)
    }

    @Test(
        "An error of the body is an event and the status, and a span that has ended stays as it is")
    func errors() throws {
        let tracer = tracer()
        var kept: OTLPTracerSpan?
        #expect(throws: RPCError.self) {
            try tracer.withSpan("failing") { span in
                kept = span
                #expect(span.isRecording)
                throw RPCError(.notFound, "no such order")
            }
        }
        let span = try #require(kept)
        #expect(!span.isRecording)
        span.attributes["late"] = "x"
        span.end()
        let exported = try #require(buffer.take().first)
        #expect(exported.status.code == .error)
        #expect(exported.events.map(\.name) == ["exception"])
        let texts = exported.events[0].attributes.map(\.value.stringValue)
        #expect(texts[0].contains("no such order"))
        #expect(exported.attributes.isEmpty)
        #expect(buffer.take().isEmpty)
    }

    @Test("A status of OK stays, links and names are kept, and the end is not before the beginning")
    func details() throws {
        let tracer = tracer()
        let other = tracer.startSpan("other", context: .topLevel)
        let span = tracer.startSpan(
            "first", context: .topLevel, at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 9))
        span.operationName = "second"
        span.addLink(other, attributes: ["n": "1"])
        span.addLink(SpanLink(context: .topLevel, attributes: [:]))
        span.setStatus(.init(code: .ok))
        span.setStatus(.init(code: .error))
        span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 8))
        let exported = try #require(buffer.take().first)
        #expect(exported.name == "second")
        #expect(
            exported.links.map(\.spanID) == [SpanEncoding.bytes(other.context.trace?.spanID ?? 0)])
        #expect(exported.status.code == .ok)
        #expect((exported.startTimeUnixNano, exported.endTimeUnixNano) == (9, 9))
    }

    @Test("A trace that is not exported is passed on as such, and costs no span")
    func unsampled() throws {
        let tracer = tracer(callsPerTrace: 0)
        let span = tracer.startSpan("x", context: .topLevel)
        #expect(!span.isRecording)
        span.attributes["a"] = "b"
        span.recordError(RPCError(.internal, ""))
        #expect(span.attributes.isEmpty)
        var metadata = RPCMetadata()
        tracer.inject(span.context, into: &metadata, using: Keys())
        #expect(metadata["traceparent"]?.hasSuffix("-02") == true)
        tracer.startSpan("y", context: span.context).end()
        span.end()
        #expect(buffer.queue.isEmpty)
        // The caller has decided.
        var context = ServiceContext.topLevel
        metadata["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        metadata["tracestate"] = "a=b"
        tracer.extract(metadata, into: &context, using: Keys())
        let child = tracer.startSpan("z", context: context)
        #expect(child.isRecording)
        tracer.inject(child.context, into: &metadata, using: Keys())
        #expect(metadata["tracestate"] == "a=b")
        child.end()
        let exported = try #require(buffer.take().first)
        #expect(exported.traceState == "a=b")
        #expect(exported.parentSpanID == SpanEncoding.bytes(0xb7ad_6b71_6920_3331))
    }

    struct Keys: Extractor, Injector {
        func extract(key: String, from metadata: RPCMetadata) -> String? { metadata[key] }
        func inject(_ value: String, forKey key: String, into metadata: inout RPCMetadata) {
            metadata[key] = value
        }
    }

    // MARK: Calls

    private typealias Text = Google_Protobuf_StringValue

    /// Calls the next service, if there is one.
    private struct Hop: RPCService {
        static var serviceName: String { "test.v1.Hop" }
        static let go = RPCMethod<Text, Text>(service: serviceName, name: "go")
        let next: RPCChannel?

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.go) { request, _ in
                if request.value == "fail" { throw RPCError(.permissionDenied, "no") }
                return try await next?.call(Self.go, request) ?? request
            }
        }
    }

    @Test("The spans of a call through two services are one chain, on both wires")
    func chain() async throws {
        let collector = Collector()
        try await serving([collector]) { address in
            func exporter(_ name: String) throws -> OTLPExporter {
                try OTLPExporter(.test(address, service: name))
            }
            let (client, front, back) = (
                try exporter("client"), try exporter("front"), try exporter("back")
            )
            func tracing(_ exporter: OTLPExporter) -> [any RPCInterceptor] {
                [RPCTracing(tracer: exporter.tracer)]
            }
            try await testGracefulShutdown { trigger in
                async let runs: Void = run([client, front, back])
                try await serving([Hop(next: nil)], interceptors: tracing(back)) { address in
                    var grpc = RPCChannelConfiguration()
                    grpc.protocol = .grpc()
                    let next = try RPCChannel(
                        to: address, configuration: grpc, interceptors: tracing(front))
                    try await serving([Hop(next: next)], interceptors: tracing(front)) { address in
                        let channel = try RPCChannel(to: address, interceptors: tracing(client))
                        _ = try await channel.call(Hop.go, Text("x"))
                        let error = await #expect(throws: RPCError.self) {
                            try await channel.call(Hop.go, Text("fail"))
                        }
                        #expect(error?.code == .permissionDenied)
                        channel.close()
                    }
                    next.close()
                }
                trigger.triggerGracefulShutdown()
                try await runs
            }
        }
        try check(collector.spans)
    }

    private func run(_ exporters: [OTLPExporter]) async throws {
        try await withThrowingTaskGroup { group in
            for exporter in exporters { group.addTask { try await exporter.run() } }
            try await group.waitForAll()
        }
    }

    private func check(_ all: [(service: String, span: OTLPSpan)]) throws {
        #expect(all.count == 6)
        let good = all.filter { $0.span.status.code == .unset && $0.span.events.isEmpty }
        func span(_ service: String, _ kind: OTLPSpan.SpanKind) throws -> OTLPSpan {
            try #require(good.first { $0.service == service && $0.span.kind == kind }).span
        }
        let chain = [
            try span("client", .client), try span("front", .server), try span("front", .client),
            try span("back", .server),
        ]
        #expect(Set(chain.map(\.traceID)).count == 1)
        #expect(chain[0].parentSpanID.isEmpty)
        for (parent, child) in zip(chain, chain.dropFirst()) {
            #expect(child.parentSpanID == parent.spanID)
            #expect(child.startTimeUnixNano >= parent.startTimeUnixNano)
        }
        let systems = ["rocket", "rocket", "grpc", "grpc"]
        for (span, system) in zip(chain, systems) {
            let values = Dictionary(
                uniqueKeysWithValues: span.attributes.map { ($0.key, $0.value) })
            #expect(span.name == "test.v1.Hop.go")
            #expect(values["rpc.system"]?.stringValue == system)
            #expect(values["rpc.service"]?.stringValue == "test.v1.Hop")
            #expect(values["rpc.method"]?.stringValue == "go")
            #expect(values["rpc.grpc.status_code"]?.intValue == 0)
            #expect(values["rpc.rocket.code"]?.intValue == 0)
            #expect(values["server.address"]?.stringValue == "127.0.0.1")
            #expect((values["server.port"]?.intValue ?? 0) > 0)
            #expect(values["network.peer.address"]?.stringValue == "127.0.0.1")
            #expect(values["error.type"] == nil)
            #expect(values["rpc.rocket.msg_id"]?.stringValue.isEmpty == false)
        }
        // That a caller lacks a permission is no failure of the server.
        let failed = all.filter { !$0.span.events.isEmpty }
        #expect(failed.count == 2)
        for (_, span) in failed {
            let values = Dictionary(
                uniqueKeysWithValues: span.attributes.map { ($0.key, $0.value) })
            #expect(values["rpc.grpc.status_code"]?.intValue == 7)
            #expect(values["error.type"]?.stringValue == "PERMISSION_DENIED")
            #expect(span.status.code == (span.kind == .client ? .error : .unset))
        }
    }
}
