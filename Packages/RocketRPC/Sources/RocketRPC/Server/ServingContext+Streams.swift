import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import SwiftProtobuf

// Serving a streaming call: in a handler task, like each call whose handler may suspend.

extension _ServingContext {
    /// Serves the streaming call that has begun: opens its stream, awaits the handler, waits until
    /// all messages are sent, and sends the reply, which ends the stream.
    nonisolated(nonsending) func serveStream<Request, Response>(
        _ entry: _MethodEntry, _ method: RPCMethod<Request, Response>,
        _ interceptors: [any RPCStreamInterceptor],
        _ handler:
            nonisolated(nonsending) (
                StreamHandle, Request?, RPCController
            ) async throws -> Response?
    ) async {
        var request: Request?
        if method.kind == .serverStreaming {
            guard let taken = takeRequest(entry, method.request) else { return }
            request = taken
        } else {
            takeFrame { _ in }
        }
        guard let stream = connection.openStream(self, entry) else {
            return responder.answer(with: ServerConnection.noStreams)
        }
        let handle = StreamHandle(stream)
        let call = controller
        do {
            var response: Response?
            if interceptors.isEmpty {
                response = try await handler(handle, request, call)
            } else {
                try await interceptors.around(call) {
                    response = try await handler(handle, request, call)
                }
            }
            // What the handler has left behind writes no more.
            stream.outbound.finish()
            handle.notify()
            responder.waitsForOutput()
            try await stream.outbound.waitUntilSent()
            responder.ended(.outputWait)
            if mustWait { await waitUntilWritable() }
            connection.closeStream(stream)
            if method.kind == .clientStreaming {
                guard let response else { throw Self.noResponse }
                succeed(entry, response, method.response)
            } else {
                respond(entry, nil) { _, _ in }
            }
        } catch {
            // What was written before the error is sent before it.
            stream.outbound.finish()
            handle.notify()
            responder.waitsForOutput()
            try? await stream.outbound.waitUntilSent()
            responder.ended(.outputWait)
            connection.closeStream(stream)
            failStream(entry, error, method)
        }
    }

    private static var noResponse: RPCError {
        RPCError(.internal, "an interceptor did not call the handler, so there is no response")
    }

    /// Sends the error of a handler. Only a single response can contain a refusal.
    private func failStream<Request, Response>(
        _ entry: _MethodEntry, _ error: any Error, _ method: RPCMethod<Request, Response>
    ) {
        if method.kind != .clientStreaming, let error = error as? BusinessError, error.code != 0 {
            return fail(
                entry, RPCError(RPCErrorCode(rawValue: error.code), error.info), method.response)
        }
        fail(entry, error, method.response)
    }
}

extension ServerConnection {
    static let noStreams = RPCError(
        .internal, "streaming calls need a connection, and the dispatcher answers without one")

    /// Opens the stream of a call whose frame has been taken.
    ///
    /// - Returns: nil without a loop or a transport.
    func openStream(_ context: _ServingContext, _ method: _MethodEntry) -> CallStream? {
        guard let scheduler, let streams = makeStreams(on: scheduler.reactor) else { return nil }
        let (id, metadata) = context.storage.withState { ($0.messageID, $0.requestMetadata) }
        // SAFETY: the array lives, unchanged, until the number is read.
        let limit = unsafe StreamOpening.window(metadata.span.bytes)
        let stream = CallStream(
            on: scheduler.reactor.loop, limit: limit,
            maxOutboundBytes: maxMessageBytes(
                method.limits.maxResponseBytes),
            maxInboundBytes: maxMessageBytes(method.limits.maxRequestBytes),
            windowBytes: dispatcher.streamLimits.validWindowBytes,
            measuresWaits: metrics != nil)
        let entry = streams.open(
            id, stream, announcesWindow: method.kind.hasRequestStream)
        if !method.kind.hasRequestStream { stream.inbound.end() }
        context.responder.stream = stream
        let (storage, generation) = unsafe (context.storage, context.responder.generation)
        entry.takeHeaders = { [unowned self] in takeHeaders(storage, generation) }
        if method.kind.hasResponseStream { entry.undecided = (storage, generation) }
        return stream
    }

    private func maxMessageBytes(_ limit: Int) -> Int { min(limit, codec.maxFrameBytes) }

    private func makeStreams(on reactor: Reactor) -> ConnectionStreams? {
        if let streams { return streams }
        guard let transport else { return nil }
        let made = ConnectionStreams(
            over: transport, codec: codec, limits: dispatcher.streamLimits, on: reactor)
        made.limitsIdleTime = true
        made.failed = { [unowned self] in streamFailed($0, $1) }
        streams = made
        return made
    }

    /// Removes the stream of a call whose handler has returned, or that has been answered.
    func closeStream(_ stream: CallStream) {
        if let entry = unsafe stream.entry { entry.connection.remove(entry) }
        stream.end(Self.callEnded)
    }

    private static let callEnded = RPCError(.cancelled, "the call has ended")

    /// Takes the initial metadata of a call out of what its reply will contain.
    private func takeHeaders(_ storage: CallStorage, _ generation: UInt64) -> ByteBuffer? {
        let announces = metadata.isKnown && !metadata.isAnnounced
        let taken = storage.withState(of: generation) { state -> RPCMetadata? in
            if state.replyMetadata.isEmpty, !announces { return nil }
            defer { state.replyMetadata = RPCMetadata() }
            return state.replyMetadata
        }
        guard let taken = taken ?? nil else { return nil }
        var info = ByteBuffer()
        // Metadata that can't be sent is not: nobody waits for an error.
        guard (try? writeMetadata(taken, trailing: [:], to: &info)) != nil, !info.isEmpty else {
            return nil
        }
        metadataSent()
        return info
    }

    private func streamFailed(_ entry: StreamEntry, _ error: RPCError) {
        guard let task = scheduler?.suspendedTask(with: entry.stream, of: self) else { return }
        if error.code == .callTimeout { dispatcher.counters.timedOut() }
        task.responder.answer(with: error)
        task.cancelCall()
    }

    /// Returns the error of a streaming method's call that does not open a stream, or is one too
    /// many.
    func streamRefusal(of method: _MethodEntry, _ info: RawSpan) -> RPCError? {
        guard StreamOpening.kind(info) == method.kind else {
            return refused(
                .unknownMethod,
                RPCError(
                    .methodNotFound,
                    "'\(method.fullName)' is \(method.kind), and the caller calls it otherwise"))
        }
        if scheduler == nil { return refused(.callLimit, Self.noStreams) }
        let most = dispatcher.streamLimits.maxPerConnection
        if (streams?.count ?? 0) < most { return nil }
        dispatcher.limiter.streamRefused()
        return refused(
            .callLimit,
            RPCError(
                .resourceExhausted, "this connection has \(most) streams, the most it may have"))
    }

    /// Handles a frame of a stream.
    func receivedStreamFrame(_ kind: StreamFrame, _ frame: TinyPBFrame, _ bytes: RawSpan) {
        do throws(FrameError) {
            try streams?.received(kind, frame, bytes)
        } catch {
            fault = error
            isOutOfFrame = true
        }
    }
}

/// What the metadata of an opening frame says.
enum StreamOpening {
    static func kind(_ info: RawSpan) -> RPCMethodKind {
        guard let range = MetadataBlock.value(of: "stream", in: info) else { return .unary }
        switch MetadataBlock.text(of: range, in: info) {
        case "c": return .clientStreaming
        case "s": return .serverStreaming
        case "b": return .bidirectionalStreaming
        default: return .unary
        }
    }

    /// How much the server may send at first; 0 where nothing is said.
    static func window(_ info: RawSpan) -> UInt64 {
        guard let range = MetadataBlock.value(of: "window", in: info),
            let text = MetadataBlock.text(of: range, in: info)
        else { return 0 }
        return UInt64(text) ?? 0
    }
}
