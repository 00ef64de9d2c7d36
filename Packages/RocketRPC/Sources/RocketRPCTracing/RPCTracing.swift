import RocketBase
import RocketCodec
public import RocketRPC
import RocketTCP
public import SwiftProtobuf
public import Tracing

/// Creates a span for each call with swift-distributed-tracing. For servers and channels.
///
/// A channel injects the current trace context into the call's metadata, a server extracts it. The
/// tracer chooses the keys; with W3C's propagation they are `traceparent` and `tracestate`. The
/// spans of a handler's outgoing calls are children of the handler's span.
///
/// An interceptor and no observer, since the handler runs inside the span's task-local context.
public struct RPCTracing: RPCInterceptor {
    private let tracer: (any Tracer)?

    /// - Parameter tracer: nil: the tracer that the process is bootstrapped with at each call.
    public init(tracer: (any Tracer)? = nil) { self.tracer = tracer }

    /// Passes the call on inside a span.
    public nonisolated(nonsending) func intercept<
        Request: Message & Sendable, Response: Message & Sendable
    >(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        let tracer = tracer ?? InstrumentationSystem.tracer
        let isOutgoing = call.isOutgoing
        var context = isOutgoing ? ServiceContext.current ?? .topLevel : .topLevel
        if !isOutgoing {
            tracer.extract(call.requestMetadata, into: &context, using: MetadataExtractor())
        }
        let span = tracer.startSpan(
            call.method, context: context, ofKind: isOutgoing ? .client : .server)
        defer { span.end() }
        describe(call, in: span)
        if isOutgoing {
            var metadata = call.requestMetadata
            tracer.inject(span.context, into: &metadata, using: MetadataInjector())
            call.requestMetadata = metadata
        }
        do {
            return try await ServiceContext.$current.withValue(span.context) {
                try await next(request, call)
            }
        } catch {
            span.recordError(error)
            span.setStatus(.init(code: .error))
            if let error = error as? RPCError {
                span.attributes["rpc.rocket.code"] = Int64(error.code.rawValue)
            }
            throw error
        }
    }

    /// Sets the attributes of OpenTelemetry's conventions for RPC.
    private func describe(_ call: RPCController, in span: any Span) {
        let method = call.method
        let dot = method.lastIndex(of: ".") ?? method.startIndex
        span.attributes["rpc.system"] = "rocket"
        span.attributes["rpc.service"] = String(method[..<dot])
        span.attributes["rpc.method"] = String(method[dot...].dropFirst())
        if let peer = call.peerAddress { span.attributes["network.peer.address"] = peer.host }
    }
}

/// Extracts a trace context from metadata.
struct MetadataExtractor: Extractor {
    func extract(key: String, from metadata: RPCMetadata) -> String? {
        let key = key.lowercased()
        return RPCMetadata.isValid(key: key) ? metadata[key] : nil
    }
}

/// Injects a trace context into metadata. A key that metadata can't hold is omitted.
struct MetadataInjector: Injector {
    func inject(_ value: String, forKey key: String, into metadata: inout RPCMetadata) {
        let key = key.lowercased()
        if RPCMetadata.isValid(key: key) { metadata[key] = value }
    }
}
