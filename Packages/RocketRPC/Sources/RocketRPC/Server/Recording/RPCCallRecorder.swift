import RocketSystem

/// One recording of the calls of a server: what the loops have recorded, until it is taken. Any thread.
///
/// A loop locks it twice for each call that is recorded, and for no other call.
@_spi(Recording) public final class RPCCallRecorder: Sendable {
    /// What has happened to the calls of the chosen methods.
    public struct Counts: Hashable, Sendable {
        /// Recorded, whether they have been taken or not.
        public var recorded = 0
        /// Chosen, and dropped because the memory for calls was used up.
        public var dropped = 0
        /// Chosen, and given up by their callers: there is no reply.
        public var cancelled = 0
        /// Calls of methods with streams, which are not recorded.
        public var streams = 0
        /// Messages that were too large, and are left out of calls.
        public var omittedMessages = 0
    }

    private struct State: ~Copyable {
        var calls = RingBuffer<RPCRecordedCall>()
        /// Of calls that have been chosen and not been taken.
        var bytes = 0
        var inFlight = 0
        var counts = Counts()
        var isStopped = false
    }

    /// What a call costs beside its messages.
    static let bytesPerCall = 512

    let settings: RPCRecordingSettings
    /// The wall clock when the monotonic one was zero.
    private let epoch: Int64
    private let state = Locked(State())

    init(_ settings: RPCRecordingSettings, time: any TimeSource) {
        self.settings = settings
        epoch = time.wall().nanoseconds &- Int64(truncatingIfNeeded: time.monotonic().nanoseconds)
    }

    /// What has happened so far.
    public var counts: Counts { state.withLock { $0.counts } }

    /// Whether all calls that were asked for have been recorded.
    public var isComplete: Bool {
        guard let most = settings.maxCalls else { return false }
        return state.withLock { $0.counts.recorded >= most }
    }

    /// Returns the oldest call that was recorded and not taken; nil: there is none.
    public func take() -> RPCRecordedCall? {
        state.withLock { state in
            guard let call = state.calls.popFirst() else { return nil }
            state.bytes -= call.byteCount
            return call
        }
    }

    /// Nothing is recorded from now on; what was recorded can still be taken.
    func stop() { state.withLock { $0.isStopped = true } }

    // MARK: On the loops

    func wall(_ monotonic: UInt64) -> WallTime {
        WallTime(nanoseconds: epoch &+ Int64(truncatingIfNeeded: monotonic))
    }

    /// Reserves memory for a call.
    ///
    /// - Parameter bytes: what its request and metadata occupy.
    /// - Returns: false if the call is not recorded.
    func begin(_ bytes: Int) -> Bool {
        state.withLock { state in
            if state.isStopped { return false }
            if let most = settings.maxCalls, state.counts.recorded + state.inFlight >= most {
                return false
            }
            guard state.bytes + bytes <= settings.bufferBytes else {
                state.counts.dropped += 1
                return false
            }
            state.bytes += bytes
            state.inFlight += 1
            return true
        }
    }

    func countStream() { state.withLock { $0.counts.streams += 1 } }

    /// A call that has begun has ended.
    ///
    /// - Parameter isCancelled: without a reply.
    func end(_ call: RPCRecordedCall, isCancelled: Bool) {
        let replyBytes = call.replyByteCount
        state.withLock { state in
            state.inFlight -= 1
            let fits = state.bytes + replyBytes <= settings.bufferBytes
            if isCancelled || state.isStopped || !fits {
                state.bytes -= call.requestByteCount
                if isCancelled {
                    state.counts.cancelled += 1
                } else if !fits {
                    state.counts.dropped += 1
                }
                return
            }
            state.bytes += replyBytes
            state.calls.append(call)
            state.counts.recorded += 1
            if call.request.bytes == nil { state.counts.omittedMessages += 1 }
            if let response = call.response, response.bytes == nil {
                state.counts.omittedMessages += 1
            }
        }
    }
}
