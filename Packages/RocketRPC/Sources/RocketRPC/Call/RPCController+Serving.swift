import RocketCodec
import RocketSystem

// Of a call that is being served: the side of the server.

extension RPCController {
    /// Starts over for a call that came in `frame`. Nobody else has a reference.
    @inline(__always)
    func begin(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ method: MethodEntry,
        of connection: ServerConnection, deadline: MonotonicTime?
    ) {
        let startedAt = connection.dispatcher.beginsCall()
        // Where err_code is not 0, err_info is text and no metadata.
        let metadata = bytes.extracting(frame.errorCode == 0 ? frame.errorInfo : 0..<0)
        withUnsharedState { state in
            state.messageID.become(bytes.extracting(frame.messageID))
            state.requestMetadata.become(metadata)
            if state.served !== method {
                state.served = method
                state.method = method.fullName
            }
            if state.peers !== connection.peers { state.peers = connection.peers }
            state.deadline = deadline
            state.startedAt = startedAt
            state.requestBytes = frame.payload.count
            if state.isUsed { state.startOver() }
        }
    }
}

extension [UInt8] {
    /// Holds these bytes in place of the old ones, in the same memory where it can.
    fileprivate mutating func become(_ bytes: RawSpan) {
        // SAFETY: the pointers do not leave the closures.
        if count == bytes.byteCount {
            // As a rule: ids are of one length.
            if isEmpty { return }
            unsafe withUnsafeMutableBytes { old in
                unsafe bytes.withUnsafeBytes { unsafe old.copyMemory(from: $0) }
            }
        } else {
            removeAll(keepingCapacity: true)
            unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
        }
    }
}
