import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One connection of a channel and the calls that wait on it. Bound to the channel's loop.
///
/// Calls made while it connects wait for the connection. Once closed it stays closed, and its
/// channel makes another one.
final class ClientConnection: TCPConnectionHandler {
    private unowned let reactor: Reactor
    private let configuration: RPCChannelConfiguration
    private let logger: Logger
    private let target: String
    private let onClose: (ClientConnection) -> Void
    private var tcp: TCPConnection?
    private var isClosed = false
    /// In order, until the connection is there.
    private var waiting: [CallID] = []
    private var pending = PendingCalls<any OutgoingCall>()
    private var deadlineTimer: EarliestTimer?

    init(
        reactor: Reactor, configuration: RPCChannelConfiguration, logger: Logger, target: String,
        onClose: @escaping (ClientConnection) -> Void
    ) {
        self.reactor = reactor
        self.configuration = configuration
        self.logger = logger
        self.target = target
        self.onClose = onClose
    }

    // MARK: Calls

    /// Takes a call over: from now on it is answered exactly once.
    func start(_ call: any OutgoingCall, id: CallID) {
        if isClosed { return call.fail(RPCError(.failedGetReply, "the connection is closed")) }
        guard pending.count < configuration.maxCallsInFlight else {
            return call.fail(
                RPCError(.resourceExhausted, "\(pending.count) calls wait for replies"))
        }
        guard pending.insert(call, id: id, deadline: call.deadline) else {
            return call.fail(
                RPCError(.channelInit, "a call with the same message id waits for its reply"))
        }
        armTimer()
        if tcp == nil { waiting.append(id) } else { send(call, id) }
    }

    /// The caller gave up.
    func cancel(_ id: CallID) {
        pending.remove(id)?.fail(RPCError(.cancelled, "the caller gave the call up"))
    }

    private func send(_ call: any OutgoingCall, _ id: CallID) {
        guard let tcp else { return }
        let failure: RPCError? = tcp.write { output -> RPCError? in
            do throws(RPCError) {
                try encode(call, id, into: &output)
                return nil
            } catch {
                return error
            }
        }
        if let failure { pending.remove(id)?.fail(failure) }
    }

    private func encode(
        _ call: any OutgoingCall, _ id: CallID, into output: inout ByteBuffer
    ) throws(RPCError) {
        let before = output.readableBytes
        var info = ByteBuffer()
        do {
            try MetadataBlock.write(
                call.metadata, timeoutMilliseconds: millisecondsLeft(call), to: &info)
        } catch {
            throw RPCError(.failedEncode, error.description)
        }
        let start = id.withBytes { id in
            info.withBytes { info in
                // SAFETY: the name lives, unchanged, until begin returns.
                unsafe configuration.codec.begin(
                    messageID: id, methodName: call.methodName.span.bytes, errorInfo: info,
                    in: &output)
            }
        }
        do {
            try call.encode(into: &output)
        } catch {
            output.truncate(to: before)
            throw error
        }
        do {
            try configuration.codec.finish(start, in: &output)
        } catch {
            throw RPCError(.failedEncode, "the request is too large: \(error)")
        }
    }

    private func millisecondsLeft(_ call: any OutgoingCall) -> Int64? {
        guard configuration.sendsDeadline, let deadline = call.deadline else { return nil }
        return max(0, (deadline - reactor.now).wholeNanoseconds / 1_000_000)
    }

    // MARK: Deadlines

    private func armTimer() {
        if deadlineTimer == nil {
            deadlineTimer = EarliestTimer(on: reactor, label: "call deadline") {
                [unowned self] in expire()
            }
        }
        deadlineTimer?.expect(pending.nextDeadline)
    }

    private func expire() {
        while let call = pending.removeExpired(now: reactor.now) {
            call.fail(RPCError(.callTimeout, "the deadline passed before the reply"))
        }
        armTimer()
    }

    // MARK: TCPConnectionHandler

    func connected(_ connection: TCPConnection) {
        tcp = connection
        let ids = waiting
        waiting = []
        for id in ids {
            if let call = pending.peek(id) { send(call, id) }
        }
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        do {
            while try takeReply(&input) {}
        } catch {
            logger.error("bad frame, connection closed") {
                $0.add("peer", connection.peerAddress.description)
                $0.add("detail", error.description)
            }
            connection.close(.now, reason: .rejected("bad frame"))
        }
    }

    /// Ends the call that the next frame answers. A reply to nobody (late, double or unknown) is
    /// dropped.
    private func takeReply(_ input: inout ByteBuffer) throws(FrameError) -> Bool {
        let byteCount = try input.withBytes { bytes throws(FrameError) -> Int in
            guard case .frame(let frame, let byteCount) = try configuration.codec.step(bytes)
            else { return 0 }
            guard let id = CallID(bytes.extracting(frame.messageID)),
                let call = pending.remove(id)
            else {
                logger.debug("reply to nobody dropped")
                return byteCount
            }
            if frame.errorCode == 0 {
                call.succeed(bytes.extracting(frame.payload))
            } else {
                call.fail(
                    RPCError(
                        RPCErrorCode(rawValue: frame.errorCode),
                        String(decodingUTF8: bytes.extracting(frame.errorInfo))))
            }
            return byteCount
        }
        input.consume(byteCount)
        return byteCount > 0
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {}

    func draining(_ connection: TCPConnection) {}

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        let error = RPCError(
            .failedGetReply, "the connection ended before the reply: \(reason)")
        end(error)
    }

    /// Connecting failed.
    func failed(_ error: RPCError) { end(error) }

    /// Every call that still waits ends here.
    private func end(_ error: RPCError) {
        guard !isClosed else { return }
        isClosed = true
        tcp = nil
        deadlineTimer?.cancel()
        onClose(self)
        while let call = pending.removeAny() { call.fail(error) }
    }

    /// The channel is closed.
    func close() {
        tcp?.close(.now, reason: .requested)
        end(RPCError(.channelInit, "the channel was closed"))
    }
}
