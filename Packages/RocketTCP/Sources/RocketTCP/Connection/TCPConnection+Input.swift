public import RocketBase
import RocketReactor

extension TCPConnection {
    /// Takes from what the handler left in `received`, later on: for handlers that only take note
    /// there and work it off afterwards. Not from inside `received`, nor from inside itself.
    ///
    /// Writing and closing are fine inside; after a close the bytes stay until the closure ends.
    @inlinable
    public func withInput<Result, E: Error>(
        _ body: (inout ByteBuffer) throws(E) -> Result
    ) throws(E) -> Result {
        let before = lendInput()
        defer { inputReturned(before) }
        return try unsafe body(&input)
    }

    @usableFromInline
    func lendInput() -> Int {
        precondition(!isInputLent, "TCPConnection: withInput inside withInput")
        isInputLent = true
        return unsafe input.readableBytes
    }

    /// The ledger hears of it when the buffer is empty, not with each piece.
    @usableFromInline
    func inputReturned(_ before: Int) {
        isInputLent = false
        if machine.isClosed { return releaseInput() }
        let left = unsafe input.readableBytes
        if left == before { return }
        clock.delivered(leftover: left > 0, consumed: true, at: reactor.now)
        if left > 0 { return }
        unsafe resources.pool.give(from: &input)
        _ = account()
    }
}
