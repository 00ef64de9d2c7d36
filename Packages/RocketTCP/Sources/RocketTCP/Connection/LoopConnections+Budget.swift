import RocketBase
import RocketReactor
import RocketSystem

/// The part of a loop in keeping to a byte budget.
extension LoopConnections {
    /// Returns this loop's connections that hold bytes of the budget.
    func holders(of budget: ByteBudget) -> [ByteHolder] {
        connections.compactMap { $0.group.limiter?.budget === budget ? $0.holder : nil }
    }

    /// Closes those of the holders that are connections of this loop.
    func close(_ holders: [ByteHolder], of budget: ByteBudget) {
        if holders.isEmpty { return }
        let chosen = connections.filter { connection in
            connection.group.limiter?.budget === budget
                && holders.contains { $0.names(connection) }
        }
        for connection in chosen { connection.closeForBudget() }
    }

    /// Closes the heaviest holders of this loop until the budget is below its ceiling.
    func relieve(_ budget: ByteBudget) {
        while budget.isAboveCeiling,
            let heaviest = holders(of: budget).max(by: { $0.weight < $1.weight })
        {
            close([heaviest], of: budget)
        }
    }
}

extension TCPConnection {
    /// What it holds of its server's budget; nil: nothing.
    fileprivate var holder: ByteHolder? {
        if recordedBytes <= 0 { return nil }
        let stalled = deadlines.stalled(outputWaits: waitsForRoom, at: reactor.now)
        let output = heldOutputBytes
        return ByteHolder(
            group: ObjectIdentifier(group), number: number, bytes: recordedBytes,
            weight: Self.weight(recordedBytes - output, stalled.input)
                + Self.weight(output, stalled.output))
    }

    private static func weight(_ bytes: Int, _ stalled: Duration) -> Double {
        Double(max(0, bytes)) * (1 + Double(stalled.wholeNanoseconds) / 1e6)
    }

    /// Closes the connection in favour of the others, and logs that.
    fileprivate func closeForBudget() {
        let bytes = recordedBytes
        perform(machine.handle(.failed(.serverBufferLimit)))
        guard let budget = group.limiter?.budget else { return }
        let logger = group.logger.throttled(.warn, "memory budget")
        logger?.warn("the memory for connections is used up; those that hold most are closed") {
            $0.add("peer", self.peerAddress)
            $0.add("bytes", bytes)
            $0.add("limit", budget.limitBytes)
        }
    }
}
