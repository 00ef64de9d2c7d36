public import RocketBase
import RocketReactor

extension TCPConnection {
    /// Takes from what the handler left in `received`, later on: for handlers that only take note
    /// there and work it off afterwards. Not from inside `received`.
    ///
    /// The closure must not use this connection's input in any other way; writing is fine.
    public func withInput<Result, E: Error>(
        _ body: (inout ByteBuffer) throws(E) -> Result
    ) throws(E) -> Result {
        let before = (unsafe input.readableBytes)
        defer { if (unsafe input.readableBytes) < before { inputTaken() } }
        return try unsafe body(&input)
    }

    /// The ledger hears of it when the buffer is empty, not with each piece.
    private func inputTaken() {
        clock.delivered(leftover: (unsafe !input.isEmpty), consumed: true, at: reactor.now)
        guard (unsafe input.isEmpty) else { return }
        unsafe resources.pool.give(from: &input)
        if !machine.isClosed { _ = account() }
    }
}
