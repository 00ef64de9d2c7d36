import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem

@_spi(Transport) @testable import RocketRPC

/// Frames of a server in any order, against a channel. For any of them nothing traps; each call ends
/// once; data waits for the first window, stays within the credit, and does not follow the end of its
/// call; nothing is left when the deadlines have passed.
enum ChannelStreamFuzz {
    static func run(_ bytes: [UInt8]) throws {
        var server = try Server()
        for operation in StreamOperations(bytes) {
            try server.perform(operation)
            try server.check()
        }
        let channel = server.channel
        // Behind each deadline.
        for _ in 0..<4 {
            channel.tick(after: .seconds(5))
            channel.driven.tickUntilIdle()
            try server.check()
        }
        for call in server.calls {
            try StreamFault.check(call.ends.count == 1, "call \(call.idText) has not ended")
        }
        for outcome in server.tasks {
            try StreamFault.check(outcome.value != nil, "a task still waits")
        }
        for transport in channel.connector.made where !server.ended.contains(transport.number) {
            // A transport that closes gives all back itself.
            try StreamFault.check(
                transport.closing != nil || transport.handlerBytes == 0, "bytes are left")
            transport.end()
        }
        channel.driven.tickUntilIdle()
        try StreamFault.check(channel.statistics.callsInFlight == 0, "calls are left")
    }

    /// The server, on the newest connection.
    private struct Server {
        let channel: DrivenChannel
        var streams: [ChannelStreamTests.StreamCall] = []
        var calls: [FakeCall] = []
        var tasks: [DrivenStream.Outcome] = []
        /// The last read of each stream: it has one consumer.
        var reads: [Int: DrivenStream.Outcome] = [:]
        /// Which transport is connected.
        var connected: ObjectIdentifier
        var ended: Set<ObjectIdentifier> = []
        var credit = CreditCheck()
        /// The largest limit on this connection: later streams begin with the first.
        var known: UInt64 = 0
        /// Calls that had ended when the last operation was over.
        var over: Set<String> = []

        init() throws {
            channel = try DrivenChannel.connected()
            connected = channel.last.number
        }

        private var last: FakeTransport { channel.last }
        private var isUp: Bool { last.closing == nil && !ended.contains(last.number) }

        mutating func perform(_ operation: StreamOperations.Operation) throws {
            if !isUp { end() }
            if last.number != connected {
                connected = last.number
                credit = CreditCheck()
                known = 0
                last.connect()
            }
            if !performOfClient(operation), isUp { try performOfServer(operation) }
            channel.driven.tickUntilIdle()
        }

        /// Ends the connection, and waits until the channel has made the next, if it needs one.
        private mutating func end() {
            let number = last.number
            if ended.insert(number).inserted { last.end() }
            for _ in 0..<3 where last.number == number {
                channel.tick(after: .seconds(1))
                channel.driven.tickUntilIdle()
            }
        }

        private mutating func performOfClient(_ operation: StreamOperations.Operation) -> Bool {
            let number = streams.isEmpty ? 0 : Int(operation.target) % streams.count
            switch operation.kind {
            case 0, 1, 2:
                let kind = ["c", "s", "b"][Int(operation.kind)]
                let stream = ChannelStreamTests.StreamCall(channel, kind: kind) {
                    $0.parameters.isIdempotent = operation.first & 1 == 0
                }
                streams.append(stream)
                calls.append(stream.call)
            case 3: calls.append(channel.start())
            case 4 where !streams.isEmpty:
                let count = 2 + Int(operation.second) % 128
                tasks.append(streams[number].write(channel, bytes: count))
            case 5 where !streams.isEmpty:
                let stream = streams[number].stream
                stream.outbound.finish()
                channel.driven.loop.withReactor { _ in stream.update() }
            case 6 where !streams.isEmpty:
                if let read = reads[number], read.value == nil { break }
                let read = streams[number].read(channel)
                reads[number] = read
                tasks.append(read)
            case 4, 5, 6: break
            default: return false
            }
            return true
        }

        private mutating func performOfServer(_ operation: StreamOperations.Operation) throws {
            let id =
                calls.isEmpty ? "0" : calls[Int(operation.target) % calls.count].idText
            switch operation.kind {
            case 7: reply(id, try operation.payload(), "rocket.data")
            case 8: reply(id, info: "more", try operation.payload(), "rocket.data")
            case 9:
                known = max(known, operation.limit)
                credit.give(operation.limit, to: id)
                reply(id, operation.limitBytes, "rocket.window")
            case 10:
                credit.give(operation.limit, to: "")
                reply("", operation.limitBytes, "rocket.window")
            case 11: reply(id, info: "rkm1\nx-a=1\n", [], "rocket.headers")
            case 12:
                let codes: [RPCErrorCode] = [.success, .success, .unavailable, .permissionDenied]
                last.reply(
                    to: id, code: codes[Int(operation.first & 3)],
                    payload: operation.first & 4 == 0 ? [] : [1, 2])
            case 13:
                if operation.first & 3 == 0 {
                    channel.tick(after: .milliseconds(operation.number & 1023))
                } else if operation.first & 3 == 1 {
                    last.fill()
                } else {
                    last.makeRoom(for: operation.first & 3 == 2 ? Int(operation.second) : .max)
                }
            case 14: last.receive([operation.first, operation.second, operation.target])
            default:
                switch operation.first & 3 {
                case 0: end()
                case 1: last.goAway()
                case 2: reply(id, try operation.payload(), "rocket.window")
                default: reply(id, info: "end", try operation.payload(), "rocket.data")
                }
            }
        }

        private func reply(
            _ id: String, info: String = "", _ payload: [UInt8], _ method: String
        ) {
            last.reply(to: id, info: info, payload: payload, method: method)
        }

        /// Reads what the channel has sent.
        mutating func check() throws {
            if isUp, last.number == connected {
                for frame in try last.frames() where frame.method == "rocket.data" {
                    try StreamFault.check(known > 0, "data before the first window")
                    try StreamFault.check(
                        !over.contains(frame.id), "data of a call that has ended")
                    credit.give(known, to: frame.id)
                    if frame.info != "end" { try credit.count(frame.payload.count, of: frame.id) }
                }
            }
            over = Set(calls.filter { !$0.ends.isEmpty }.map(\.idText))
        }
    }
}

extension FakeTransport {
    fileprivate var number: ObjectIdentifier { ObjectIdentifier(self) }

    /// The frames that have arrived since the last time.
    fileprivate func frames() throws -> [FrameKit.Answer] { try FrameKit().parseAll(takeBytes()) }
}
