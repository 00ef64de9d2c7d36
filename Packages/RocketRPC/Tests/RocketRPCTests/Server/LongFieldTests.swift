import FoundationEssentials
import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCPTestKit
import SwiftProtobuf
import Testing

@_spi(TestKit) import RocketTCP
@_spi(Transport) @testable import RocketRPC

/// Long strings and bytes of a reply are sent from where they are, over a socket pair.
@Suite("Long fields of replies", .ownThread)
struct LongFieldTests {
    typealias All = Kinds3_All
    static let least = LongFields.leastBytes

    /// Answers each call by the reply that the test has set.
    final class Replies: RPCService {
        static let serviceName = "test.Replies"
        let reply = Locked(All())

        func register(in registry: inout RPCServiceRegistry) throws {
            func method(_ name: String) -> RPCMethod<All, All> {
                let coding = CodingCases.all3.coding
                return RPCMethod(
                    service: Self.serviceName, name: name, request: coding, response: coding)
            }
            try registry.add(method("sync"), synchronous: { _, _ in self.reply.withLock { $0 } })
            try registry.add(method("async")) { _, _ in self.reply.withLock { $0 } }
            try registry.add(method("suspended")) { _, _ in
                await Task.yield()
                return self.reply.withLock { $0 }
            }
        }
    }

    /// A server's connection over one end of a socket pair; the test reads the other end.
    struct Scene {
        let loop: HandDrivenLoop
        let service = Replies()
        let connection: TCPConnection
        let peer: RawPeer
        let scheduler: HandlerScheduler
        let kit = FrameKit()

        init(
            kernelBufferBytes: Int = 0, limits: RPCCallLimits = RPCCallLimits(),
            codec: TinyPBCodec = TinyPBCodec()
        ) throws {
            loop = try HandDrivenLoop()
            let dispatcher = try RPCDispatcher(
                services: [service], limits: limits, time: loop.clock)
            scheduler = HandlerScheduler(
                reactor: loop.reactor, dispatcher: dispatcher,
                metrics: ServerMetrics(
                    ServerMetrics.Settings(), methods: dispatcher.table.entries))
            let handler = ServerConnection(
                dispatcher: dispatcher, codec: codec, scheduler: scheduler)
            let pair = try FileDescriptor.socketPair()
            try pair.first.setKernelBuffers(send: kernelBufferBytes, receive: 0)
            var made: (TCPConnection, RawPeer)?
            let reactor = loop.reactor
            pair.take { near, far in
                made = (TCPConnection.adopt(near, on: reactor, handler: handler), RawPeer(far))
            }
            (connection, peer) = try #require(made)
        }

        func call(_ method: String, id: String = "1") throws {
            peer.send(try kit.frame(id: id, "test.Replies.\(method)"))
            loop.tickUntilIdle()
        }

        /// Reads the rest of the output in pieces of at most `limit` bytes.
        func read(limit: Int = 1 << 16) -> [UInt8] {
            var all: [UInt8] = []
            while case .bytes(let more) = peer.receive(limit: limit) {
                all += more
                loop.tickUntilIdle()
            }
            return all
        }

        func end() {
            connection.close(.now)
            loop.tickUntilIdle()
            scheduler.stop()
            loop.tickUntilIdle()
        }
    }

    private static func text(_ count: Int, _ letter: Character = "a") -> String {
        String(repeating: letter, count: count)
    }

    /// Messages whose long fields are at all places.
    static let replies: [All] = [
        .with { $0.stringOne = text(least) },
        .with { $0.stringOne = text(least - 1) },
        .with {
            $0.int32One = 7
            $0.stringOne = text(3 * least)
            $0.bytesOne = Data(repeating: 5, count: 2 * least)
            $0.far = 9
        },
        .with {
            $0.bytesOne = Data(repeating: 6, count: least)
            $0.stringMany = ["short", text(least, "b"), "", text(least + 1, "c")]
            $0.chosenString = text(least, "\u{e9}")
        },
        // Those of an inner message are copied, since its length is that of its bytes.
        .with {
            $0.allOne = .with { $0.stringOne = text(least, "d") }
            $0.stringMap = ["key": text(least, "e")]
            $0.stringMaybe = text(2 * least, "f")
        },
    ]

    @Test("Replies are the same bytes as those of swift-protobuf", arguments: ["sync", "async"])
    func sameBytes(_ method: String) throws {
        let scene = try Scene()
        for (number, reply) in Self.replies.enumerated() {
            scene.service.reply.withLock { $0 = reply }
            for id in 0..<3 {
                scene.peer.send(
                    try scene.kit.frame(id: "\(number)-\(id)", "test.Replies.\(method)"))
            }
            scene.loop.tickUntilIdle()
            let answers = try scene.kit.parseAll(scene.read())
            #expect(answers.map(\.id) == (0..<3).map { "\(number)-\($0)" })
            let bytes: [UInt8] = try reply.serializedBytes()
            for answer in answers { #expect(answer.code.rawValue == 0 && answer.payload == bytes) }
        }
        scene.end()
    }

    @Test(
        "They take no memory of the output, and count for the connection",
        arguments: ["sync", "async", "suspended"])
    func noCopy(_ method: String) throws {
        let scene = try Scene(kernelBufferBytes: 4096)
        scene.service.reply.withLock { $0.stringOne = Self.text(1 << 20) }
        try scene.call(method)
        #expect(scene.connection.pendingBytes > 1_000_000 && !scene.connection.isWritable)
        #expect(scene.connection.heldBytes < 64 << 10)
        #expect(try scene.kit.parse(scene.read()).payload.count > 1 << 20)
        scene.end()
    }

    /// The kernel decides where a send ends; several sizes make many splits.
    @Test("Keeps their order at every split by a full socket", arguments: [997, 3_001, 70_000])
    func splits(_ limit: Int) throws {
        let scene = try Scene(kernelBufferBytes: 2048)
        let reply = Self.replies[2]
        scene.service.reply.withLock { $0 = reply }
        for id in 0..<3 { try scene.call("async", id: "\(id)") }
        let answers = try scene.kit.parseAll(scene.read(limit: limit))
        #expect(answers.map(\.id) == ["0", "1", "2"])
        let bytes: [UInt8] = try reply.serializedBytes()
        for answer in answers { #expect(answer.payload == bytes) }
        scene.end()
    }

    @Test("A reply that waits does not change with the message of its handler")
    func changedLater() throws {
        let scene = try Scene(kernelBufferBytes: 2048)
        let before = All.with {
            $0.stringOne = Self.text(Self.least)
            $0.bytesOne = Data(repeating: 1, count: Self.least)
        }
        scene.service.reply.withLock { $0 = before }
        let expected: [UInt8] = try before.serializedBytes()
        try scene.call("sync")
        scene.service.reply.withLock {
            $0.stringOne.replaceSubrange($0.stringOne.startIndex..., with: "b")
            $0.bytesOne[0] = 2
            $0.bytesOne.append(3)
        }
        try scene.call("sync", id: "2")
        let answers = try scene.kit.parseAll(scene.read())
        #expect(answers.map(\.id) == ["1", "2"])
        #expect(answers.first?.payload == expected)
        #expect(answers.last?.payload != expected)
        scene.end()
    }

    @Test("A close in the middle of a field frees it")
    func closeInTheMiddle() throws {
        let scene = try Scene(kernelBufferBytes: 2048)
        let isFreed = Locked(false)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 1)
        scene.service.reply.withLock { [base = try #require(memory.baseAddress)] in
            $0.bytesOne = Data(
                bytesNoCopy: base, count: 1 << 20,
                deallocator: .custom { start, _ in
                    start.deallocate()
                    isFreed.withLock { $0 = true }
                })
        }
        try scene.call("sync")
        scene.service.reply.withLock { $0 = All() }
        _ = scene.peer.receive(limit: 5_000)
        scene.loop.tickUntilIdle()
        #expect(scene.connection.pendingBytes > 0 && !isFreed.withLock { $0 })
        scene.peer.close()
        scene.loop.tickUntilIdle()
        #expect(scene.connection.state == .closed && scene.connection.pendingBytes == 0)
        #expect(isFreed.withLock { $0 })
        scene.end()
    }

    @Test("A slice is copied: it would hold all that it is a part of")
    func slice() throws {
        let scene = try Scene(kernelBufferBytes: 2048)
        let isFreed = Locked(false)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 1)
        scene.service.reply.withLock { [base = try #require(memory.baseAddress)] in
            let all = Data(
                bytesNoCopy: base, count: 1 << 20,
                deallocator: .custom { start, _ in
                    start.deallocate()
                    isFreed.withLock { $0 = true }
                })
            $0.bytesOne = all.suffix(Self.least)
        }
        try scene.call("sync")
        scene.service.reply.withLock { $0 = All() }
        #expect(scene.connection.pendingBytes > 0 && isFreed.withLock { $0 })
        #expect(try scene.kit.parse(scene.read()).payload.count > Self.least)
        scene.end()
    }

    @Test("Behind a long inner message those of the outermost one are not copied")
    func behindInner() throws {
        let scene = try Scene(kernelBufferBytes: 2048)
        scene.service.reply.withLock {
            $0.allOne = .with { $0.stringOne = Self.text(40 << 10) }
            $0.stringMaybe = Self.text(1 << 20, "f")
        }
        let bytes: [UInt8] = try scene.service.reply.withLock { try $0.serializedBytes() }
        // The first reply leaves a large buffer to the second.
        for id in 0..<2 {
            try scene.call("sync", id: "\(id)")
            #expect(scene.connection.heldBytes < 256 << 10)
            #expect(try scene.kit.parse(scene.read()).payload == bytes)
        }
        scene.end()
    }

    @Test("A reply that is too large is refused, and nothing of it is sent")
    func tooLarge() throws {
        var limits = RPCCallLimits()
        limits.defaults.maxResponseBytes = Self.least
        let scene = try Scene(limits: limits)
        scene.service.reply.withLock { $0.stringOne = Self.text(Self.least) }
        try scene.call("sync", id: "long")
        scene.service.reply.withLock { $0.stringOne = "short" }
        try scene.call("sync", id: "short")
        let answers = try scene.kit.parseAll(scene.read())
        #expect(answers.map(\.id) == ["long", "short"])
        #expect(answers.first?.code == .resourceExhausted)
        #expect(answers.last?.payload == [UInt8]([0x72, 5]) + Array("short".utf8))

        let small = try Scene(codec: TinyPBCodec(maxFrameBytes: Self.least))
        small.service.reply.withLock { $0.stringOne = Self.text(Self.least) }
        try small.call("sync")
        #expect(try small.kit.parse(small.read()).code == .failedEncode)
        small.end()
        scene.end()
    }

    @Test("With a checksum, which needs all bytes, they are copied")
    func checksum() throws {
        let codec = TinyPBCodec(checksum: .sent)
        let scene = try Scene(codec: codec)
        scene.service.reply.withLock { $0 = Self.replies[2] }
        try scene.call("sync")
        let bytes = scene.read()
        let required = TinyPBCodec(checksum: .required)
        guard case .frame(let frame, bytes.count) = try required.step(bytes.span.bytes) else {
            Issue.record("no whole frame")
            return
        }
        #expect(try Array(bytes[frame.payload]) == Self.replies[2].serializedBytes())
        scene.end()
    }
}
