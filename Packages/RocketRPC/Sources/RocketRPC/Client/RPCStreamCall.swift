public import RocketBase
public import RocketCodec
import RocketReactor
import RocketSystem
public import SwiftProtobuf

/// A streaming call that a channel makes. Any thread; a value whose copies are the same call. When
/// none is left, nor its reader or writer, the call is cancelled.
public struct RPCStreamCall<Request: Message & Sendable, Response: Message & Sendable>: Sendable {
    /// Sends the requests.
    public let requests: RPCWriter<Request>
    /// The responses. For a method with one response: ends when the call has ended; see `response`.
    public let responses: RPCMessageStream<Response>
    /// The call: its metadata, its error; cancels it.
    public let controller: RPCController
    let call: OutgoingCall

    /// Ends the stream of requests: the server reads no more than what was written before. Writing
    /// afterwards fails.
    public func finishRequests() {
        requests.handle.stream.outbound.finish()
        requests.handle.notify()
    }

    /// Ends the stream of requests, and waits for the only response of a client-streaming method.
    ///
    /// - Throws: `RPCError`: the error of the call; CANCELLED when the task was cancelled.
    public nonisolated(nonsending) func response() async throws(RPCError) -> Response {
        finishRequests()
        while try await responses.take() != nil {}
        return CallPayload<Request, Response>.of(call.payload).received
    }

    /// Cancels the call, unless it has ended.
    public func cancel() { controller.cancel() }
}

extension RPCChannel {
    /// Begins a streaming call. Does not wait for the server: writing and reading do.
    ///
    /// - Parameters:
    ///   - timeout: how long the whole call may take; nil: as long as the method's policy says, if
    ///     any, and no longer than the call whose handler makes this one, if any.
    ///   - metadata, options: as for other calls. A streaming call is sent again, where others are,
    ///     only until its first message was sent or received.
    /// - Throws: `RPCError`: the error of an interceptor; CHANNEL_INIT if one can't wrap streams.
    ///   Errors of the call itself are thrown by its reader and its writer.
    public func stream<Request, Response>(
        _ method: RPCMethod<Request, Response>, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) async throws(RPCError) -> RPCStreamCall<Request, Response> {
        let controller = RPCController(timeout: timeout, metadata: metadata, options: options)
        return try await stream(method, controller)
    }

    /// Begins a streaming call with a controller, which has the settings of the call.
    ///
    /// - Throws: as above; INTERNAL for the controller of a call that is being served.
    public func stream<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ controller: RPCController
    ) async throws(RPCError) -> RPCStreamCall<Request, Response> {
        try check(method.fullName, method.kind, method.kind.hasRequestStream)
        return try await begin(method, nil, controller)
    }

    /// Calls a method that returns a stream. The call is cancelled when its stream is not held any
    /// more.
    ///
    /// - Parameters, throws: as for `stream`.
    public func serverStream<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) async throws(RPCError) -> RPCMessageStream<Response> {
        let controller = RPCController(timeout: timeout, metadata: metadata, options: options)
        return try await serverStream(method, request, controller)
    }

    /// Calls a method that returns a stream, with a controller.
    public func serverStream<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ controller: RPCController
    ) async throws(RPCError) -> RPCMessageStream<Response> {
        try check(method.fullName, method.kind, method.kind == .serverStreaming)
        return try await begin(method, request, controller).responses
    }

    /// Calls a method that takes a stream: sends what `write` writes, and waits for the response.
    ///
    /// - Parameter write: its return ends the stream; an error that it throws cancels the call,
    ///   unless that has ended with a response or an error before.
    /// - Throws: the error of the call, as above, or that of `write`.
    public func clientStream<Request, Response>(
        _ method: RPCMethod<Request, Response>, timeout: Duration? = nil,
        metadata: RPCMetadata = [:], options: RPCCallOptions = .init(),
        _ write: nonisolated(nonsending) (RPCWriter<Request>) async throws -> Void
    ) async throws -> Response {
        try check(method.fullName, method.kind, method.kind == .clientStreaming)
        let call = try await stream(method, timeout: timeout, metadata: metadata, options: options)
        do {
            try await write(call.requests)
        } catch {
            // A server that answers early ends the writing; its response counts.
            if call.controller.isFinished { return try await call.response() }
            call.cancel()
            throw error
        }
        return try await withTaskCancellationHandler {
            try await call.response()
        } onCancel: {
            call.cancel()
        }
    }

    /// A call of another kind would wait for messages that nobody sends.
    private func check(
        _ name: String, _ kind: RPCMethodKind, _ isRight: Bool
    ) throws(RPCError) {
        if isRight { return }
        throw RPCError(.internal, "'\(name)' is \(kind): it is called by another function")
    }

    private func begin<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request?, _ controller: RPCController
    ) async throws(RPCError) -> RPCStreamCall<Request, Response> {
        if controller.storage.isServing {
            throw RPCError(
                .internal,
                "the controller belongs to a call that is served here; make one for this call")
        }
        let (timeout, options) = controller.terms
        controller.start(
            method.fullName,
            deadline: streamDeadline(
                timeout ?? policy(of: method.erased)?.policy.timeout, options))
        let call = OutgoingCall(
            method.erased, CallPayload<Request, Response>(request ?? Request()))
        let stream = makeStream(method.kind)
        call.stream = stream
        call.target = target
        if !method.kind.hasRequestStream { stream.outbound.finishSilently() }
        let handle = StreamHandle(stream) { [self] in
            if !stream.isCallEnded { cancel(call) }
        }
        let result = RPCStreamCall(
            requests: RPCWriter(handle, method.request),
            responses: RPCMessageStream(handle, method.response),
            controller: controller, call: call)
        var isStarted = false
        do throws(RPCError) {
            try await intercepted(controller) { () throws(RPCError) in
                if isStarted {
                    throw RPCError(.internal, "an interceptor has begun the call twice")
                }
                try start(call, method.kind, options, controller)
                isStarted = true
            }
            if !isStarted { throw RPCError(.internal, "an interceptor did not begin the call") }
        } catch {
            controller.end(error.code)
            if isStarted {
                cancel(call)
            } else {
                stream.end(error)
                stream.callEnded()
            }
            throw error
        }
        return result
    }

    private func intercepted(
        _ controller: RPCController, _ body: () throws(RPCError) -> Void
    ) async throws(RPCError) {
        if interceptors.isEmpty { return try body() }
        do {
            try await interceptors.forStreams().around(controller) { try body() }
        } catch let error as NoStreamInterceptor {
            throw RPCError(.channelInit, error.description)
        } catch {
            throw error as? RPCError ?? RPCError(.internal, "an interceptor failed", cause: error)
        }
    }

    /// Hands the call to the channel's loop.
    private func start(
        _ call: OutgoingCall, _ kind: RPCMethodKind, _ options: RPCCallOptions,
        _ controller: RPCController
    ) throws(RPCError) {
        var metadata = controller.requestMetadata
        metadata[StreamFrame.kindKey] = kind.wireName
        metadata[StreamFrame.windowKey] =
            "\(context.settings.configuration.streams.validWindowBytes)"
        try prepare(call, nil, metadata, options, controller)
        unsafe call.begin()
        controller.canBeCancelled { [self] in cancel(call) }
        enqueueStart(call, isTask: false)
    }

    private func makeStream(_ kind: RPCMethodKind) -> CallStream {
        let configuration = context.settings.configuration
        let most = configuration.codec.maxFrameBytes
        return CallStream(
            on: loop, limit: 0, maxOutboundBytes: most, maxInboundBytes: most,
            windowBytes: configuration.streams.validWindowBytes, sendsEnd: kind.hasRequestStream)
    }

    private func streamDeadline(
        _ timeout: Duration?, _ options: RPCCallOptions
    ) -> MonotonicTime? {
        let own = timeout.map { now + $0 }
        let parent = options.inheritsContext ? RPCController.current?.deadline : nil
        guard let own, let parent else { return own ?? parent }
        return min(own, parent)
    }
}
