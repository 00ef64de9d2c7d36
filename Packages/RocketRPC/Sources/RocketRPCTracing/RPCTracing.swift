import RocketBase
import RocketCodec
public import RocketRPC
public import SwiftProtobuf
public import Tracing

/// Creates a span for each call with swift-distributed-tracing. For servers and channels, and for
/// streaming calls, too.
///
/// A channel injects the current trace context into the call's metadata, a server extracts it. The
/// tracer chooses the keys; with W3C's propagation they are `traceparent` and `tracestate`. The
/// spans of a handler's outgoing calls are children of the handler's span.
///
/// A span ends when its call does: on a server when the reply is in the connection's output, or the
/// call was given up. Its attributes and its status are those of OpenTelemetry's conventions for RPC:
/// docs/guides/tracing.md. Synchronous handlers remain synchronous.
///
/// An interceptor and no observer, since the handler runs inside the span's task-local context.
public struct RPCTracing: RPCSynchronousInterceptor, RPCStreamInterceptor {
    private let tracer: (any Tracer)?

    /// - Parameter tracer: nil: the tracer that the process is bootstrapped with at each call.
    public init(tracer: (any Tracer)? = nil) { self.tracer = tracer }

    /// Passes the call on inside a span.
    public nonisolated(nonsending) func intercept<
        Request: Message & Sendable, Response: Message & Sendable
    >(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        let span = startSpan(of: call)
        do {
            return try await ServiceContext.$current.withValue(span.context) {
                try await next(request, call)
            }
        } catch {
            span.recordError(error)
            throw error
        }
    }

    /// Passes the call of a synchronous handler on inside a span.
    public func intercept<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ call: RPCController,
        next: RPCSynchronousHandler<Request, Response>
    ) throws -> Response {
        let span = startSpan(of: call)
        do {
            return try ServiceContext.$current.withValue(span.context) { try next(request, call) }
        } catch {
            span.recordError(error)
            throw error
        }
    }

    /// Passes the streaming call on inside a span.
    public nonisolated(nonsending) func interceptStream(
        _ call: RPCController, next: nonisolated(nonsending) () async throws -> Void
    ) async throws {
        let span = startSpan(of: call)
        do {
            try await ServiceContext.$current.withValue(span.context) { try await next() }
        } catch {
            span.recordError(error)
            throw error
        }
    }

    /// Starts the span of a call, which ends with it.
    private func startSpan(of call: RPCController) -> any Span {
        let tracer = tracer ?? InstrumentationSystem.tracer
        let isOutgoing = call.isOutgoing
        var context = isOutgoing ? ServiceContext.current ?? .topLevel : .topLevel
        if !isOutgoing {
            tracer.extract(call.requestMetadata, into: &context, using: MetadataExtractor())
        }
        let span = tracer.startSpan(
            call.method, context: context, ofKind: isOutgoing ? .client : .server)
        if isOutgoing {
            var metadata = call.requestMetadata
            tracer.inject(span.context, into: &metadata, using: MetadataInjector())
            call.requestMetadata = metadata
        }
        guard span.isRecording else { return span }
        if !isOutgoing { span.attributes = CallAttributes.beginning(of: call) }
        call.onEnd { ending in
            CallAttributes.end(span, of: call, ending.code)
            span.end()
        }
        return span
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
