import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem

// The streams of a channel's connection.

extension ClientConnection {
    /// Opens the stream of a call whose opening frame has been written.
    func openStream(_ stream: CallStream, of call: OutgoingCall) {
        guard let core, let streams = makeStreams(core) else { return }
        let id = call.id.withBytes { $0.copied }
        let entry = streams.open(id, stream, announcesWindow: false)
        entry.compresses = unsafe call.parameters.compressesRequest
        let controller = call.controller
        entry.receivedHeaders = { controller?.note(replyMetadata: $0) }
        stream.outbound.restart(limit: streams.knownLimit)
    }

    private func makeStreams(_ core: ChannelCore) -> ConnectionStreams? {
        if let streams { return streams }
        guard let transport else { return nil }
        let made = ConnectionStreams(
            over: transport, codec: codec, limits: core.settings.configuration.streams,
            on: core.reactor)
        made.failed = { [unowned self] entry, error in streamFailed(entry, error) }
        made.wrote = { [unowned self] in wrote($0) }
        streams = made
        return made
    }

    private func streamFailed(_ entry: StreamEntry, _ error: RPCError) {
        // SAFETY: the array lives, unchanged, until the id is made.
        let bytes = entry.id
        guard let id = CallID(unsafe bytes.span.bytes) else { return }
        core?.streamFailed(id, error)
    }

    /// Takes a frame of a stream; returns false for other frames.
    func takeStreamFrame(_ frame: TinyPBFrame, _ bytes: RawSpan) throws(FrameError) -> Bool {
        guard let streams, let kind = StreamFrame(bytes.extracting(frame.methodName)),
            frame.errorCode == 0 || kind == .data
        else { return false }
        if kind == .headers { exchange.observe(bytes.extracting(frame.errorInfo)) }
        try streams.received(kind, frame, bytes)
        return true
    }
}

extension ChannelCore {
    /// Ends a call whose stream has failed here, and cancels it on the server.
    func streamFailed(_ id: CallID, _ error: RPCError) {
        if let slot = unsafe pending.find(ids.hashed(id)) { fail(slot, error) }
    }
}
