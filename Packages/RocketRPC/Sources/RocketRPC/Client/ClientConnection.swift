import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One connection of a channel: puts calls into frames and takes replies out of them. Bound to
/// the channel's loop. Once closed it stays closed, and its channel makes another one.
final class ClientConnection: TransportHandler {
    /// Tells it from all others of its channel, earlier ones too.
    let number: Int
    /// Its place in the pool; nil once another one has it, and this one only waits for replies.
    var place: Int?
    /// Calls that wait for replies on it.
    var callsInFlight = 0
    /// Whether it has brought a reply that was no refusal.
    var hasWorked = false
    private(set) var transport: (any Transport)?
    /// Both ends of the transport, once connected.
    private(set) var peers = ConnectionPeers.none
    private var cancelConnect: (() -> Void)?
    /// nil once the channel has let go of it.
    private var core: ChannelCore?
    private let codec: TinyPBCodec
    private let connectTimeout: Duration
    private let maxRequestBytes: Int?
    private let sendsDeadline: Bool
    /// Bytes written so far: what the ends of calls are counted in.
    private var written: UInt64 = 0
    /// err_info is put together here.
    // SAFETY: bound to one thread, and nothing runs inside an access that comes back to it.
    @exclusivity(unchecked) private var info = ByteBuffer()
    /// What `info` says now, where that is a time alone; -1: nothing at all.
    private var plainMilliseconds: Int64? = -1

    init(number: Int, place: Int, of core: ChannelCore) {
        self.number = number
        self.place = place
        self.core = core
        codec = core.configuration.codec
        connectTimeout = core.configuration.connectTimeout
        maxRequestBytes = core.configuration.maxRequestBytes
        sendsDeadline = core.configuration.sendsDeadline
    }

    /// Whether a call can be written to it without adding to too many bytes that wait.
    var hasRoom: Bool { transport?.isWritable ?? false }

    /// Of what was written, the bytes that the server may have.
    var sentBytes: UInt64 { transport?.sentBytes ?? 0 }

    func begin(with connector: any Connector, on reactor: Reactor) {
        let cancel = connector.connect(
            index: place ?? 0, on: reactor, timeout: connectTimeout, handler: self,
            failed: { [self] in connectFailed($0) })
        // Where it has connected at once there is nothing to cancel.
        if transport == nil { cancelConnect = cancel }
    }

    /// Ends it; the channel hears nothing of it any more.
    func close(_ how: TCPConnection.Closing) {
        core = nil
        cancelConnect?()
        cancelConnect = nil
        transport?.close(how, reason: .requested)
    }

    // MARK: Sending

    /// Writes a call's frame.
    ///
    /// - Returns: where it ends in this connection's bytes; nil where there is no room for it.
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
        if call.controller != nil { call.begins(between: peers) }
        return written
    }

    private func encode(
        _ call: OutgoingCall, _ now: MonotonicTime, into output: inout ByteBuffer
    ) throws(RPCError) {
        let nameBytes = call.kind.methodName.count
        guard nameBytes <= TinyPBLimits.maxMethodNameBytes else {
            throw RPCError(
                .failedEncode,
                "the method name has \(nameBytes) bytes; \(TinyPBLimits.maxMethodNameBytes) are allowed"
            )
        }
        try writeInfo(of: call, now)
        let start = call.id.withBytes { id in
            unsafe info.withBytes { info in
                call.kind.withName { name in
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
                .failedEncode, "the request is too large: \(byteCount) bytes, \(limit) are allowed")
        }
    }

    /// Calls that have nothing in it but the same number of milliseconds, as most of a batch do,
    /// share what was written for the first.
    private func writeInfo(of call: OutgoingCall, _ now: MonotonicTime) throws(RPCError) {
        var left: Int64 = -1
        if sendsDeadline, let deadline = unsafe call.terms.deadline {
            left = deadline > now ? Int64((deadline.nanoseconds - now.nanoseconds) / 1_000_000) : 0
        }
        let isPlain = unsafe call.terms.metadata.isEmpty
        if isPlain, left == plainMilliseconds { return }
        unsafe info.removeAll()
        plainMilliseconds = isPlain ? left : nil
        do {
            try unsafe MetadataBlock.write(
                unsafe call.terms.metadata, timeoutMilliseconds: left < 0 ? nil : left, to: &info)
        } catch {
            throw RPCError(.failedEncode, error.description)
        }
    }

    /// Tells the server that nobody waits for that call any more. Never answered.
    func sendCancel(_ id: CallID) {
        let name = CancelFrame.methodNameBytes
        transport?.send { output in
            let before = output.readableBytes
            let start = id.withBytes { id in
                // SAFETY: the name lives, unchanged, until begin returns.
                unsafe codec.begin(
                    messageID: id, methodName: name.span.bytes, in: &output)
            }
            // A frame without payload exceeds no limit that a request of the same id kept.
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
                // With what a reply brings about the channel may let go of this connection.
                if self.core == nil { return input.removeAll() }
            }
        } catch {
            core.refused(self, error)
            transport.close(.now, reason: .rejected("bad frame"))
        }
    }

    /// Hands the next frame to the channel.
    private func takeReply(
        _ input: inout ByteBuffer, _ core: ChannelCore
    ) throws(FrameError) -> Bool {
        let byteCount = try input.withBytes { bytes throws(FrameError) -> Int in
            guard case .frame(let frame, let byteCount) = try codec.step(bytes)
            else { return 0 }
            core.replied(frame, bytes, on: self)
            return byteCount
        }
        input.consume(byteCount)
        return byteCount > 0
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        if isWritable { core?.hasRoomAgain() }
    }

    func draining(_ transport: any Transport) {}

    func inputEnded(_ transport: any Transport) {
        transport.close(.afterFlush, reason: .peerFinished)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        core?.ended(self, reason)
        core = nil
        self.transport = nil
    }
}
