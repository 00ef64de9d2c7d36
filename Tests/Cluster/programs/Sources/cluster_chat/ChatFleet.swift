import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// The members, and who says what when. Bound to its loop.
final class ChatFleet {
    private let reactor: Reactor
    private let addresses: [NetAddress]
    private let memberCount: Int
    private let rate: Int
    private let report: (String) -> Void
    private let end: (Bool) -> Void
    private var random: Seeded
    private var members: [ChatMember] = []
    private var connecting = 0
    private var connected = 0
    private var joinRounds = 0
    var check: DeliveryCheck
    /// All members in a random order: half of the messages are said by each in turn.
    private var turns: [Int] = []
    private var turnsTaken = 0
    private var isFinishing = false
    private var budget = 0.0
    private enum Phase: String { case joining, talking, ending, ended }
    private var phase = Phase.joining
    private var lastAwaited = 0
    private var idleRounds = 0

    /// So many members connect at a time.
    private static let mostConnecting = 64
    /// Of each server so many members say the other half of the messages.
    private static let talkers = 10
    private static let round = Duration.milliseconds(20)
    /// While so many rounds bring nothing at the end, something hangs.
    private static let mostIdleRounds = 6000

    init(
        to addresses: [NetAddress], members: Int, rate: Int, seed: UInt64, on reactor: Reactor,
        report: @escaping (String) -> Void, end: @escaping (Bool) -> Void
    ) {
        self.reactor = reactor
        self.addresses = addresses
        memberCount = members
        self.rate = rate
        self.report = report
        self.end = end
        random = Seeded(state: seed)
        check = DeliveryCheck(servers: addresses.count, members: members)
        for index in 0..<(members * addresses.count) {
            self.members.append(ChatMember(self, index))
        }
        reactor.schedule(every: Self.round, label: "round") { _ in self.runRound() }
        reactor.schedule(every: .milliseconds(250), label: "report") { _ in self.writeReport() }
        connectMore()
    }

    // MARK: Joining

    private func connectMore() {
        while connecting < members.count, connecting - connected < Self.mostConnecting {
            // In turn, so that all servers accept at once.
            let index = connecting % addresses.count * memberCount + connecting / addresses.count
            connecting += 1
            let address = addresses[index / memberCount]
            TCPClient.connect(
                to: [address], on: reactor, timeout: .seconds(120), handler: members[index]
            ) { [self] in
                if case .failure(let error) = $0 { check.fail("member \(index): \(error)") }
            }
        }
    }

    func memberConnected() {
        connected += 1
        connectMore()
    }

    private func join() {
        if connected < members.count { return }
        if members.indices.allSatisfy({ check.hasJoined($0) }) { return phase = .talking }
        for server in addresses.indices {
            let member = server * memberCount
            members[member].send(check.probe(member))
        }
    }

    // MARK: Talking

    private func runRound() {
        switch phase {
        case .joining:
            joinRounds += 1
            if joinRounds % 25 == 0 { join() }
        case .talking: talk()
        case .ending: awaitArrival()
        case .ended: break
        }
    }

    private func talk() {
        if isFinishing, turnsTaken >= members.count { return phase = .ending }
        // No faster than the members of the same server receive, whatever the machine is.
        let inFlight = check.awaitedLocally / max(1, memberCount - 1)
        budget = min(budget + Double(rate) * 0.02, Double(rate))
        if inFlight > rate { return }
        while budget >= 4 {
            budget -= 4
            let server = Int(random.next() % UInt64(addresses.count))
            let talker = server * memberCount + Int(random.next() % UInt64(Self.talkers))
            for _ in 0..<2 { say(talker) }
            for _ in 0..<2 { say(nextTurn()) }
        }
    }

    private func nextTurn() -> Int {
        turnsTaken += 1
        if turns.isEmpty { turns = Array(members.indices).shuffled(using: &random) }
        return turns.removeLast()
    }

    private func say(_ member: Int) { members[member].send(check.say(member)) }

    // MARK: The end

    /// Says nothing more once all members have spoken, and ends when everything has arrived.
    func finish() {
        if phase == .joining {
            check.fail("the end came before all members had joined")
            phase = .ending
        }
        isFinishing = true
    }

    private func awaitArrival() {
        idleRounds = check.awaited == lastAwaited ? idleRounds + 1 : 0
        lastAwaited = check.awaited
        // A failed check leaves the sum wrong.
        if check.awaited > 0, idleRounds < Self.mostIdleRounds, check.problems.isEmpty { return }
        phase = .ended
        check.finish()
        writeReport()
        end(check.problems.isEmpty)
    }

    // MARK: Reports

    private func writeReport() {
        func list(_ values: some Collection<Int>) -> String {
            "[" + values.map { "\($0)" }.joined(separator: ",") + "]"
        }
        let reached = addresses.indices.map {
            list(check.reached.split(every: addresses.count)[$0])
        }
        let problems = check.problems.map { "\"" + $0.filter { $0 != "\"" && $0 != "\\" } + "\"" }
        report(
            "{\"phase\":\"\(phase)\",\"connected\":\(connected),\"said\":\(list(check.said)),"
                + "\"reached\":[\(reached.joined(separator: ","))],\"received\":\(check.received),"
                + "\"declared\":\(check.declared),\"awaited\":\(check.awaited),"
                + "\"lost_notices\":\(check.lostNotices),"
                + "\"back_notices\":\(check.backNotices),"
                + "\"problems\":[\(problems.joined(separator: ","))]}\n")
    }
}

extension Array {
    fileprivate func split(every count: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: self.count, by: count).map { self[$0..<($0 + count)] }
    }
}

/// One client of a server. Bound to the loop; owned by its connection and the fleet.
final class ChatMember: TCPConnectionHandler {
    private unowned let fleet: ChatFleet
    private let index: Int
    private var connection: TCPConnection?

    init(_ fleet: ChatFleet, _ index: Int) {
        self.fleet = fleet
        self.index = index
    }

    func send(_ text: [UInt8]) {
        connection?.write {
            $0.append(bigEndian: UInt32(text.count))
            $0.append(text)
        }
    }

    func connected(_ connection: TCPConnection) {
        self.connection = connection
        fleet.memberConnected()
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        let codec = LengthFieldCodec(maxPayloadBytes: 1 << 20)
        let taken = input.withBytes { bytes in
            var taken = 0
            while case .frame(let text, let size)? = try? codec.step(bytes.extracting(taken...)) {
                fleet.check.take(
                    bytes.extracting((taken + text.lowerBound)..<(taken + text.upperBound)),
                    by: index)
                taken += size
            }
            return taken
        }
        input.consume(taken)
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        self.connection = nil
        fleet.check.fail("member \(index) was disconnected: \(reason)")
    }
}

/// Random numbers from a seed (SplitMix64). A value.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
