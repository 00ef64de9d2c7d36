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
    /// Its slot in the pool; nil once it is retired, and only waits for replies.
    var poolSlot: Int?
    /// Calls that wait for replies on it.
    var callsInFlight = 0
    /// Whether it has delivered a reply other than UNAVAILABLE.
    var hasWorked = false
    private(set) var transport: (any Transport)?
    /// Both addresses of the transport, once connected.
    private(set) var peers = ConnectionPeers.none
    private var cancelConnect: (() -> Void)?
    /// nil once the channel does not use the connection any more.
    private var core: ChannelCore?
    private let codec: TinyPBCodec
    private let connectTimeout: Duration
    private let maxRequestBytes: Int?
    private let sendsDeadline: Bool
    /// Bytes written so far.
    private var written: UInt64 = 0
    /// The err_info of the last call.
    // SAFETY: bound to one thread, and nothing that runs inside an access uses the connection.
    @exclusivity(unchecked) private var info = ByteBuffer()
    /// The milliseconds in `info`, where it contains nothing else; -1: it is empty.
    private var plainMilliseconds: Int64? = -1

    init(number: Int, poolSlot: Int, of core: ChannelCore) {
        self.number = number
        self.poolSlot = poolSlot
        self.core = core
        codec = core.context.configuration.codec
        connectTimeout = core.context.configuration.connectTimeout
        maxRequestBytes = core.context.configuration.maxRequestBytes
        sendsDeadline = core.context.configuration.sendsDeadline
    }

    /// Whether a call can be written now. After false, the core's `becameWritable` is called when
    /// there is room again.
    var hasRoom: Bool { transport?.isWritable ?? false }

    /// The bytes that the server may have received, of those written.
    var sentBytes: UInt64 { transport?.sentBytes ?? 0 }

    func connect(with connector: any Connector, on reactor: Reactor) {
        let cancel = connector.connect(
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
        if calls.isEmpty { return close(.now) }
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
        transport.send { output in
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
        if let limit = maxRequestBytes, byteCount > limit {
            throw RPCError(
                .failedEncode,
                "the request is too large: \(byteCount) bytes; the limit is \(limit)")
        }
    }

    /// Sets `info` for a call. Calls without metadata and with the same number of milliseconds
    /// left, as most calls of a batch are, share the bytes.
    private func writeInfo(of call: OutgoingCall, _ now: MonotonicTime) throws(RPCError) {
        var left: Int64 = -1
        if sendsDeadline, let deadline = unsafe call.parameters.deadline {
            left = deadline > now ? Int64((deadline.nanoseconds - now.nanoseconds) / 1_000_000) : 0
        }
        let isPlain = unsafe call.parameters.metadata.isEmpty
        if isPlain, left == plainMilliseconds { return }
        unsafe info.removeAll()
        plainMilliseconds = isPlain ? left : nil
        do {
            try unsafe MetadataBlock.write(
                unsafe call.parameters.metadata, timeoutMilliseconds: left < 0 ? nil : left,
                to: &info)
        } catch {
            throw RPCError(.failedEncode, error.description)
        }
    }

    /// Notifies the server that the call with that id was cancelled. Never answered.
    func sendCancel(_ id: CallID) {
        let name = CancelFrame.methodNameBytes
        transport?.send { output in
            let before = output.readableBytes
            let start = id.withBytes { id in
                // SAFETY: the name lives, unchanged, until begin returns.
                unsafe codec.begin(
                    messageID: id, methodName: name.span.bytes, in: &output)
            }
            // A frame without payload is within the limits that the request with this id was within.
            try? codec.finish(start, in: &output)
            written += UInt64(output.readableBytes - before)
        }
    }

    private func connectFailed(_ error: RPCError) {
        cancelConnect = nil
        core?.connectFailed(self, error)
        core = nil
    }

    // MARK: TransportHandler

    func connected(_ transport: any Transport) {
        self.transport = transport
        peers = ConnectionPeers(local: transport.localAddress, peer: transport.peerAddress)
        cancelConnect = nil
        guard let core else { return transport.close(.now, reason: .requested) }
        core.connected(self)
    }

    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        guard let core else { return input.removeAll() }
        do {
            while try takeReply(&input, core) {
                // A reply can make the channel close this connection.
                if self.core == nil { return input.removeAll() }
            }
        } catch {
            core.context.logger.throttled(.error, "bad frame")?.error(
                "bad frame, connection closed"
            ) {
                $0.add("peer", peers.peerText)
                $0.add("detail", error.description)
            }
            transport.close(.now, reason: .rejected("bad frame"))
        }
    }

    /// Takes the next frame and passes it to the channel.
    ///
    /// - Returns: false when the input contains no whole frame.
    private func takeReply(
        _ input: inout ByteBuffer, _ core: ChannelCore
    ) throws(FrameError) -> Bool {
        let byteCount = try input.withBytes { bytes throws(FrameError) -> Int in
            guard case .frame(let frame, let byteCount) = try codec.step(bytes)
            else { return 0 }
            core.received(frame, bytes, on: self)
            return byteCount
        }
        input.consume(byteCount)
        return byteCount > 0
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        if isWritable { core?.becameWritable() }
    }

    func draining(_ transport: any Transport) {}

    func inputEnded(_ transport: any Transport) {
        transport.close(.afterFlush, reason: .peerFinished)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        core?.closed(self, reason)
        core = nil
        self.transport = nil
    }
}
