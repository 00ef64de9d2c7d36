import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// The metadata of calls, and how much of it a peer takes.
@Suite struct ChannelMetadataTests {
    /// Metadata whose block has so many bytes, besides a `timeout-ms` of 10000.
    func metadata(blockBytes: Int) -> RPCMetadata {
        let rest = "rkm1\ntimeout-ms=10000\nx-token=\n".utf8.count
        return ["x-token": String(repeating: "t", count: blockBytes - rest)]
    }

    let announcement = "rkm1\nlimit=8192\n"

    // MARK: 511 bytes

    @Test("A block of exactly 511 bytes is sent whole, to any peer")
    func exactly511() throws {
        let channel = try DrivenChannel.connected()
        let call = channel.start { $0.parameters.metadata = metadata(blockBytes: 511) }
        let request = try #require(channel.last.requests().first)
        #expect(request.id == call.idText && request.info.utf8.count == 511)
        #expect(request.info.hasPrefix("rkm1\ntimeout-ms=10000\nx-token=tt"))
        #expect(request.info.hasSuffix("t\n"))
    }

    @Test("Each call carries its own metadata, also with the same milliseconds left")
    func ownMetadata() throws {
        let channel = try DrivenChannel.connected()
        let plain = "rkm1\ntimeout-ms=10000\n"
        for value in ["1", nil, "2", "2", nil, nil, "3"] {
            channel.start { if let value { $0.parameters.metadata = ["x-a": value] } }
            let info = channel.last.requests().map(\.info)
            #expect(info == [value.map { plain + "x-a=\($0)\n" } ?? plain])
        }
    }

    @Test("An invalid key fails its call, and no other")
    func invalidKey() throws {
        let channel = try DrivenChannel.connected()
        let bad = channel.start { $0.parameters.metadata["x y"] = "1" }
        let error = try #require(bad.outgoing.error)
        #expect(error.code == .failedEncode && error.message.contains("x y"))
        let good = channel.start { $0.parameters.metadata["X-Request-ID"] = "1" }
        #expect(channel.last.requests().map(\.id) == [good.idText])
    }

    // MARK: Up to 8 KiB

    @Test("A call with more than 511 bytes is sent once the peer has announced its limit")
    func waitsForAnnouncement() throws {
        let channel = try DrivenChannel.connected()
        let call = channel.start { $0.parameters.metadata = metadata(blockBytes: 512) }
        let second = channel.start { $0.parameters.metadata = metadata(blockBytes: 8192) }
        let probe = channel.last.requests()
        #expect(probe.map(\.method) == ["rocket.Health.check"])
        #expect(probe.map(\.info) == ["rkm1\ntimeout-ms=2000\n"])
        let small = channel.start()
        #expect(channel.last.requests().map(\.id) == [small.idText], "others don't wait")
        channel.last.reply(to: small.idText)
        channel.last.reply(to: probe[0].id, info: announcement)
        let requests = channel.last.requests()
        #expect(requests.map(\.id) == [call.idText, second.idText])
        #expect(requests.map(\.info.utf8.count) == [512, 8192])
        channel.last.reply(to: call.idText)
        #expect(call.ends == [.response([])])
        #expect(channel.statistics.unknownReplies == 0 && channel.statistics.retries == 0)
    }

    @Test("A limit that a reply has announced needs no further exchange")
    func announcedBefore() throws {
        let channel = try DrivenChannel()
        let first = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.last.reply(to: first.idText, info: announcement)
        let call = channel.start { $0.parameters.metadata = metadata(blockBytes: 8192) }
        #expect(channel.last.requests().map(\.id) == [call.idText])
        let larger = channel.start { $0.parameters.metadata = metadata(blockBytes: 8193) }
        #expect(larger.ends == [.error(.failedEncode)])
        #expect(channel.last.requests().isEmpty)
    }

    @Test("More than 8 KiB fails at once")
    func tooLarge() throws {
        let channel = try DrivenChannel.connected()
        let call = channel.start { $0.parameters.metadata = metadata(blockBytes: 8193) }
        #expect(call.ends == [.error(.failedEncode)] && channel.last.requests().isEmpty)
    }

    @Test("A peer that announces nothing fails the call, in words that name both sizes")
    func noAnnouncement() throws {
        let channel = try DrivenChannel.connected()
        let call = channel.start { $0.parameters.metadata = metadata(blockBytes: 600) }
        let probe = try #require(channel.last.requests().first)
        channel.last.reply(to: probe.id, code: .serviceNotFound, info: announcement)
        let error = try #require(call.outgoing.error)
        #expect(error.code == .failedEncode)
        #expect(error.message.contains("600") && error.message.contains("511"), "\(error)")
        let next = channel.start { $0.parameters.metadata = metadata(blockBytes: 600) }
        #expect(next.ends == [.error(.failedEncode)] && channel.last.requests().isEmpty)
    }

    @Test("The announcement may come with the reply to an earlier call")
    func announcedByEarlierCall() throws {
        let channel = try DrivenChannel.connected()
        let slow = channel.start()
        let call = channel.start { $0.parameters.metadata = metadata(blockBytes: 600) }
        let probe = try #require(channel.last.requests().last)
        channel.last.reply(to: probe.id)
        #expect(call.ends.isEmpty && channel.last.requests().isEmpty)
        channel.last.reply(to: slow.idText, info: announcement)
        #expect(channel.last.requests().map(\.id) == [call.idText])
    }

    @Test("A call that waits for an announcement ends by deadline, cancellation and close")
    func endsWhileWaiting() throws {
        let channel = try DrivenChannel.connected()
        let large = metadata(blockBytes: 600)
        let overdue = channel.start(timeout: .seconds(1)) { $0.parameters.metadata = large }
        let cancelled = channel.start { $0.parameters.metadata = large }
        let closed = channel.start { $0.parameters.metadata = large }
        channel.tick(after: .seconds(1))
        #expect(overdue.ends == [.error(.callTimeout)])
        channel.core.cancel(cancelled.outgoing)
        #expect(cancelled.ends == [.error(.cancelled)])
        channel.core.close()
        #expect(closed.ends == [.error(.channelInit)])
    }

    @Test("A lost connection's calls that wait for an announcement ask on the next one")
    func lostWhileWaiting() throws {
        let channel = try DrivenChannel.connected()
        let call = channel.start { $0.parameters.metadata = metadata(blockBytes: 600) }
        channel.last.end()
        channel.last.connect()
        let probe = try #require(channel.last.requests().first)
        #expect(probe.method == "rocket.Health.check")
        channel.last.reply(to: probe.id, info: announcement)
        #expect(channel.last.requests().map(\.id) == [call.idText])
    }

    @Test("No more calls wait for an announcement than maxCallsWaiting")
    func waitingLimit() throws {
        let channel = try DrivenChannel.connected { $0.maxCallsWaiting = 3 }
        let calls = (0..<4).map { _ in
            channel.start { $0.parameters.metadata = metadata(blockBytes: 600) }
        }
        #expect(calls[..<3].allSatisfy { $0.ends.isEmpty })
        #expect(calls[3].ends == [.error(.resourceExhausted)])
    }

    @Test("Within a process up to 8 KiB are sent at once")
    func inProcess() async throws {
        let channel = try RPCChannel(inProcess: [TestService()], configuration: .patient)
        defer { channel.close() }
        let reply = try await channel.call(
            TestService.echo, Text("hi"), metadata: metadata(blockBytes: 8000))
        #expect(reply.value == "hi")
    }
}
