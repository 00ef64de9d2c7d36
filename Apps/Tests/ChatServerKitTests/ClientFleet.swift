import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import Synchronization

@testable import ChatServerKit

/// Many clients on one loop, so that a thousand need no thread each: they send numbered messages
/// and check what they receive. Texts are `SENDER NUMBER padding`.
final class ClientFleet: Sendable {
    private let thread: IOThread
    private let clients = Locked<[LoopBound<FleetClient>]>([])
    private let received = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let failures = Locked<[String]>([])
    private let connected = Atomic<Int>(0)
    /// Notified after each change of the three above.
    private let changed = AsyncEvent()

    /// - Parameter allowsDrops: whether the server may drop messages and notify of their number.
    init(allowsDrops: Bool = false) throws {
        self.allowsDrops = allowsDrops
        thread = try IOThread(name: "fleet")
    }

    /// Adds clients, and returns when they are connected. The server may not have accepted them.
    func add(_ count: Int, to address: NetAddress) async {
        let before = connected.load(ordering: .acquiring)
        thread.loop.execute { [self] reactor in
            for _ in 0..<count {
                let client = FleetClient(self)
                clients.withLock { $0.append(LoopBound(client, on: reactor)) }
                TCPClient.connect(
                    to: [address], on: reactor, timeout: .seconds(3600), handler: client
                ) { [self] in if case .failure(let error) = $0 { record("\(error)") } }
            }
        }
        await changed.wait {
            connected.load(ordering: .acquiring) >= before + count || !problems.isEmpty
        }
    }

    /// Has each of the first `senders` clients send the messages of these numbers, `textBytes`
    /// long, a few at a time.
    func send(senders: Int, _ numbers: Range<Int>, textBytes: Int = 24) {
        thread.loop.execute { [self] _ in
            for (index, client) in clients.withLock({ $0 }).prefix(senders).enumerated() {
                client.get().send(sender: index, numbers, textBytes: textBytes)
            }
        }
    }

    /// Waits until this many messages were received, or a check failed.
    func waitForMessages(_ count: Int) async {
        await changed.wait { receivedMessages >= count || !problems.isEmpty }
    }

    /// Waits until this many messages were received or reported as dropped, or a check failed.
    func waitForMessagesOrDrops(_ count: Int) async {
        await changed.wait { receivedMessages + droppedMessages >= count || !problems.isEmpty }
    }

    /// Messages of which the server has notified clients that it dropped them. A problem, unless
    /// `allowsDrops`.
    var droppedMessages: Int { dropped.load(ordering: .acquiring) }
    let allowsDrops: Bool

    /// Messages received by all clients together.
    var receivedMessages: Int { received.load(ordering: .acquiring) }
    /// Failed checks, at most 10.
    var problems: [String] { failures.withLock { $0 } }

    /// Closes all connections.
    func stop() async {
        clients.withLock { $0 = [] }
        thread.stop()
        await thread.ended()
    }

    func countConnection() {
        connected.wrappingAdd(1, ordering: .releasing)
        changed.notify()
    }

    func countMessages(_ more: Int) {
        received.wrappingAdd(more, ordering: .releasing)
        changed.notify()
    }

    func countDrops(_ more: Int) {
        dropped.wrappingAdd(more, ordering: .releasing)
        changed.notify()
    }

    func record(_ problem: String) {
        failures.withLock { if $0.count < 10 { $0.append(problem) } }
        changed.notify()
    }
}

/// One client of a fleet. Bound to the fleet's loop.
final class FleetClient: TCPConnectionHandler {
    private unowned let fleet: ClientFleet
    private var connection: TCPConnection?
    /// The next number of each sender.
    private var expected: [Int: Int] = [:]

    init(_ fleet: ClientFleet) { self.fleet = fleet }

    func connected(_ connection: TCPConnection) {
        self.connection = connection
        fleet.countConnection()
    }

    /// Sends 10 messages per task, so that the senders alternate.
    func send(sender: Int, _ numbers: Range<Int>, textBytes: Int) {
        guard let connection, !numbers.isEmpty else { return }
        for number in numbers.prefix(10) {
            let text = "\(sender) \(number) "
            let padding = String(repeating: "x", count: max(0, textBytes - text.utf8.count))
            connection.write { $0.append(ChatPeer.bytes(text + padding)) }
        }
        let rest = numbers.dropFirst(10)
        connection.reactor.loop.execute { [bound = LoopBound(self, on: connection.reactor)] _ in
            bound.get().send(sender: sender, rest, textBytes: textBytes)
        }
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        let bytes = input.copyBytes()
        var offset = 0
        var count = 0
        defer { fleet.countMessages(count) }
        while offset + 4 <= bytes.count {
            let length = Int(input.integer(at: offset, as: UInt32.self))
            if offset + 4 + length > bytes.count { break }
            let text = bytes[(offset + 4)..<(offset + 4 + length)]
            offset += 4 + length
            if fleet.allowsDrops, let drops = Self.drops(text) {
                fleet.countDrops(drops)
            } else {
                check(text)
                count += 1
            }
        }
        input.consume(offset)
    }

    /// The number in `N messages dropped`; nil for other texts.
    private static func drops(_ text: ArraySlice<UInt8>) -> Int? {
        // Messages begin with a letter, and are too many to be split twice.
        guard let first = text.first, (0x30...0x39).contains(first) else { return nil }
        let words = text.split(separator: UInt8(ascii: " "))
        guard words.count == 3, words[2].elementsEqual("dropped".utf8) else { return nil }
        return number(words[0])
    }

    /// Checks `from: clientN: SENDER NUMBER …`: the number is the next one of that sender.
    private func check(_ text: ArraySlice<UInt8>) {
        let words = text.split(separator: UInt8(ascii: " "), maxSplits: 4)
        guard words.count >= 4, words[0].elementsEqual("from:".utf8),
            let sender = Self.number(words[2]), let number = Self.number(words[3])
        else { return fleet.record("received \(String(decoding: text, as: UTF8.self))") }
        let next = expected[sender, default: 0]
        // Dropped messages leave gaps.
        if number < next || !fleet.allowsDrops && number > next {
            fleet.record("sender \(sender): \(number) instead of \(next)")
        }
        expected[sender] = next + 1
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.reduce(0) { number, digit in
            guard let number, (0x30...0x39).contains(digit) else { return nil }
            return number * 10 + Int(digit - 0x30)
        }
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        self.connection = nil
        if reason != .stopped { fleet.record("closed: \(reason)") }
    }
}
