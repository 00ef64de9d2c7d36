import RocketBase
import RocketCodec
import RocketSystem

// Takes replies out of the input, and skips those that are larger than the codec's limit.

extension ClientConnection {
    /// Passes all complete replies to the channel.
    func takeReplies(_ input: inout ByteBuffer, _ core: ChannelCore) throws(FrameError) {
        if bytesToSkip > 0 { try skip(&input) }
        while true {
            do throws(FrameError) {
                while try takeReply(&input, core) {
                    // A reply can make the channel close this connection.
                    if self.core == nil { return input.removeAll() }
                }
                return
            } catch {
                guard try takeOversized(&input, core, error) else { return }
            }
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
            if streams != nil, try takeStreamFrame(frame, bytes) { return byteCount }
            core.received(frame, bytes, on: self)
            return byteCount
        }
        input.consume(byteCount)
        return byteCount > 0
    }

    /// Fails the call of a reply that is over the limit, and begins to skip its bytes.
    ///
    /// - Parameter error: why the next frame can't be taken; thrown if it can't be skipped, too.
    /// - Returns: whether all its bytes are skipped.
    private func takeOversized(
        _ input: inout ByteBuffer, _ core: ChannelCore, _ error: FrameError
    ) throws(FrameError) -> Bool {
        guard error.rule == .frameLength, error.found > codec.maxFrameBytes else { throw error }
        let head = try input.withBytes { bytes throws(FrameError) -> OversizedFrame? in
            guard case .frame(let head, _)? = try codec.oversized(bytes) else { return nil }
            if let streams {
                switch OversizedData.inspect(head, bytes) {
                case .needMore: return nil
                case .data(let data):
                    try streams.receivedUnreadable(data, core.tooLarge(head.byteCount, codec))
                    return head
                case .other: break
                }
            }
            core.receivedOversized(
                bytes.extracting(head.messageID), head.byteCount, on: self)
            return head
        }
        guard let head else { return false }
        guard head.isSkippable else { throw error }
        bytesToSkip = head.byteCount
        try skip(&input)
        return bytesToSkip == 0
    }

    /// Drops the bytes of an oversized reply. Its last byte must be the end marker.
    private func skip(_ input: inout ByteBuffer) throws(FrameError) {
        let count = min(bytesToSkip, input.readableBytes)
        if count == 0 { return }
        let last = input.withBytes { bytes -> UInt8 in
            // SAFETY: the bytes are valid in the closure, and count is from 1 to their number.
            unsafe bytes.unsafeLoad(fromByteOffset: count - 1, as: UInt8.self)
        }
        bytesToSkip -= count
        input.consume(count)
        if bytesToSkip == 0, last != 0x03 {
            throw FrameError(.endMarker, at: count - 1, found: Int64(last), allowed: 3...3)
        }
    }
}
