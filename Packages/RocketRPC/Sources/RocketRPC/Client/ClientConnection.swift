import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One connection of a channel: encodes calls into frames, and decodes replies. Bound to the
/// channel's loop. Connects once; after its end the channel opens another one.
final class ClientConnection: TransportHandler {
    /// Unique among all connections of the channel, earlier ones included.
    let number: Int
    /// The server that it is connected to.
    let endpoint: ChannelEndpoint
    /// Its slot in the pool; nil once it is retired, and only waits for replies.
    var poolSlot: Int?
    /// Calls that wait for replies on it.
    var callsInFlight = 0
    /// Whether it has delivered a reply other than UNAVAILABLE.
    var hasWorked = false
    /// Whether the server has said that it takes no more calls on it.
    var isGoingAway = false
    private(set) var transport: (any Transport)?
    /// What is respected towards the peer.
    let rules: PeerRules
    /// The ids of the calls sent so far, where each may be sent once only.
    private var usedIDs: Set<CallID> = []
    /// Both addresses of the transport, once connected.
    private(set) var peers = ConnectionPeers.none
    private var cancelConnect: (() -> Void)?
    /// nil once the channel does not use the connection any more.
    private(set) var core: ChannelCore?
    let codec: TinyPBCodec
    private let connectTimeout: Duration
    /// Bytes written so far, those of streams included.
    private var written: UInt64 = 0
    /// `written` at the time of the last read.
    private var writtenBeforeRead: UInt64 = 0
    /// Its streams, once it has had one.
    var streams: ConnectionStreams?
    /// Bytes of an oversized reply that are still to be skipped.
    var bytesToSkip = 0
    /// What is known of the metadata that the peer takes.
    var exchange: MetadataExchange
    /// The err_info of the last call.
    // SAFETY: bound to one thread, and nothing that runs inside an access uses the connection.
    @exclusivity(unchecked) private var info = ByteBuffer()
    /// The milliseconds in `info`, where it contains nothing else; -1: it is empty.
    private var plainMilliseconds: Int64? = -1

    init(number: Int, poolSlot: Int, of endpoint: ChannelEndpoint, _ core: ChannelCore) {
        self.number = number
        self.endpoint = endpoint
        self.poolSlot = poolSlot
        self.core = core
        codec = core.settings.rules.codec
        connectTimeout = core.settings.configuration.connectTimeout
        rules = core.settings.rules
        exchange = MetadataExchange(isKnown: endpoint.connector.peerIsKnown)
    }

    /// Whether a call can be written now. After false, the core's `becameWritable` is called when
    /// there is room again.
    var hasRoom: Bool {
        guard let transport, transport.isWritable else { return false }
        return !rules.isExclusive || (callsInFlight == 0 && !isUsedUp)
    }

    /// Whether it has carried as many calls as the peer allows on a connection.
    var isUsedUp: Bool { usedIDs.count >= rules.maxCallsPerConnection }

    /// Whether the call must not be sent on it, because an earlier call had the same msg_id.
    func hasUsed(_ id: CallID) -> Bool { usedIDs.contains(id) }

    /// Whether no byte has arrived since the call was sent that ends at byte `end` of the output.
    func isSilent(since end: UInt64) -> Bool { end > writtenBeforeRead }

    /// The bytes that the server may have received, of those written.
    var sentBytes: UInt64 { transport?.sentBytes ?? 0 }

    /// Whether it has been connected.
    var isConnected: Bool { transport != nil }

    /// Where it is connected to; nil: not yet.
    var peerAddress: NetAddress? { transport?.peerAddress }

    func connect(on reactor: Reactor) {
        let cancel = endpoint.connector.connect(
            index: poolSlot ?? 0, on: reactor, timeout: connectTimeout, handler: self,
            failed: { [self] in connectFailed($0) })
        // Where it has connected at once there is nothing to cancel.
        if transport == nil { cancelConnect = cancel }
    }

    /// Closes the connection; the channel is not notified of its end.
    func close(_ how: TCPConnection.Closing) {
        core = nil
        cancelConnect?()
        cancelConnect = nil
        transport?.close(how, reason: .requested)
    }

    /// Closes the connection for good, and notifies the server of the calls that it has: by a reset,
    /// or by a cancel for each where the transport can't signal a reset.
    func close(cancelling calls: [CallID]) {
        if calls.isEmpty || !rules.sendsCancel { return close(calls.isEmpty ? .now : .reset) }
        if transport?.signalsReset ?? true { return close(.reset) }
        for id in calls { sendCancel(id) }
        close(.afterFlush)
    }

    // MARK: Sending

    /// Writes a call's frame.
    ///
    /// - Returns: the number of bytes written to this connection so far, the frame's included; nil
    ///   where there is no room for the call.
    func send(_ call: OutgoingCall, now: MonotonicTime) throws(RPCError) -> UInt64? {
        guard let transport, transport.isWritable else { return nil }
        var failure: RPCError?
        transport.send(compressing: unsafe call.parameters.compressesRequest) { output in
            let before = output.readableBytes
            do throws(RPCError) {
                try encode(call, now, into: &output)
                written += UInt64(output.readableBytes - before)
            } catch {
                output.truncate(to: before)
                failure = error
            }
        }
        if let failure { throw failure }
        if call.controller != nil { call.wasSent(between: peers) }
        if let stream = call.stream { openStream(stream, of: call) }
        return written
    }

    private func encode(
        _ call: OutgoingCall, _ now: MonotonicTime, into output: inout ByteBuffer
    ) throws(RPCError) {
        let nameBytes = call.method.methodName.count
        guard nameBytes <= TinyPBLimits.maxMethodNameBytes else {
            throw RPCError(
                .failedEncode,
                "the method name has \(nameBytes) bytes; the limit is \(TinyPBLimits.maxMethodNameBytes)"
            )
        }
        try writeInfo(of: call, now)
        let start = call.id.withBytes { id in
            unsafe info.withBytes { info in
                call.method.withName { name in
                    codec.begin(messageID: id, methodName: name, errorInfo: info, in: &output)
                }
            }
        }
        try call.encode(into: &output)
        do {
            try codec.finish(start, in: &output)
        } catch {
            throw RPCError(.failedEncode, "the request is too large: \(error)")
        }
        let byteCount = output.readableBytes - start
        if rules.maxRequestBytes != nil {
            try rules.check(byteCount, methodName: call.method.methodName)
            if rules.isExclusive { usedIDs.insert(call.id) }
        }
    }

    /// Sets `info` for a call. Calls without metadata and with the same number of milliseconds
    /// left, as most calls of a batch are, share the bytes.
    private func writeInfo(of call: OutgoingCall, _ now: MonotonicTime) throws(RPCError) {
        var left: Int64 = -1
        if rules.sendsDeadline, let deadline = unsafe call.parameters.deadline {
            left = deadline > now ? Int64((deadline.nanoseconds - now.nanoseconds) / 1_000_000) : 0
        }
        let isPlain = unsafe call.parameters.metadata.isEmpty
        if isPlain, left == plainMilliseconds { return }
        unsafe info.removeAll()
        plainMilliseconds = isPlain ? left : nil
        if !rules.sendsMetadata { return try rules.checkUnsent(unsafe call.parameters.metadata) }
        do {
            try unsafe MetadataBlock.write(
                unsafe call.parameters.metadata, timeoutMilliseconds: left < 0 ? nil : left,
                to: &info, limitBytes: exchange.limitBytes)
        } catch {
            if case .tooLarge(let bytes, _) = error {
                // Of no use where the frame could not be sent in any case.
                let most = min(rules.maxRequestBytes ?? .max, codec.maxFrameBytes)
                if bytes <= most { exchange.needs(bytes) }
            }
            throw RPCError(.failedEncode, error.description)
        }
    }

    /// Sends a small call that the peer answers with the limit of its metadata.
    func sendProbe(_ id: CallID, timeoutMilliseconds: Int64) {
        var block = ByteBuffer()
        try? MetadataBlock.write([:], timeoutMilliseconds: timeoutMilliseconds, to: &block)
        block.withBytes { send(id, MetadataExchange.methodNameBytes, info: $0) }
        exchange.probeSent(id, end: written)
    }

    /// Notifies the server that the call with that id was cancelled. Never answered.
    func sendCancel(_ id: CallID) { send(id, CancelFrame.methodNameBytes) }

    /// Writes a frame without payload.
    private func send(_ id: CallID, _ methodName: [UInt8], info: RawSpan = RawSpan()) {
        transport?.send { output in
            let before = output.readableBytes
            let start = id.withBytes { id in
                // SAFETY: the name lives, unchanged, until begin returns.
                unsafe codec.begin(
                    messageID: id, methodName: methodName.span.bytes, errorInfo: info, in: &output)
            }
            // A frame without payload is within the limits that the request with this id was within.
            try? codec.finish(start, in: &output)
            written += UInt64(output.readableBytes - before)
        }
    }

    /// Counts what its streams have written.
    func wrote(_ bytes: Int) { written += UInt64(bytes) }

    private func connectFailed(_ error: RPCError) {
        cancelConnect = nil
        core?.connectFailed(self, error)
        core = nil
    }

    // MARK: TransportHandler

    func connected(_ transport: any Transport) {
        self.transport = transport
        peers = ConnectionPeers(transport)
        cancelConnect = nil
        guard let core else { return transport.close(.now, reason: .requested) }
        core.connected(self)
    }

    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        guard let core else { return input.removeAll() }
        writtenBeforeRead = written
        do {
            try takeReplies(&input, core)
            if rules.isExclusive || exchange.hasParked { core.repliesTaken(on: self) }
        } catch {
            core.context.counters.brokenStreams.increment()
            let foreign = input.withBytes { ForeignProtocol(ofServer: $0, error) }
            core.context.logger.throttled(.error, "bad frame")?.error(
                "bad frame, connection closed"
            ) {
                $0.add("peer", peers.peerText)
                $0.add("detail", error.description)
                if let foreign { $0.add("hint", foreign.serverHint) }
            }
            let hint = foreign.map { "; " + $0.serverHint } ?? ""
            transport.close(.now, reason: .rejected("bad frame" + hint))
        }
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        if !isWritable { return }
        core?.becameWritable()
        streams?.outputHasRoom()
    }

    func draining(_ transport: any Transport) {}

    func inputEnded(_ transport: any Transport) {
        transport.close(.afterFlush, reason: .peerFinished)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        streams?.close()
        core?.closed(self, reason)
        core = nil
        self.transport = nil
    }
}
