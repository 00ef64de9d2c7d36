import Histogram

/// The messages of a call with a stream. A value.
struct LoadMessages: Hashable, Sendable {
    var sent = 0
    var received = 0
    /// From when each message was given to the channel to when the reply with the same number came, in
    /// nanoseconds; empty unless the method returns a stream, too, and both have the same length.
    var roundTrips: [UInt64] = []
}

/// The messages of all streams of a method. A value.
struct LoadMessageCounts: Sendable {
    private(set) var sent = 0
    private(set) var received = 0
    private(set) var roundTrips = LoadCounts.histogram

    mutating func add(_ messages: LoadMessages) {
        sent += messages.sent
        received += messages.received
        for nanoseconds in messages.roundTrips {
            roundTrips.record(min(LoadCounts.highest, nanoseconds))
        }
    }

    mutating func add(_ other: Self) {
        sent += other.sent
        received += other.received
        roundTrips.add(other.roundTrips)
    }
}

extension LoadReport {
    /// The messages of streams.
    struct Messages: Codable, Hashable, Sendable {
        var sent: Int
        var received: Int
        var sentPerSecond: Double
        var receivedPerSecond: Double
        /// Of the streams that got as many replies as they had messages, in milliseconds: min, mean,
        /// p50 … p99.99, max; missing: there were none.
        var roundTripMs: [String: Double]?

        init(_ counts: LoadMessageCounts, seconds: Double) {
            (sent, received) = (counts.sent, counts.received)
            sentPerSecond = seconds > 0 ? Double(sent) / seconds : 0
            receivedPerSecond = seconds > 0 ? Double(received) / seconds : 0
            let latencies = LoadLatencies(counts.roundTrips)
            roundTripMs = latencies.total > 0 ? latencies.milliseconds : nil
        }
    }

    /// The methods with streams.
    private var streams: [(name: String, messages: Messages)] {
        methods.compactMap { calls in calls.messages.map { (calls.method, $0) } }
    }

    /// The table of messages; empty without streams.
    func messageRows(_ head: String) -> [[String]] {
        let percents = ["p50", "p99", "max"]
        let rows = streams.map { name, messages in
            [
                name, "\(messages.sent)", LoadNumber.text(messages.sentPerSecond, 1),
                "\(messages.received)", LoadNumber.text(messages.receivedPerSecond, 1),
            ]
                + percents.map { name in
                    messages.roundTripMs?[name].map(LoadNumber.milliseconds) ?? "-"
                }
        }
        return rows.isEmpty
            ? [] : [[head, "sent", "sent/s", "received", "received/s"] + percents] + rows
    }
}
