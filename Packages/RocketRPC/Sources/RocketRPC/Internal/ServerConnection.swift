import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One client's connection: takes frames out of its input, and puts answers into its output.
/// Bound to its loop.
final class ServerConnection: TCPConnectionHandler {
    let core: ServerLoop
    private(set) var peers = ConnectionPeers.none
    private var tcp: TCPConnection?
    /// Calls whose handlers run now, suspended ones included.
    private(set) var callsInFlight = 0
    private var isDraining = false
    /// The peer sends no more; what it asked is still answered.
    private var isInputEnded = false
    /// A frame rule was broken: what stands in the input means nothing and is not looked at again
    /// while the connection flushes and ends.
    private var isBroken = false

    init(core: ServerLoop) { self.core = core }

    /// The tick's time.
    var now: MonotonicTime { core.reactor.now }

    // MARK: TCPConnectionHandler

    func connected(_ connection: TCPConnection) {
        tcp = connection
        peers = ConnectionPeers(
            local: connection.localAddress, peer: connection.peerAddress)
        core.connections.insert(ObjectIdentifier(self))
    }

    /// Only notes that there is something to do: the drivers take it from the input.
    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        core.drivers.enqueue(self)
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        // The connection itself stops reading above its high water mark; nothing to add here.
    }

    func draining(_ connection: TCPConnection) {
        isDraining = true
        core.drivers.enqueue(self)
    }

    func inputEnded(_ connection: TCPConnection) {
        isInputEnded = true
        core.drivers.enqueue(self)
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        tcp = nil
        core.connections.remove(ObjectIdentifier(self))
        core.drivers.abandonCalls(of: self)
        core.logger.debug("connection closed") {
            $0.add("peer", peers.peerText)
            $0.add("reason", reason.description)
        }
    }

    // MARK: Taking calls

    /// What the first frame of the input calls for.
    private enum Step {
        case nothing
        case serve(any MethodHandler, TinyPBFrame, byteCount: Int)
        case refused(byteCount: Int)
        case broken(FrameError)
    }

    /// Serves the next whole frame, until its handler is done.
    ///
    /// - Returns: false when there is none.
    func serveNext(_ call: ServerCall) async -> Bool {
        guard let tcp, !isBroken else { return false }
        switch step(tcp, call) {
        case .nothing:
            closeIfDone()
            return false
        case .serve(let handler, let frame, let byteCount):
            callsInFlight += 1
            await handler.serve(frame, byteCount: byteCount, of: call)
            callsInFlight -= 1
            if callsInFlight == 0, isEnding { core.drivers.enqueue(self) }
            return true
        case .refused(let byteCount):
            tcp.withInput { $0.consume(byteCount) }
            return true
        case .broken(let error):
            isBroken = true
            core.logger.error("bad frame, connection closed") {
                $0.add("peer", peers.peerText)
                $0.add("rule", error.rule.rawValue)
                $0.add("offset", error.offset)
                $0.add("detail", error.description)
            }
            tcp.close(.afterFlush, reason: .rejected("bad frame"))
            return false
        }
    }

    private func step(_ tcp: TCPConnection, _ call: ServerCall) -> Step {
        tcp.withInput { input in
            input.withBytes { bytes in
                do throws(FrameError) {
                    switch try core.codec.step(bytes) {
                    case .needMore:
                        return .nothing
                    case .frame(let frame, let byteCount):
                        return admit(frame, byteCount, bytes, call)
                    }
                } catch {
                    if let id = error.messageID {
                        refuse(
                            bytes.extracting(id), RawSpan(),
                            RPCError(.failedDecode, error.description))
                    }
                    return .broken(error)
                }
            }
        }
    }

    /// Looks the method up and checks the limits.
    private func admit(
        _ frame: TinyPBFrame, _ byteCount: Int, _ bytes: RawSpan, _ call: ServerCall
    ) -> Step {
        let error: RPCError
        if let handler = core.table.lookup(bytes.extracting(frame.methodName)) {
            // Where err_code is not 0, err_info is text and no metadata.
            let timeout =
                frame.errorCode == 0
                ? MetadataBlock.timeoutMilliseconds(bytes.extracting(frame.errorInfo)) : nil
            if isDraining {
                error = RPCError(.unavailable, "the server is draining")
            } else if let refusal = core.limits.refusal(callsOnConnection: callsInFlight) {
                error = refusal
            } else if timeout == 0 {
                error = RPCError(.callTimeout, "the deadline had passed when the call arrived")
            } else {
                let deadline = timeout.map { now + .milliseconds($0) }
                call.begin(frame, bytes, handler, of: self, deadline: deadline)
                return .serve(handler, frame, byteCount: byteCount)
            }
        } else {
            let name = bytes.extracting(frame.methodName)
            error = core.table.failure(for: String(decodingUTF8: name))
        }
        refuse(bytes.extracting(frame.messageID), bytes.extracting(frame.methodName), error)
        return .refused(byteCount: byteCount)
    }

    /// Takes the frame that `serve` was told of out of the input, after a look at its bytes.
    func takeFrame<Result>(
        _ byteCount: Int, _ body: (RawSpan) throws -> Result
    ) throws -> Result {
        guard let tcp else { throw CancellationError() }
        return try tcp.withInput { input in
            defer { input.consume(byteCount) }
            return try input.withBytes(body)
        }
    }

    // MARK: Answering

    private func refuse(_ messageID: RawSpan, _ methodName: RawSpan, _ error: RPCError) {
        let info = [UInt8](error.message.utf8)
        // SAFETY: the array lives, unchanged, until send returns.
        unsafe send(messageID, methodName, error.code, info.span.bytes) { _ in }
        core.logger.debug("call refused") {
            $0.add("msg_id", String(decodingUTF8: messageID))
            $0.add("method", String(decodingUTF8: methodName))
            $0.add("peer", peers.peerText)
            $0.add("code", error.code.name)
        }
    }

    /// Encodes one answer straight into the connection's output, which is written once a tick.
    ///
    /// One that is too large becomes an error that says so; and one whose text is too large loses
    /// it. What is left then fits, since the request with the same id and name did.
    func send(
        _ messageID: RawSpan, _ methodName: RawSpan, _ code: RPCErrorCode, _ info: RawSpan,
        _ payload: (inout ByteBuffer) -> Void
    ) {
        guard let tcp else { return }
        let codec = core.codec
        tcp.write { output in
            func append(_ code: RPCErrorCode, _ info: RawSpan) -> FrameError? {
                let start = codec.begin(
                    messageID: messageID, methodName: methodName, errorCode: code.rawValue,
                    errorInfo: info, in: &output)
                if code.rawValue == 0 { payload(&output) }
                do throws(FrameError) {
                    try codec.finish(start, in: &output)
                    return nil
                } catch {
                    return error
                }
            }
            guard let error = append(code, info) else { return }
            let failure = code.rawValue == 0 ? .failedEncode : code
            let text = [UInt8](error.description.utf8)
            // SAFETY: the array lives, unchanged, until append returns.
            if unsafe append(failure, text.span.bytes) != nil { _ = append(failure, RawSpan()) }
        }
    }

    /// No further call will come, or none that would be served.
    private var isEnding: Bool { isDraining || isInputEnded }

    /// When the input is used up and the last call is answered.
    private func closeIfDone() {
        guard isEnding, callsInFlight == 0 else { return }
        tcp?.close(.afterFlush, reason: isInputEnded ? .peerFinished : .drained)
    }
}

extension String {
    /// Text from bytes that a peer sent; what is no UTF-8 becomes U+FFFD.
    init(decodingUTF8 bytes: RawSpan) {
        // SAFETY: the pointer does not leave the closure.
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
