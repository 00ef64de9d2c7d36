import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// Calls to the C++ servers of rocket and tinyrpc, which fakes play by recorded bytes.
@Suite("Calls to C++ servers")
struct OriginalsTests {
    func channel(
        _ peer: PeerKind, _ configure: (inout RPCChannelConfiguration) -> Void = { _ in }
    ) throws -> DrivenChannel {
        try DrivenChannel {
            $0.peer = peer
            configure(&$0)
        }
    }

    /// `{price:100, goods:"apple"}`
    static let apple = OriginalFrame.bytes("086412056170706c65")

    /// Starts Order.makeOrder.
    @discardableResult
    func order(
        _ channel: DrivenChannel, timeout: Duration = .seconds(10),
        _ change: (FakeCall) -> Void = { _ in }
    ) -> FakeCall {
        channel.start(timeout: timeout) { call in
            call.methodName = [UInt8]("Order.makeOrder".utf8)
            call.payload = Self.apple
            change(call)
        }
    }

    static let made = FakeCall.End.response(OriginalFrame.orderMade)

    @Test(
        "The request and the reply are those of the original",
        arguments: [PeerKind.rocket, .tinyrpc])
    func golden(_ peer: PeerKind) throws {
        let channel = try channel(peer)
        let id = try callID([UInt8]("99998888".utf8))
        let call = order(channel) { $0.parameters.idChoice = .chosen(id) }
        channel.last.connect()
        #expect(channel.last.takeBytes() == OriginalFrame.request)
        channel.last.receive(OriginalFrame.response)
        #expect(call.ends == [Self.made])
    }

    // MARK: rocket

    @Test("Overlapping calls reach a rocket server one at a time, and none is lost")
    func overlapping() throws {
        let channel = try channel(.rocket)
        var server = FakeRocketServer()
        let calls = (0..<20).map { _ in order(channel) }
        channel.last.connect()
        for _ in 0..<20 {
            let bytes = server.serve(channel.last)
            #expect(bytes.count == 70, "one frame in each read")
        }
        #expect(calls.allSatisfy { $0.ends == [Self.made] })
        #expect(server.lostReads == 0 && channel.connector.made.count == 1)
        // Each reply but the first came with all earlier ones. The record of completed calls is a hash
        // table without chains: where two ids share a slot, a reply counts as unknown.
        let statistics = channel.statistics
        #expect(statistics.duplicateReplies + statistics.unknownReplies == 19 * 20 / 2)
    }

    @Test("The fake loses overlapping calls of a channel that knows nothing of it")
    func overlappingUnknown() throws {
        let channel = try channel(.rocketSwift)
        var server = FakeRocketServer()
        let calls = (0..<2).map { _ in order(channel) }
        channel.last.connect()
        server.serve(channel.last)
        #expect(server.lostReads == 1 && calls.allSatisfy { $0.ends.isEmpty })
    }

    @Test("Repeated replies, as recorded, are dropped, and each call gets its own")
    func repeatedReplies() throws {
        let channel = try channel(.rocket)
        let first = order(channel)
        channel.last.connect()
        let request = OriginalFrame.readAll(channel.last.takeBytes())[0]
        let reply = OriginalFrame.reply(to: request, payload: [1])
        channel.last.receive(reply)
        #expect(first.ends == [.response([1])])
        let second = order(channel)
        let next = OriginalFrame.readAll(channel.last.takeBytes())[0]
        #expect(next.messageID != request.messageID)
        channel.last.receive(reply)
        #expect(second.ends.isEmpty, "an old reply is not taken for the new one")
        channel.last.receive(OriginalFrame.reply(to: next, payload: [2]))
        #expect(second.ends == [.response([2])])
    }

    @Test("A msg_id is used once on a connection; for its second use there is another one")
    func repeatedID() throws {
        let channel = try channel(.rocket)
        let id = try callID([UInt8]("99998888".utf8))
        for use in 1...3 {
            let call = order(channel) { $0.parameters.idChoice = .chosen(id) }
            #expect(channel.connector.made.count == use)
            channel.last.connect()
            #expect(channel.last.takeBytes() == OriginalFrame.request)
            channel.last.receive(OriginalFrame.response)
            #expect(call.ends == [Self.made])
        }
        #expect(channel.connector.made[0].closing == .now && channel.last.closing == nil)
    }

    @Test("After a time-out the connection is replaced, and its late reply is not heard")
    func timeout() throws {
        let channel = try channel(.rocket)
        let lost = order(channel, timeout: .seconds(2))
        let waiting = order(channel)
        channel.last.connect()
        let deaf = channel.last
        let request = OriginalFrame.readAll(deaf.takeBytes())[0]
        channel.tick(after: .seconds(2))
        #expect(lost.ends == [.error(.callTimeout)])
        #expect(deaf.closing == .now && deaf.unsentBytes == 0, "no cancel is sent")
        channel.last.connect()
        deaf.receive(OriginalFrame.reply(to: request))
        var server = FakeRocketServer()
        server.serve(channel.last)
        #expect(waiting.ends == [Self.made] && channel.connector.made.count == 2)
    }

    @Test("A cancelled call sends no cancel, and its connection is replaced")
    func cancel() throws {
        let channel = try channel(.rocket)
        let call = order(channel)
        channel.last.connect()
        _ = channel.last.takeBytes()
        channel.core.cancel(call.outgoing)
        #expect(call.ends == [.error(.cancelled)])
        #expect(channel.last.unsentBytes == 0 && channel.last.closing == .now)
        #expect(channel.statistics.cancelsSent == 0)
        order(channel)
        #expect(channel.connector.made.count == 2)
    }

    @Test("A connection is replaced after 300 calls, before its replies grow too long")
    func manyCalls() throws {
        var server = FakeRocketServer()
        let channel = try channel(.rocket)
        for number in 0..<650 {
            let call = order(channel)
            #expect(channel.connector.made.count == number / 300 + 1)
            if number % 300 == 0 {
                channel.last.connect()
                server = FakeRocketServer()
            }
            server.serve(channel.last)
            #expect(call.ends == [Self.made])
        }
        #expect(channel.connector.made[..<2].allSatisfy { $0.closing == .now })
    }

    @Test("A pool carries as many calls at a time as it has connections")
    func pool() throws {
        let channel = try channel(.rocket) { $0.poolSize = 3 }
        let calls = (0..<7).map { _ in order(channel) }
        for index in 0..<3 {
            #expect(channel.connector.made.count == index + 1)
            channel.connector.made[index].connect()
        }
        var servers = (0..<3).map { _ in FakeRocketServer() }
        for _ in 0..<3 {
            for index in 0..<3 { servers[index].serve(channel.connector.made[index]) }
        }
        #expect(calls.allSatisfy { $0.ends == [Self.made] })
        #expect(servers.map(\.requests).sorted() == [2, 2, 3])
        #expect(servers.allSatisfy { $0.lostReads == 0 })
    }

    @Test("What a rocket server can't take fails the call at once, in words, and no other")
    func refused() throws {
        let channel = try channel(.rocket)
        let ready = order(channel)
        channel.last.connect()
        var server = FakeRocketServer()
        server.serve(channel.last)
        #expect(ready.ends == [Self.made])
        let cases: [(String, (FakeCall) -> Void)] = [
            ("128 bytes; the limit is 127", { $0.payload = [UInt8](repeating: 0, count: 67) }),
            ("metadata (idempotency-key)", { $0.parameters.metadata = ["idempotency-key": "1"] }),
            ("metadata (x-a)", { $0.parameters.metadata = ["x-a": "1", "traceparent": "2"] }),
            ("one dot", { $0.methodName = [UInt8]("shop.v1.Order.makeOrder".utf8) }),
        ]
        for (text, change) in cases {
            let call = order(channel, change)
            let error = try #require(call.outgoing.error, "\(text)")
            #expect(error.code == .failedEncode && error.message.contains(text), "\(error)")
            #expect(channel.last.unsentBytes == 0)
        }
        let fits = order(channel) { $0.payload = [UInt8](repeating: 0, count: 66) }
        #expect(server.serve(channel.last).count == 127)
        #expect(fits.ends == [Self.made] && channel.connector.made.count == 1)
    }

    @Test("Neither deadline nor trace context is sent", arguments: [PeerKind.rocket, .tinyrpc])
    func sendsNoMetadata(_ peer: PeerKind) throws {
        let channel = try channel(peer)
        order(channel) { $0.parameters.metadata = ["traceparent": "1", "tracestate": "2"] }
        channel.last.connect()
        #expect(OriginalFrame.readAll(channel.last.takeBytes()).map(\.info) == [""])
    }

    @Test("A call that a rocket server does not answer is sent again only if it is idempotent")
    func lostConnection() throws {
        let channel = try channel(.rocket)
        let first = order(channel)
        channel.last.connect()
        var server = FakeRocketServer()
        server.serve(channel.last)
        #expect(first.ends == [Self.made])
        let call = order(channel)
        _ = channel.last.takeBytes()
        channel.last.end()
        #expect(call.ends == [.error(.failedGetReply)])
    }

    @Test(
        "Closing the channel sends nothing", arguments: [PeerKind.rocket, .tinyrpc], [true, false])
    func close(_ peer: PeerKind, signalsReset: Bool) throws {
        let channel = try channel(peer)
        order(channel)
        channel.last.signalsReset = signalsReset
        channel.last.connect()
        _ = channel.last.takeBytes()
        channel.core.close()
        #expect(channel.last.unsentBytes == 0 && channel.last.closing == .reset)
    }

    // MARK: tinyrpc

    @Test("Many calls of any size share a connection to a tinyrpc server", arguments: [1, 0])
    func tinyrpc(checksum: UInt8) throws {
        let channel = try channel(.tinyrpc)
        var server = FakeTinyRPCServer()
        server.checksum = checksum
        let calls = (0..<50).map { number in
            order(channel) { $0.payload = [UInt8](repeating: 1, count: number * 20_000) }
        }
        channel.last.connect()
        server.serve(channel.last)
        #expect(calls.allSatisfy { $0.ends == [Self.made] })
        #expect(server.requests == 50 && channel.connector.made.count == 1)
    }

    @Test("A cancelled call sends nothing to a tinyrpc server, and its late reply is dropped")
    func tinyrpcCancel() throws {
        let channel = try channel(.tinyrpc)
        let (cancelled, other) = (order(channel), order(channel))
        channel.last.connect()
        var server = FakeTinyRPCServer()
        channel.core.cancel(cancelled.outgoing)
        server.serve(channel.last)
        #expect(cancelled.ends == [.error(.cancelled)] && other.ends == [Self.made])
        #expect(server.requests == 2 && channel.statistics.lateReplies == 1)
    }

    @Test("A tinyrpc server's answer to rocket.cancel is dropped, if the channel sends one")
    func tinyrpcLateCancelAnswer() throws {
        let channel = try channel(.rocketSwift)
        let (cancelled, other) = (order(channel), order(channel))
        channel.last.connect()
        var server = FakeTinyRPCServer()
        let requests = channel.last.takeBytes()
        channel.core.cancel(cancelled.outgoing)
        channel.last.receive(server.read(requests))
        // Reads the cancel, and answers that there is no such service.
        server.serve(channel.last)
        #expect(server.requests == 3 && channel.statistics.lateReplies == 2)
        #expect(cancelled.ends == [.error(.cancelled)] && other.ends == [Self.made])
        let next = order(channel)
        server.serve(channel.last)
        #expect(next.ends == [Self.made])
    }

    @Test("A tinyrpc server ignores metadata, so a call with metadata fails in words")
    func tinyrpcMetadata() throws {
        let channel = try channel(.tinyrpc)
        let call = order(channel) { $0.parameters.metadata = ["x-a": "1"] }
        channel.last.connect()
        let error = try #require(call.outgoing.error)
        #expect(error.code == .failedEncode && error.message.contains("tinyrpc server"))
        #expect(channel.last.unsentBytes == 0)
    }

    @Test("An unknown method is an error of a tinyrpc server, as recorded")
    func tinyrpcUnknownMethod() throws {
        let channel = try channel(.tinyrpc)
        let call = order(channel) { $0.methodName = [UInt8]("shop.Order.makeOrder".utf8) }
        channel.last.connect()
        var server = FakeTinyRPCServer()
        server.serve(channel.last)
        #expect(call.ends == [.error(.serviceNotFound)])
    }
}
