import RocketSimulation

/// What the connections of a chat have sent and received, and the rules for it. A pure value; times
/// are those of the world.
struct ChatRecords {
    /// What the server does with a line.
    enum Fate { case broadcast, refused, disconnects }

    /// One message of a client.
    struct Line {
        let text: [UInt8]
        let fate: Fate
        let sentAt: Duration
        /// When the server has served it, at the latest, if it reads all the time.
        let servedAt: Duration
        var firstReceivedAt: Duration?
    }

    /// One connection of a client. Its number is the index in `connections`.
    struct Connection {
        let user: Int
        /// The process that it belongs to.
        let isAlive: () -> Bool
        /// It was begun at this time or later.
        let beganAt: Duration
        let upAt: Duration
        /// Has read all the time, over a fast link.
        var readsAlways: Bool
        /// The client has ended its side.
        var leftAt: Duration?
        var endedAt: Duration?
        var lines: [Line] = []
        /// The number of the line that has ended it.
        var lastLine = Int.max
        var refusals = 0
        /// The connections that messages have come from, with the number of the last one.
        var senders: [Int: (last: Int, name: String)] = [:]
        var senderNames: [String: Int] = [:]
        var firstReceiptAt: Duration?
        /// Messages that the server says that it has dropped.
        var dropped = 0
        /// Messages that others have overtaken.
        var missing = 0
        /// Messages that were not there in time.
        var overdue = 0

        var isUp: Bool { endedAt == nil && leftAt == nil && isAlive() }
    }

    typealias Problem = (rule: Violation.Rule, text: String)

    let limits: ChatRules
    private(set) var connections: [Connection] = []
    private(set) var deliveries = 0

    init(_ limits: ChatRules) { self.limits = limits }

    // MARK: What clients do

    mutating func add(_ connection: Connection) -> Int {
        connections.append(connection)
        return connections.count - 1
    }

    mutating func change(_ id: Int, _ body: (inout Connection) -> Void) { body(&connections[id]) }

    /// Returns the text of the next line of a connection: `7.12 abcabc…`, or one that the server
    /// does not broadcast.
    func text(_ id: Int, paddingBytes: Int, _ fate: Fate) -> [UInt8] {
        let number = connections[id].lines.count
        var text = Array("\(id).\(number) ".utf8)
        let room = max(0, limits.maxMessageBytes - text.count)
        let count = fate == .disconnects ? room + 1 : min(paddingBytes, room)
        let before = text.count
        var letters = Self.letters[((id * 7 + number * 3) % Self.letters.count)...]
        while text.count < before + count {
            text += letters.prefix(before + count - text.count)
            letters = Self.letters[...]
        }
        if fate == .refused { text[text.count - 1] = 0xFF }
        return text
    }

    private static let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)

    /// - Returns: the number of the line.
    mutating func sent(_ id: Int, _ text: [UInt8], _ fate: Fate, at now: Duration) -> Int {
        let before = connections[id].lines.last?.servedAt ?? now
        let pace = Duration.seconds(1) / max(1, limits.leastPerSecond)
        connections[id].lines.append(
            Line(text: text, fate: fate, sentAt: now, servedAt: max(now, before) + pace))
        let number = connections[id].lines.count - 1
        if fate == .disconnects { connections[id].lastLine = min(connections[id].lastLine, number) }
        return number
    }

    // MARK: What clients receive

    /// Takes a text of the server.
    ///
    /// - Returns: the message that it is, if it is one, and the rule that it breaks.
    mutating func received(_ text: [UInt8], on id: Int, at now: Duration)
        -> (line: (sender: Int, number: Int)?, problem: Problem?)
    {
        let words = text.split(separator: UInt8(ascii: " "), maxSplits: 3)
            .map { String(decoding: $0.prefix(40), as: UTF8.self) }
        if words.count == 3, words[1] == "messages", let count = Int(words[0]) {
            connections[id].dropped += count
            return (nil, nil)
        }
        if words.count > 2, words[0] == "message", words[1] == "refused:" {
            return (nil, refused(id))
        }
        let numbers = words.count > 2 ? words[2].split(separator: ".").compactMap { Int($0) } : []
        guard words.count > 2, words[0] == "from:", numbers.count == 2,
            connections.indices.contains(numbers[0]),
            connections[numbers[0]].lines.indices.contains(numbers[1])
        else { return (nil, (.custom, "connection \(id) received what nobody has sent: \(words)")) }
        let (sender, number) = (numbers[0], numbers[1])
        deliveries += 1
        let problem = check(text, words[1], sender, number, on: id, at: now)
        connections[id].senders[sender] = (number, words[1])
        connections[id].senderNames[words[1]] = sender
        if connections[id].firstReceiptAt == nil { connections[id].firstReceiptAt = now }
        if connections[sender].lines[number].firstReceivedAt == nil {
            connections[sender].lines[number].firstReceivedAt = now
        }
        return ((sender, number), problem)
    }

    private mutating func refused(_ id: Int) -> Problem? {
        connections[id].refusals += 1
        let invalid = connections[id].lines.count { $0.fate == .refused }
        if connections[id].refusals <= invalid { return nil }
        return (.custom, "a message of connection \(id) was refused that is valid")
    }

    private mutating func check(
        _ text: [UInt8], _ name: String, _ sender: Int, _ number: Int, on id: Int,
        at now: Duration
    ) -> Problem? {
        let from = connections[sender]
        let line = from.lines[number]
        let receiver = connections[id]
        let what = "connection \(id) received message \(sender).\(number)"
        if sender == id { return (.custom, "\(what), which is its own") }
        if text != Array("from: \(name) ".utf8) + line.text {
            return (.custom, "\(what) with other bytes")
        }
        if line.fate != .broadcast || number > from.lastLine {
            return (.custom, "\(what), which the server must refuse")
        }
        if let first = line.firstReceivedAt, first < receiver.beganAt {
            return (.custom, "\(what), which was broadcast before it joined")
        }
        if let problem = checkName(name, sender, receiver, what) { return problem }
        let spent = limits.messageBurst + 1
        let earned = limits.messagesPerSecond * Int((now - from.beganAt) / .milliseconds(1)) / 1000
        if number + 1 > spent + earned {
            return (.limit, "\(what) too early: more than its rate")
        }
        return checkOrder(sender, number, on: id, what)
    }

    /// One name for each sender, and another for each other one.
    private func checkName(_ name: String, _ sender: Int, _ receiver: Connection, _ what: String)
        -> Problem?
    {
        let known = receiver.senderNames[name] ?? sender
        let before = receiver.senders[sender]?.name ?? name
        if known == sender, before == name { return nil }
        return (.custom, "\(what) from \(name), who is connection \(known), and was \(before)")
    }

    private mutating func checkOrder(_ sender: Int, _ number: Int, on id: Int, _ what: String)
        -> Problem?
    {
        var next = number
        if let last = connections[id].senders[sender]?.last {
            if number <= last { return (.custom, "\(what) after \(sender).\(last)") }
            next = last + 1
        } else if let first = connections[id].firstReceiptAt, first <= connections[sender].beganAt {
            // It was in the room before the sender was.
            next = 0
        }
        let lines = connections[sender].lines[next..<number]
        connections[id].missing += lines.count { $0.fate == .broadcast }
        if connections[id].missing <= connections[id].dropped { return nil }
        return (
            .custom,
            "\(what) without those before it: \(connections[id].missing) are missing, and "
                + "\(connections[id].dropped) were dropped"
        )
    }

    // MARK: What has to arrive

    /// Checks that a message has reached everyone who was in the room when it was sent. The server
    /// does not read from clients that don't read.
    mutating func checkArrival(of number: Int, from sender: Int) -> Problem? {
        let line = connections[sender].lines[number]
        guard line.fate == .broadcast, connections[sender].isUp, connections[sender].readsAlways
        else { return nil }
        for id in connections.indices where id != sender {
            let receiver = connections[id]
            let hasJoined = receiver.upAt + Self.joinTime <= line.sentAt
            if !hasJoined || !receiver.readsAlways || !receiver.isUp { continue }
            if let problem = checkArrival(of: number, from: sender, at: id) { return problem }
        }
        return nil
    }

    /// - Returns: the rule that is broken if the message is neither there nor may have been dropped.
    mutating func checkArrival(of number: Int, from sender: Int, at id: Int) -> Problem? {
        if let last = connections[id].senders[sender]?.last, last >= number { return nil }
        connections[id].overdue += 1
        let (overdue, dropped) = (connections[id].overdue, connections[id].dropped)
        if overdue <= dropped { return nil }
        return (
            .liveness,
            "message \(sender).\(number) has not reached connection \(id): \(overdue) are missing, "
                + "and \(dropped) were dropped"
        )
    }

    /// From the moment at which a client is connected until its session has joined.
    static let joinTime = Duration.milliseconds(200)
}

/// The limits of the server that its clients observe. A value.
struct ChatRules: Sendable {
    var maxMessageBytes: Int
    /// Messages of one sender that are served in a second, at least and at most.
    var leastPerSecond: Int
    var messagesPerSecond: Int
    var messageBurst: Int
}
