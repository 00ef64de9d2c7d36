import RocketBase
import RocketReactor
import RocketSystem

/// The part of a loop in keeping to a byte budget.
extension LoopConnections {
    /// Returns this loop's connections that hold bytes of the budget.
    func holders(of budget: ByteBudget) -> [ByteHolder] {
        connections.compactMap { $0.group.limiter?.budget === budget ? $0.holder : nil }
    }

    /// Frees memory that nothing uses: of the pool, which is in no budget, and of this loop's
    /// connections. A connection with few bytes may have got a large buffer of the pool.
    func trim(for budget: ByteBudget) {
        unsafe pool.removeAll()
        for connection in connections where connection.group.limiter?.budget === budget {
            connection.trim()
        }
    }

    /// Closes those of the holders that are connections of this loop, except one that holds less
    /// than half by now.
    func close(_ holders: [ByteHolder]) {
        if holders.isEmpty { return }
        let bytes = Dictionary(holders.map { ($0.id, $0.bytes) }, uniquingKeysWith: max)
        let chosen = connections.filter { connection in
            guard let before = bytes[connection.holderID] else { return false }
            return connection.recordedBytes > 0 && connection.recordedBytes >= before / 2
        }
        for connection in chosen { connection.closeForBudget() }
        unsafe pool.removeAll()
    }

    /// Closes the heaviest holders of this loop until the budget is below its ceiling; none where
    /// even all of them would not suffice, since then others hold the bytes.
    func relieve(_ budget: ByteBudget) {
        trim(for: budget)
        if budget.bytesAboveCeiling <= 0 { return }
        let holders = connections.compactMap { connection in
            connection.group.limiter?.budget === budget
                ? connection.holder.map { (connection, $0) } : nil
        }.sorted { $0.1.isHeavier(than: $1.1) }
        var left = holders.reduce(0) { $0 + $1.1.bytes }
        for (connection, holder) in holders {
            let excess = budget.bytesAboveCeiling
            if excess <= 0 || left < excess { return }
            left -= holder.bytes
            connection.closeForBudget()
        }
    }
}

extension TCPConnection {
    fileprivate var holderID: ByteHolder.ID {
        ByteHolder.ID(group: ObjectIdentifier(group), number: number)
    }

    /// What it holds of its server's budget; nil: nothing.
    fileprivate var holder: ByteHolder? {
        if recordedBytes <= 0 { return nil }
        let stalled = deadlines.stalled(outputWaits: waitsForRoom, at: reactor.now)
        let output = heldOutputBytes
        return ByteHolder(
            id: holderID, bytes: recordedBytes,
            weight: Self.weight(recordedBytes - output, stalled.input)
                + Self.weight(output, stalled.output),
            stalled: max(stalled.input, stalled.output))
    }

    private static func weight(_ bytes: Int, _ stalled: Duration) -> Double {
        Double(max(0, bytes)) * (1 + Double(min(stalled, .seconds(1)).wholeNanoseconds) / 1e6)
    }

    /// Frees the memory of large buffers that are mostly empty. Those in use by a handler stay.
    fileprivate func trim() {
        if recordedBytes <= 0 || isInputInUse { return }
        let held = heldBytes
        unsafe input.shrinkMostlyEmpty()
        unsafe output.own.shrinkMostlyEmpty()
        let freed = min(recordedBytes, held - heldBytes)
        recordedBytes -= freed
        _ = group.limiter?.recordBytes(-freed)
    }

    /// Closes the connection in favour of the others, and logs that.
    fileprivate func closeForBudget() {
        let bytes = recordedBytes
        perform(machine.handle(.failed(.serverBufferLimit)))
        guard let budget = group.limiter?.budget else { return }
        budget.countExcess()
        let logger = group.logger.throttled(.warn, "memory budget")
        logger?.warn("the memory for connections is used up; those that hold most are closed") {
            $0.add("peer", self.peerAddress)
            $0.add("bytes", bytes)
            $0.add("limit", budget.limitBytes)
        }
    }
}

extension ByteBuffer {
    /// Frees memory where the buffer is large and less than a quarter full.
    fileprivate mutating func shrinkMostlyEmpty() {
        if capacityBytes > max(BufferPool.keepBytes, 4 * readableBytes) { shrink() }
    }
}
