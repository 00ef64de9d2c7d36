import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// A server takes no frame and begins no call while its output is above the high water mark, and
/// replies of handlers that have returned wait: a peer that reads slowly receives all replies.
@Suite("Back-pressure on replies", .ownThread)
struct BackPressureTests {
    /// A service whose handlers count themselves and answer at once, or wait at a gate.
    struct Counting: RPCService {
        static let serviceName = "test.Counting"
        let gate = Gate()
        let begun = Counter()

        final class Counter: Sendable {
            let count = Locked(0)
            var value: Int { count.withLock { $0 } }
            func add() { count.withLock { $0 += 1 } }
        }

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(
                RPCMethod<Text, Text>(service: Self.serviceName, name: "sync"),
                synchronous: { request, _ in
                    begun.add()
                    return request
                })
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "async")) {
                request, _ in
                begun.add()
                return request
            }
            // Waits at the gate, for the peer as it says.
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "page")) {
                request, call in
                await gate.wait()
                call.waitedForPeer(.seconds(2))
                call.waitedForPeer(.seconds(-9))
                return request
            }
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "wait")) {
                request, _ in
                begun.add()
                await gate.wait()
                return request
            }
        }
    }

    /// A transport whose peer reads on the test's command, and whose output is full after each
    /// reply.
    final class SlowTransport: Transport {
        let localAddress = NetAddress.loopback(port: 1)
        let peerAddress = NetAddress.loopback(port: 2)
        let peerIdentity = PeerIdentity.none
        let signalsReset = true
        var negotiatedProtocol: String? { nil }
        var handlerBytes = 0
        private(set) var sentBytes: UInt64 = 0
        private(set) var closing: CloseReason?
        private var input = ByteBuffer()
        private var output = ByteBuffer()
        /// The number of sends after which the output is full.
        var room = 1
        var isWritable: Bool { room > 0 && closing == nil }
        var pendingBytes: Int { output.readableBytes }

        func readInput(_ body: (inout ByteBuffer) -> Void) { body(&input) }

        func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
            body(&output)
            room -= 1
            return room > 0
        }

        func handOver(to handler: any TransportHandler) {}

        func close(_ how: TCPConnection.Closing, reason: CloseReason) {
            closing = closing ?? reason
        }

        func receive(_ bytes: [UInt8], _ connection: ServerConnection) {
            var buffer = ByteBuffer()
            swap(&buffer, &input)
            buffer.append(bytes)
            connection.received(self, &buffer)
            swap(&buffer, &input)
        }

        /// Bytes that were written and that the peer has not read.
        func take() -> [UInt8] {
            defer { output.removeAll() }
            return output.copyBytes()
        }

        /// The peer has read everything: `room` sends fit again.
        func read(_ connection: ServerConnection, room: Int = 1) -> [UInt8] {
            let bytes = take()
            self.room = room
            connection.writabilityChanged(self, isWritable: true)
            return bytes
        }
    }

    struct Scene {
        let loop: HandDrivenLoop
        let connection: ServerConnection
        let transport: SlowTransport
        let service: Counting
        let scheduler: HandlerScheduler
        let kit = FrameKit()

        /// The calls that were kept, as a snapshot has them now.
        func kept() throws -> [RPCServerSnapshot.SampledCall] {
            try #require(scheduler.metrics).keptCalls.map {
                $0.described(WallTime(nanoseconds: 0), loop.reactor.now)
            }
        }

        func answers() throws -> [FrameKit.Answer] {
            let answers = try kit.parseAll(transport.read(connection))
            loop.tickUntilIdle()
            return answers
        }

        /// Fills the output: the refusal of an unknown method takes the last room.
        func fill() throws {
            transport.room = 1
            transport.receive(try kit.frame(id: "filler", "test.Counting.unknown"), connection)
            loop.tickUntilIdle()
            _ = transport.take()
        }

        func send(_ method: String, _ ids: Range<Int>, info: String = "") throws {
            let bytes = try ids.flatMap {
                try kit.frame(id: "\($0)", "test.Counting.\(method)", info: info)
            }
            transport.receive(bytes, connection)
            loop.tickUntilIdle()
        }
    }

    static func with(
        limits: RPCCallLimits = RPCCallLimits(), metrics: ServerMetrics.Settings? = nil,
        _ body: (Scene) throws -> Void
    ) throws {
        let loop = try HandDrivenLoop()
        let service = Counting()
        let dispatcher = try RPCDispatcher(services: [service], limits: limits, time: loop.clock)
        let scheduler = HandlerScheduler(
            reactor: loop.reactor, dispatcher: dispatcher,
            metrics: metrics.map { ServerMetrics($0, methods: dispatcher.table.entries) })
        let connection = ServerConnection(
            dispatcher: dispatcher, codec: TinyPBCodec(), scheduler: scheduler)
        let transport = SlowTransport()
        connection.connected(transport)
        try body(
            Scene(
                loop: loop, connection: connection, transport: transport, service: service,
                scheduler: scheduler))
        service.gate.open()
        connection.closed(transport, reason: .requested)
        loop.tickUntilIdle()
        scheduler.stop()
        loop.tickUntilIdle()
    }

    @Test("Begins one call for each reply that the peer has read", arguments: ["sync", "async"])
    func oneByOne(_ method: String) throws {
        try Self.with { scene in
            try scene.send(method, 0..<20)
            for number in 0..<20 {
                #expect(scene.service.begun.value == number + 1)
                let answers = try scene.answers()
                #expect(answers.map(\.id) == ["\(number)"])
            }
            #expect(try scene.answers().isEmpty)
        }
    }

    @Test("Replies of handlers that return while the output is full are sent in order")
    func waitingReplies() throws {
        try Self.with { scene in
            scene.transport.room = 100
            try scene.send("wait", 0..<10)
            #expect(scene.service.begun.value == 10)
            try scene.fill()
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(scene.transport.pendingBytes == 0)
            // No call begins before the waiting replies are sent.
            try scene.send("async", 10..<12)
            #expect(scene.service.begun.value == 10)
            var ids: [String] = []
            while ids.count < 12 {
                let answers = try scene.answers()
                guard ids.isEmpty || !answers.isEmpty else { break }
                #expect(answers.count <= 1)
                ids += answers.map(\.id)
            }
            #expect(Set(ids.prefix(10)) == Set((0..<10).map { "\($0)" }))
            #expect(ids.suffix(2) == ["10", "11"])
        }
    }

    @Test("A reply that waits beyond its caller's deadline becomes a time-out error")
    func deadline() throws {
        try Self.with { scene in
            scene.transport.room = 100
            try scene.send("wait", 0..<2, info: "rkm1\ntimeout-ms=100\n")
            try scene.fill()
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            scene.loop.tick(after: .milliseconds(100))
            scene.loop.tickUntilIdle()
            let answers = try scene.answers()
            #expect(answers.map(\.code) == [.callTimeout, .callTimeout])
            #expect(try scene.answers().isEmpty)
        }
    }

    @Test("The server's own limit on handlers does not end a reply that waits")
    func ownLimit() throws {
        var limits = RPCCallLimits()
        limits.defaults.timeout = .milliseconds(100)
        try Self.with(limits: limits) { scene in
            scene.transport.room = 100
            try scene.send("wait", 0..<2)
            // The server's limit is the earlier one: the callers' deadline is 5 seconds.
            try scene.send("wait", 2..<4, info: "rkm1\ntimeout-ms=5000\n")
            try scene.fill()
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            scene.loop.tick(after: .seconds(1))
            scene.loop.tickUntilIdle()
            #expect(scene.transport.pendingBytes == 0)
            scene.loop.tick(after: .seconds(4))
            scene.loop.tickUntilIdle()
            var answers: [FrameKit.Answer] = []
            for _ in 0..<5 { answers += try scene.answers() }
            #expect(Set(answers.map(\.id)) == ["0", "1", "2", "3"])
            for answer in answers {
                #expect(
                    answer.code
                        == (["2", "3"].contains(answer.id)
                            ? .callTimeout : RPCErrorCode(rawValue: 0)))
            }
        }
    }

    @Test("A cancelled call's reply does not wait, and the next reply is sent")
    func cancellation() throws {
        try Self.with { scene in
            scene.transport.room = 100
            try scene.send("wait", 0..<3)
            try scene.fill()
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            // No frame is taken now: the cancellation is processed once the output has room.
            scene.transport.receive(
                try scene.kit.frame(id: "1", "rocket.cancel"), scene.connection)
            var ids: [String] = []
            for _ in 0..<4 { ids += try scene.answers().map(\.id) }
            #expect(Set(ids).isSuperset(of: ["0", "2"]) && ids.count == Set(ids).count)
        }
    }

    @Test("A connection that is closed while replies wait ends their calls")
    func closed() throws {
        try Self.with { scene in
            scene.transport.room = 100
            try scene.send("wait", 0..<5)
            try scene.fill()
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            scene.connection.closed(scene.transport, reason: .peerReset)
            scene.loop.tickUntilIdle()
            #expect(scene.connection.suspended.tasks.isEmpty)
            #expect(scene.transport.pendingBytes == 0)
        }
    }

    @Test("A handler that returns after its connection has closed with a full output is over")
    func closedBeforeReturn() throws {
        try Self.with { scene in
            scene.transport.room = 100
            try scene.send("wait", 0..<5)
            try scene.fill()
            scene.connection.closed(scene.transport, reason: .peerReset)
            scene.loop.tickUntilIdle()
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(scene.connection.suspended.tasks.isEmpty)
        }
    }

    @Test("A call that its deadline has answered does not wait again when its handler returns")
    func answeredBeforeReturn() throws {
        try Self.with { scene in
            scene.transport.room = 100
            try scene.send("wait", 0..<3, info: "rkm1\ntimeout-ms=100\n")
            try scene.fill()
            scene.loop.tick(after: .milliseconds(100))
            scene.loop.tickUntilIdle()
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(scene.connection.suspended.tasks.isEmpty)
            #expect(try scene.answers().map(\.code) == [.callTimeout, .callTimeout, .callTimeout])
        }
    }

    @Test("A broken frame is reported once, also when the server drains while the connection ends")
    func brokenOnce() throws {
        try Self.with { scene in
            scene.transport.receive([0xFF, 0, 0, 0, 40, 1, 2, 3], scene.connection)
            scene.loop.tickUntilIdle()
            scene.connection.draining(scene.transport)
            scene.loop.tickUntilIdle()
            #expect(scene.connection.dispatcher.statistics.brokenStreams == 1)
        }
    }

    @Test("A half-closed peer receives every reply before the connection closes")
    func halfClosed() throws {
        try Self.with { scene in
            try scene.send("async", 0..<3)
            scene.connection.inputEnded(scene.transport)
            scene.loop.tickUntilIdle()
            var ids: [String] = []
            for _ in 0..<3 {
                #expect(scene.transport.closing == nil)
                ids += try scene.answers().map(\.id)
            }
            #expect(ids == ["0", "1", "2"])
            #expect(scene.transport.closing == .peerFinished)
        }
    }

    @Test(
        "Over TCP, a peer that reads slowly gets every large reply",
        arguments: ["echo", "echoSync"])
    func overTCP(_ method: String) async throws {
        struct Large: RPCService {
            static let serviceName = "test.Large"

            func register(in registry: inout RPCServiceRegistry) throws {
                let text = Text(String(repeating: "x", count: 1 << 20))
                try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "echo")) {
                    _, _ in
                    await Task.yield()
                    return text
                }
                try registry.add(
                    RPCMethod<Text, Text>(service: Self.serviceName, name: "echoSync"),
                    synchronous: { _, _ in text })
            }
        }
        let kit = FrameKit()
        try await withServer([Large()]) { address in
            let client = try RawClient(address)
            let count = 200
            client.send(
                try (0..<count).flatMap { try kit.frame(id: "\($0)", "test.Large.\(method)") })
            var ids: Set<String> = []
            for _ in 0..<count {
                let answer = try kit.parse(client.receiveFrame())
                #expect(answer.code.rawValue == 0 && answer.payload.count > 1 << 20)
                ids.insert(answer.id)
            }
            #expect(ids.count == count)
        }
    }
}
