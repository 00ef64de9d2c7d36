public import SwiftProtobuf

/// Handles a call that sends a stream of requests and receives one response.
public typealias RPCClientStreamingHandler<
    Request: Message & Sendable, Response: Message & Sendable
> =
    nonisolated(nonsending) @Sendable (
        RPCMessageStream<Request>, RPCController
    ) async throws -> Response

/// Handles a call that sends one request and receives a stream of responses. Its return ends the
/// stream.
public typealias RPCServerStreamingHandler<
    Request: Message & Sendable, Response: Message & Sendable
> =
    nonisolated(nonsending) @Sendable (
        Request, RPCWriter<Response>, RPCController
    ) async throws -> Void

/// Handles a call that sends a stream of requests and receives a stream of responses. Its return
/// ends the stream.
public typealias RPCBidirectionalHandler<
    Request: Message & Sendable, Response: Message & Sendable
> =
    nonisolated(nonsending) @Sendable (
        RPCMessageStream<Request>, RPCWriter<Response>, RPCController
    ) async throws -> Void
