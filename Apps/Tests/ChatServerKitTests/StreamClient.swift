import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import Synchronization

@testable import ChatServerKit

/// Many clients on a loop of their own: they say numbered messages and check what they hear, so
/// that a thousand cost no thread each. Texts are `SENDER NUMBER padding`.
final class ClientCrowd: Sendable {
    private let thread: IOThread
    private let clients = Locked<[LoopBound<StreamClient>]>([])
    private let count = Atomic<Int>(0)
    private let trouble = Locked<[String]>([])
    private let connected = Atomic<Int>(0)
    private let bell = Doorbell()

    init() throws { thread = try IOThread(name: "crowd") }

    /// Adds clients; returns when they are connected, which the server may not have seen.
    func add(_ count: Int, to address: NetAddress) async {
        let before = connected.load(ordering: .acquiring)
        thread.loop.execute { [self] reactor in
            for _ in 0..<count {
                let client = StreamClient(self)
                clients.withLock { $0.append(LoopBound(client, on: reactor)) }
                TCPClient.connect(
                    to: [address], on: reactor, timeout: .seconds(30), handler: client
                ) { [self] in if case .failure(let error) = $0 { problem("\(error)") } }
            }
        }
        await bell.wait {
            connected.load(ordering: .acquiring) >= before + count || !problems.isEmpty
        }
    }

    /// The first `senders` clients say the messages of these numbers each, `textBytes` long, a few
    /// at a time.
    func speak(senders: Int, _ numbers: Range<Int>, textBytes: Int = 24) {
        thread.loop.execute { [self] _ in
            for (index, client) in clients.withLock({ $0 }).prefix(senders).enumerated() {
                client.get().speak(sender: index, numbers, textBytes: textBytes)
            }
        }
    }

    /// Waits until so many messages were heard, or something is wrong.
    func hears(_ count: Int) async {
        await bell.wait { heard >= count || !problems.isEmpty }
    }

    /// Messages heard in order by all clients together.
    var heard: Int { count.load(ordering: .acquiring) }
    /// What was wrong, in words; stays empty when all is well.
    var problems: [String] { trouble.withLock { $0 } }

    /// Ends all connections.
    func stop() async {
        clients.withLock { $0 = [] }
        thread.stop()
        await thread.ended()
    }

    func nowConnected() {
        connected.wrappingAdd(1, ordering: .releasing)
        bell.ring()
    }

    func nowHeard(_ more: Int) {
        count.wrappingAdd(more, ordering: .releasing)
        bell.ring()
    }

    func problem(_ words: String) {
        trouble.withLock { if $0.count < 10 { $0.append(words) } }
        bell.ring()
    }
}

/// One of them. Bound to the crowd's loop.
final class StreamClient: TCPConnectionHandler {
    private unowned let crowd: ClientCrowd
    private var connection: TCPConnection?
    /// By the sender's number in its texts: what comes next.
    private var expected: [Int: Int] = [:]
    /// Messages that the server said it dropped.
    private(set) var dropped = 0
    private var name = ""

    init(_ crowd: ClientCrowd) { self.crowd = crowd }

    func connected(_ connection: TCPConnection) {
        self.connection = connection
        crowd.nowConnected()
    }

    /// 10 in a go, so that senders take turns.
    func speak(sender: Int, _ numbers: Range<Int>, textBytes: Int) {
        guard let connection, !numbers.isEmpty else { return }
        for number in numbers.prefix(10) {
            let text = "\(sender) \(number) "
            let padding = String(repeating: "x", count: max(0, textBytes - text.utf8.count))
            connection.write { $0.append(ChatPeer.bytes(text + padding)) }
        }
        let rest = numbers.dropFirst(10)
        connection.reactor.loop.execute { [bound = LoopBound(self, on: connection.reactor)] _ in
            bound.get().speak(sender: sender, rest, textBytes: textBytes)
        }
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        let bytes = input.copyBytes()
        var offset = 0
        var heard = 0
        while offset + 4 <= bytes.count {
            let length = Int(input.integer(at: offset, as: UInt32.self))
            if offset + 4 + length > bytes.count { break }
            check(bytes[(offset + 4)..<(offset + 4 + length)])
            offset += 4 + length
            heard += 1
        }
        input.consume(offset)
        crowd.nowHeard(heard)
    }

    /// `from: clientN: SENDER NUMBER …`: the number is the next of that sender.
    private func check(_ text: ArraySlice<UInt8>) {
        let words = text.split(separator: UInt8(ascii: " "), maxSplits: 4)
        guard words.count >= 4, words[0].elementsEqual("from:".utf8),
            let sender = Self.number(words[2]), let number = Self.number(words[3])
        else { return crowd.problem("heard \(String(decoding: text, as: UTF8.self))") }
        let next = expected[sender, default: 0]
        if number != next { crowd.problem("of \(sender): \(number) instead of \(next)") }
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
        if reason != .stopped { crowd.problem("closed: \(reason)") }
    }
}
