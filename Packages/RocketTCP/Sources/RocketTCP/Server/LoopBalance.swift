import RocketSystem

/// Decides between which loops of a server connections move, and which ones. A value without clock
/// and I/O: the server and the queueing simulation of its tests run the same code.
///
/// A loop that is busy for more than half of the time gives connections to the loop that has most time
/// left, if that has a fifth of a core more. After that both are left alone until their new load has been
/// seen for a whole look.
struct LoopBalance {
    /// Connections are to move between these loops, given by their indices.
    struct Transfer: Hashable {
        let source, target: Int
    }

    /// What one connection has transferred while its loop was observed.
    struct Activity: Hashable {
        /// Chosen by the caller, who gets it back.
        let index: Int
        /// Received and sent.
        let bytes: UInt64
    }

    /// Between two looks, and how long connections are observed before they move.
    static let interval = Duration.seconds(1)
    /// Loops that are busy for a smaller share of the time have hardly a queue.
    static let leastLoad = 0.5
    /// Smaller differences between two loops are noise, or not worth a move.
    static let leastDifference = 0.2
    /// The most connections that one transfer moves.
    static let mostMoves = 64
    /// So many looks after a transfer was begun, its loops take part in none: in the first of them the
    /// connections are observed, in the second they move.
    private static let pause = 2
    /// A connection moves if it makes at most so much of the difference: then the loops differ by
    /// half as much as before, at most.
    private static let largestPart = 0.75

    private var time = MonotonicTime(nanoseconds: 0)
    /// How long each loop has worked in all, as of the last look; empty: there was none.
    private var worked: [UInt64] = []
    /// The looks in which each loop takes no part.
    private var pauses: [Int] = []

    /// Takes a look at the loops.
    ///
    /// - Parameter worked: how long each one has worked in all, in nanoseconds.
    /// - Returns: at most one transfer for each loop.
    mutating func look(at now: MonotonicTime, worked: [UInt64]) -> [Transfer] {
        let before = self.worked
        let elapsed = Double(now.nanoseconds &- time.nanoseconds)
        (time, self.worked) = (now, worked)
        if before.count != worked.count {
            pauses = Array(repeating: 0, count: worked.count)
            return []
        }
        let loads = zip(worked, before).map { Double($0 &- $1) / max(1, elapsed) }
        var free = loads.indices.filter { pauses[$0] == 0 }
            .sorted { (loads[$0], $0) < (loads[$1], $1) }
        for index in pauses.indices where pauses[index] > 0 { pauses[index] -= 1 }
        var transfers: [Transfer] = []
        while free.count > 1 {
            let (source, target) = (free.removeLast(), free.removeFirst())
            if loads[source] < Self.leastLoad
                || loads[source] - loads[target] < Self.leastDifference
            {
                break
            }
            transfers.append(Transfer(source: source, target: target))
            for index in [source, target] { pauses[index] = Self.pause }
        }
        return transfers
    }

    /// Chooses the connections that move from a loop to another one. The load of a loop is taken to be
    /// made by its connections in proportion to their bytes.
    ///
    /// - Parameters:
    ///   - connections: those that may move.
    ///   - totalBytes: of all connections of the loop.
    ///   - load: that of their loop while they were observed, 0 to 1.
    ///   - other: that of the other loop.
    /// - Returns: their indices: as few as make the loads about equal, and none if none does.
    static func chosen(
        of connections: [Activity], totalBytes: UInt64, load: Double, other: Double
    ) -> [Int] {
        var difference = load - other
        if load < leastLoad || difference < leastDifference { return [] }
        var chosen: [Int] = []
        for connection in connections.sorted(by: { ($1.bytes, $0.index) < ($0.bytes, $1.index) }) {
            let part = load * Double(connection.bytes) / Double(max(1, totalBytes))
            if chosen.count == mostMoves || difference < leastDifference / 2 || part == 0 { break }
            if part > difference * largestPart { continue }
            chosen.append(connection.index)
            difference -= 2 * part
        }
        return chosen
    }
}
