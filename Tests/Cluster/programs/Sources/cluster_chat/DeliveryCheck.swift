import RocketBase

/// What was said, and what each member has received of it: checks that a member has all messages, those
/// of each sender in order, nothing twice, but for those that were declared missing to it. A value.
///
/// A server numbers the messages of its members. So what a member has of another server is a position:
/// the messages that it received and those that were declared missing. At each position there is the
/// same message for all members of other servers.
struct DeliveryCheck {
    private let serverCount: Int
    /// Members of each server.
    private let memberCount: Int
    /// Messages said by members of each server, probes included.
    private(set) var said: [Int]
    /// Messages said by each member, probes not included.
    private var saidBy: [UInt32]
    /// What each member is called by its server; empty: nothing was received of it.
    private var names: [[UInt8]]
    private var serverNames: [[UInt8]]
    /// The message at each position, by server: its sender and its number; 0: nobody has received it.
    private var messages: [[UInt64]]
    /// Of each member at each server.
    private var positions: [Int]
    /// The next number of each member of the own server, for each member.
    private var nextNumbers: [UInt32]
    /// The greatest position of a message received, by its server and that of the receiver.
    private(set) var reached: [Int]
    /// Positions that are still to be passed, over all members.
    private(set) var awaited = 0
    /// Of them, those of the members' own servers.
    private(set) var awaitedLocally = 0
    /// Messages that were received, and that were declared missing, over all members.
    private(set) var received = 0
    private(set) var declared = 0
    /// Notices that other servers are lost, and that they are back, over all members.
    private(set) var lostNotices = 0
    private(set) var backNotices = 0
    /// What is wrong, at most 10.
    private(set) var problems: [String] = []

    init(servers: Int, members: Int) {
        serverCount = servers
        memberCount = members
        let all = servers * members
        said = Array(repeating: 0, count: servers)
        saidBy = Array(repeating: 0, count: all)
        names = Array(repeating: [], count: all)
        serverNames = Array(repeating: [], count: servers)
        messages = Array(repeating: [], count: servers)
        positions = Array(repeating: 0, count: all * servers)
        nextNumbers = Array(repeating: 0, count: all * members)
        reached = Array(repeating: 0, count: servers * servers)
    }

    func server(of member: Int) -> Int { member / memberCount }

    mutating func fail(_ problem: String) {
        if problems.count < 10 { problems.append(problem) }
    }

    // MARK: What is said

    /// Returns the text of the next message of a member.
    mutating func say(_ member: Int) -> [UInt8] {
        let number = saidBy[member]
        saidBy[member] += 1
        said[server(of: member)] += 1
        awaited += serverCount * memberCount - 1
        awaitedLocally += memberCount - 1
        return Self.text(member, "m", Int(number))
    }

    /// Returns the text of a probe: whoever receives it is a member, and at this position.
    mutating func probe(_ member: Int) -> [UInt8] {
        defer { said[server(of: member)] += 1 }
        return Self.text(member, "p", said[server(of: member)])
    }

    /// `0012 m00000034 `, and padding.
    private static func text(_ member: Int, _ kind: String, _ number: Int) -> [UInt8] {
        func digits(_ value: Int, _ count: Int) -> String {
            let text = "\(value)"
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let padding = String(repeating: "x", count: 24)
        return Array("\(digits(member, 4)) \(kind)\(digits(number, 8)) \(padding)".utf8)
    }

    // MARK: What is received

    mutating func take(_ text: RawSpan, by member: Int) {
        let text = Span<UInt8>(_bytes: text)
        guard let found = Received(text) else {
            return takeNotice(
                String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self), member)
        }
        guard found.sender < names.count, found.sender != member else {
            return fail("member \(member) received its own message, or one of nobody")
        }
        checkName(text, found)
        let server = server(of: found.sender)
        if found.isProbe {
            return positions[member * serverCount + server] = found.number + 1
        }
        received += 1
        if found.number >= saidBy[found.sender] {
            return fail("\(found.sender) has not said \(found.number), which \(member) received")
        }
        if server == self.server(of: member) {
            takeLocal(found, member)
        } else {
            takeRemote(found, server, member)
        }
    }

    private mutating func takeLocal(_ found: Received, _ member: Int) {
        let index = member * memberCount + found.sender % memberCount
        if found.number != nextNumbers[index] {
            fail(
                "\(member) received \(found.number) of \(found.sender) and not \(nextNumbers[index])"
            )
        }
        nextNumbers[index] = UInt32(found.number) + 1
        awaited -= 1
        awaitedLocally -= 1
    }

    private mutating func takeRemote(_ found: Received, _ server: Int, _ member: Int) {
        let index = member * serverCount + server
        let position = positions[index]
        positions[index] += 1
        awaited -= 1
        guard position < said[server] else {
            return fail("\(member) has more of server \(server) than was said")
        }
        while messages[server].count <= position { messages[server].append(0) }
        let message = UInt64(found.sender + 1) << 32 | UInt64(found.number)
        let known = messages[server][position]
        if known == 0 {
            messages[server][position] = message
        } else if known != message {
            fail(
                "at \(position) of server \(server) \(member) received \(found.number) of "
                    + "\(found.sender), others \(known & 0xFFFF_FFFF) of \(known >> 32 - 1)")
        }
        let pair = server * serverCount + self.server(of: member)
        reached[pair] = max(reached[pair], position + 1)
    }

    /// A member has one name at all receivers, which no other one has.
    private mutating func checkName(_ text: Span<UInt8>, _ found: Received) {
        let name = names[found.sender]
        if name.isEmpty { return setName(found.name.map { text[$0] }, of: found.sender) }
        var isEqual = name.count == found.name.count
        for index in name.indices where isEqual {
            isEqual = name[index] == text[found.name.lowerBound + index]
        }
        if !isEqual { fail("member \(found.sender) has two names") }
    }

    private mutating func setName(_ name: [UInt8], of member: Int) {
        names[member] = name
        let server = server(of: member)
        let serverName = Array(name[((name.firstIndex(of: UInt8(ascii: "@")) ?? -1) + 1)...])
        if serverNames[server].isEmpty { serverNames[server] = serverName }
        if serverNames[server] != serverName || serverNames.count(where: { $0 == serverName }) != 1
        {
            fail("the name of server \(server) is not its own")
        }
    }

    private mutating func takeNotice(_ text: String, _ member: Int) {
        if text == "other servers can't be reached: messages stay on this server until they can" {
            lostNotices += 1
        } else if text == "other servers are reached again" {
            backNotices += 1
        } else if let (count, server) = missing(text) {
            positions[member * serverCount + server] += count
            awaited -= count
            declared += count
            if positions[member * serverCount + server] > said[server] {
                fail("more of server \(server) was declared missing to \(member) than was said")
            }
        } else {
            fail("member \(member) received: \(text)")
        }
    }

    /// `3 messages missing (of server beta)`
    private func missing(_ text: String) -> (count: Int, server: Int)? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[1] == "messages", words[2] == "missing",
            words[3] == "(of", words[4] == "server", let count = Int(words[0]),
            let server = serverNames.firstIndex(of: Array(words[5].dropLast().utf8))
        else { return nil }
        return (count, server)
    }

    // MARK: The end

    /// Whether a member has received a probe of each server, but for its own of its server.
    func hasJoined(_ member: Int) -> Bool {
        (0..<serverCount).allSatisfy {
            positions[member * serverCount + $0] > 0
                || ($0 == server(of: member) && member % memberCount == 0)
        }
    }

    /// Checks what is only known when everything has arrived.
    mutating func finish() {
        for server in messages.indices {
            var next = Array(repeating: UInt64(0), count: names.count + 1)
            for message in messages[server] where message != 0 {
                let (sender, number) = (Int(message >> 32), message & 0xFFFF_FFFF)
                if number < next[sender] {
                    fail(
                        "\(sender - 1) of server \(server): \(number) came behind \(next[sender] - 1)"
                    )
                }
                next[sender] = number + 1
            }
        }
        for member in names.indices {
            for server in 0..<serverCount where server != self.server(of: member) {
                let position = positions[member * serverCount + server]
                if position != said[server] {
                    fail(
                        "\(member) has \(position) of the \(said[server]) messages of server \(server)"
                    )
                }
            }
        }
        let unheard = names.count { $0.isEmpty }
        if unheard > 0 { fail("nothing was received of \(unheard) members") }
        if Set(names).count != names.count { fail("two members have one name") }
    }
}

/// A message as it is received: `from: client1@alpha: 0012 m00000034 xxx`. A value.
private struct Received {
    let name: Range<Int>
    let sender: Int
    let isProbe: Bool
    let number: Int

    private static let start = "from: ".utf8.count

    /// Nil for a notice.
    init?(_ text: Span<UInt8>) {
        var end = Self.start
        // Notices begin with digits or an o.
        guard text.count > end, text[0] == UInt8(ascii: "f") else { return nil }
        while end < text.count, text[end] != UInt8(ascii: ":") { end += 1 }
        name = Self.start..<end
        guard end + 16 < text.count, let sender = Self.number(text, (end + 2)..<(end + 6)),
            let number = Self.number(text, (end + 8)..<(end + 16))
        else { return nil }
        self.sender = sender
        self.number = number
        isProbe = text[end + 7] == UInt8(ascii: "p")
    }

    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var value = 0
        for index in range {
            let digit = text[index] &- 0x30
            if digit > 9 { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
