public import RocketRPC
public import SwiftProtobuf
public import Tracing

/// Makes a span of each call with swift-distributed-tracing: an interceptor, for servers and
/// channels.
///
/// A channel puts the current trace into the call's metadata, a server takes it out: which keys,
/// is the tracer's own choice; with W3C's propagation they are `traceparent` and `tracestate`. A
/// handler's outgoing calls are children of its own span.
public struct RPCTracing: RPCInterceptor {
    private let tracer: (any Tracer)?

    /// - Parameter tracer: nil: what the process was bootstrapped with, asked with each call.
    public init(tracer: (any Tracer)? = nil) { self.tracer = tracer }

    /// Passes the call on within a span.
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

    /// As OpenTelemetry names things.
    private func describe(_ call: RPCController, in span: any Span) {
        let method = call.method
        let dot = method.lastIndex(of: ".") ?? method.startIndex
        span.attributes["rpc.system"] = "rocket"
        span.attributes["rpc.service"] = String(method[..<dot])
        span.attributes["rpc.method"] = String(method[dot...].dropFirst())
        if let peer = call.peerAddress { span.attributes["network.peer.address"] = peer.host }
    }
}

/// Reads a trace's context from metadata.
struct MetadataExtractor: Extractor {
    func extract(key: String, from metadata: RPCMetadata) -> String? {
        let key = key.lowercased()
        return RPCMetadata.isValid(key: key) ? metadata[key] : nil
    }
}

/// Writes a trace's context into metadata. A key that metadata can't hold is left out.
struct MetadataInjector: Injector {
    func inject(_ value: String, forKey key: String, into metadata: inout RPCMetadata) {
        let key = key.lowercased()
        if RPCMetadata.isValid(key: key) { metadata[key] = value }
    }
}
