import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// Streams of a channel as the server sees them, frame by frame; the test is the server.
@Suite("Streams of a channel on the wire")
struct ChannelStreamTests {
    /// A streaming call of a channel that the test drives.
    struct StreamCall {
        let call: FakeCall
        let stream: CallStream
        let writer: RPCWriter<Text>
        let reader: RPCMessageStream<Text>

        init(
            _ channel: DrivenChannel, kind: String = "b",
            _ change: (FakeCall) -> Void = { _ in }
        ) {
            let stream = CallStream(
                on: channel.driven.loop, limit: 0, maxOutboundBytes: 1 << 20,
                maxInboundBytes: 1 << 20, windowBytes: 262_144, sendsEnd: kind != "s")
            self.stream = stream
            let handle = StreamHandle(stream)
            let method = RPCMethod<Text, Text>(
                service: "t.T", name: "m", kind: .bidirectionalStreaming)
            writer = RPCWriter(handle, method.request)
            reader = RPCMessageStream(handle, method.response)
            call = channel.start { call in
                call.parameters.metadata = ["stream": kind, "window": "262144"]
                call.outgoing.stream = stream
                change(call)
            }
        }

        /// Writes a message, whose serialized form has `count` bytes: 2 to 129.
        func write(_ channel: DrivenChannel, bytes count: Int) -> DrivenStream.Outcome {
            let outcome = DrivenStream.Outcome()
            Task(executorPreference: channel.driven.loop) { [writer] in
                do {
                    try await writer.write(Text(String(repeating: "x", count: count - 2)))
                    outcome.set("written")
                } catch { outcome.set((error as? RPCError)?.code.name ?? "\(error)") }
            }
            channel.driven.tickUntilIdle()
            return outcome
        }

        func read(_ channel: DrivenChannel) -> DrivenStream.Outcome {
            let outcome = DrivenStream.Outcome()
            Task(executorPreference: channel.driven.loop) { [reader] in
                do {
                    var iterator = reader.makeAsyncIterator()
                    outcome.set(try await iterator.next()?.value ?? "the end")
                } catch { outcome.set((error as? RPCError)?.code.name ?? "\(error)") }
            }
            channel.driven.tickUntilIdle()
            return outcome
        }
    }

    func connected() throws -> DrivenChannel { try DrivenChannel.connected() }

    /// What the server receives, after the loop has done all it can.
    func received(_ channel: DrivenChannel) -> [Request] {
        channel.driven.tickUntilIdle()
        return channel.last.requests()
    }

    func window(_ channel: DrivenChannel, _ id: String, _ limit: UInt64) {
        let bytes = (0..<8).reversed().map { UInt8(truncatingIfNeeded: limit >> (8 * $0)) }
        channel.last.reply(to: id, payload: bytes, method: "rocket.window")
        channel.driven.tickUntilIdle()
    }

    func data(
        _ channel: DrivenChannel, _ id: String, _ payload: [UInt8], info: String = ""
    ) {
        channel.last.reply(to: id, info: info, payload: payload, method: "rocket.data")
    }

    @Test("A server that has sent no window receives the opening frame and nothing else")
    func oldPeer() throws {
        let channel = try connected()
        let call = StreamCall(channel)
        call.stream.outbound.finish()
        call.stream.notify(consumed: 0) { _ in }
        let other = StreamCall(channel)
        #expect(other.write(channel, bytes: 50).value == nil)
        let frames = received(channel)
        #expect(frames.map(\.method) == ["t.T.m", "t.T.m"])
        #expect(frames[0].info.contains("stream=b\n"))
        channel.last.reply(to: call.call.idText, code: .serviceNotFound)
        channel.last.reply(to: other.call.idText, code: .serviceNotFound)
        #expect(received(channel).isEmpty)
        #expect(call.call.ends == [.error(.serviceNotFound)])
    }

    @Test("After the first window data goes out, then the end; later streams need not wait")
    func afterWindow() throws {
        let channel = try connected()
        let first = StreamCall(channel)
        _ = received(channel)
        window(channel, first.call.idText, 1000)
        let second = StreamCall(channel)
        #expect(first.write(channel, bytes: 100).value == "written")
        #expect(second.write(channel, bytes: 100).value == "written")
        first.stream.outbound.finish()
        first.stream.notify(consumed: 0) { _ in }
        channel.driven.loop.withReactor { _ in first.stream.update() }
        let frames = received(channel)
        #expect(frames.map(\.method) == ["t.T.m", "rocket.data", "rocket.data", "rocket.data"])
        #expect(Set(frames.filter { $0.info == "end" }.map(\.id)) == [first.call.idText])
        for call in [first, second] { channel.last.reply(to: call.call.idText) }
        #expect(received(channel).isEmpty)
    }

    @Test("The credit of a lost connection does not count on the next one")
    func restarts() throws {
        let channel = try connected()
        let call = StreamCall(channel) { $0.parameters.isIdempotent = true }
        _ = received(channel)
        // Finished, and the end is sent, without a message: the call can be sent again.
        window(channel, call.call.idText, 1000)
        call.stream.outbound.finish()
        channel.driven.loop.withReactor { _ in call.stream.update() }
        #expect(received(channel).map(\.info) == ["end"])
        channel.last.end()
        channel.tick(after: .seconds(5))
        channel.driven.tickUntilIdle()
        channel.last.connect()
        channel.tick(after: .seconds(1))
        #expect(received(channel).map(\.method) == ["t.T.m"])
        window(channel, call.call.idText, 10)
        #expect(received(channel).map(\.info) == ["end"])
        channel.last.reply(to: call.call.idText)
        #expect(call.call.ends.count == 1)
    }

    @Test("A call with a message that was sent is not sent again")
    func sentMessage() throws {
        let channel = try connected()
        let call = StreamCall(channel) { $0.parameters.isIdempotent = true }
        _ = received(channel)
        window(channel, call.call.idText, 10)
        #expect(call.write(channel, bytes: 9).value == "written")
        _ = received(channel)
        channel.last.reply(to: call.call.idText, code: .unavailable)
        #expect(call.call.ends == [.error(.unavailable)])
        #expect(call.write(channel, bytes: 9).value == "UNAVAILABLE")
    }

    @Test("A call behind the messages of a stream that was not sent is sent again")
    func unsentBehindMessages() throws {
        let channel = try connected()
        let stream = StreamCall(channel)
        _ = received(channel)
        window(channel, stream.call.idText, 1000)
        #expect(stream.write(channel, bytes: 100).value == "written")
        _ = received(channel)
        let call = channel.start()
        channel.last.end()
        channel.tick(after: .seconds(5))
        channel.driven.tickUntilIdle()
        #expect(call.ends.isEmpty, "the server can't have received it")
        channel.last.connect()
        channel.tick(after: .seconds(1))
        channel.driven.tickUntilIdle()
        channel.last.reply(to: call.idText)
        #expect(call.ends == [.response([])])
    }

    @Test("A server that sends too much is left")
    func tooMuch() throws {
        let channel = try connected()
        let call = StreamCall(channel, kind: "s")
        _ = received(channel)
        let part = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<4 { data(channel, call.call.idText, part, info: "more") }
        #expect(channel.last.closing == nil)
        data(channel, call.call.idText, [0], info: "more")
        #expect(channel.last.closing == .now)
    }

    @Test("Messages that are unread at the end are read behind it, and give their credit back")
    func unread() throws {
        let channel = try connected()
        var frames: [Request] = []
        for _ in 0..<30 {
            let call = StreamCall(channel, kind: "s")
            frames += received(channel)
            for _ in 0..<1000 { data(channel, call.call.idText, try Text("abc").serializedBytes()) }
            for _ in 0..<3 {
                data(channel, call.call.idText, [UInt8](repeating: 0, count: 65_536), info: "more")
            }
            data(channel, call.call.idText, [])
            channel.last.reply(to: call.call.idText)
            #expect(channel.last.handlerBytes == 0)
            for _ in 0..<3 { #expect(call.read(channel).value == "abc") }
        }
        #expect(channel.last.closing == nil)
        frames += received(channel)
        let windows = frames.filter { $0.method != "t.T.m" }
        #expect(windows.count > 5)
        #expect(windows.allSatisfy { $0.method == "rocket.window" && $0.id.isEmpty })
    }

    @Test("A data frame over the frame limit ends its call on both sides, and no other one")
    func oversized() throws {
        let channel = try DrivenChannel.connected { $0.codec = TinyPBCodec(maxFrameBytes: 1000) }
        let other = channel.start()
        for _ in 0..<200 {
            let call = StreamCall(channel, kind: "s")
            _ = received(channel)
            for _ in 0..<3 {
                data(channel, call.call.idText, [UInt8](repeating: 0, count: 9000), info: "more")
            }
            #expect(call.call.ends == [.error(.resourceExhausted)])
            #expect(received(channel).filter { !$0.id.isEmpty }.map(\.method) == ["rocket.cancel"])
        }
        #expect(channel.last.closing == nil && other.ends.isEmpty)
        channel.last.reply(to: other.idText)
        #expect(other.ends == [.response([])])
    }

    @Test("Nothing of a stream is sent while the connection has no room, and all of it afterwards")
    func noRoom() throws {
        let channel = try connected()
        let call = StreamCall(channel)
        _ = received(channel)
        window(channel, call.call.idText, 100_000)
        channel.last.fill()
        var writes: [DrivenStream.Outcome] = []
        for _ in 0..<700 { writes.append(call.write(channel, bytes: 100)) }
        #expect(writes.contains { $0.value == nil }, "64 KiB wait, and the writer with them")
        #expect(received(channel).isEmpty)
        channel.last.makeRoom()
        #expect(received(channel).count == 700)
        #expect(writes.allSatisfy { $0.value == "written" })
        channel.last.reply(to: call.call.idText)
    }

    // MARK: C++ servers

    @Test("A C++ server is not sent a stream", arguments: [PeerKind.rocket, .tinyrpc])
    func originals(_ peer: PeerKind) throws {
        let channel = try DrivenChannel { $0.peer = peer }
        let call = StreamCall(channel)
        channel.last.connect()
        #expect(channel.last.takeBytes().isEmpty)
        #expect(call.call.ends == [.error(.failedEncode)])
    }

    @Test("A C++ server that a channel knows nothing of answers the opening frame, and serves on")
    func unknownOriginal() throws {
        let channel = try DrivenChannel()
        var server = FakeTinyRPCServer()
        let call = StreamCall(channel)
        call.stream.outbound.finish()
        channel.last.connect()
        channel.driven.tickUntilIdle()
        server.serve(channel.last)
        #expect(call.call.ends == [.error(.serviceNotFound)] && server.requests == 1)
        let order = channel.start {
            $0.methodName = [UInt8]("Order.makeOrder".utf8)
            $0.payload = OriginalsTests.apple
        }
        server.serve(channel.last)
        #expect(order.ends == [OriginalsTests.made])
    }

    @Test("Each new frame, if it came to a C++ server in spite of that, would harm no other call")
    func newFrames() throws {
        let kit = FrameKit()
        let frames = try [
            kit.frame(id: "1", "Order.makeOrder", info: "rkm1\nstream=b\nwindow=262144\n"),
            kit.frame(id: "1", "rocket.data", payload: [1, 2, 3]),
            kit.frame(id: "1", "rocket.data", info: "more", payload: [1]),
            kit.frame(id: "1", "rocket.data", info: "end"),
            kit.frame(id: "1", "rocket.window", payload: [0, 0, 0, 0, 0, 4, 0, 0]),
            kit.frame(id: "", "rocket.window", payload: [0, 0, 0, 0, 0, 32, 0, 0]),
            kit.frame(id: "1", "rocket.headers", info: "rkm1\nx-a=1\n"),
        ]
        var (rocket, tinyrpc) = (FakeRocketServer(), FakeTinyRPCServer())
        for frame in frames {
            _ = rocket.read(frame)
            let answers = OriginalFrame.readAll(tinyrpc.read(frame))
            #expect(answers.count == 1)
        }
        #expect(rocket.lostReads == 0 && rocket.requests == frames.count)
        let replies = [rocket.read(OriginalFrame.request), tinyrpc.read(OriginalFrame.request)]
        #expect(!replies[0].isEmpty && replies[1] == OriginalFrame.response)
    }
}
