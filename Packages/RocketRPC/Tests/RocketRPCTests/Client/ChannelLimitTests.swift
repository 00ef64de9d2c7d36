import RocketCodec
import RocketBase
import Testing

@testable import RocketRPC

/// Requests that a channel does not send, and the most calls it accepts.
@Suite struct ChannelLimitTests {
    @Test("No more calls are in flight than maxCallsInFlight")
    func callsInFlight() throws {
        let channel = try DrivenChannel { $0.maxCallsInFlight = 2 }
        let calls = (0..<3).map { _ in channel.start() }
        #expect(calls.map(\.ends) == [[], [], [.error(.resourceExhausted)]])
        channel.last.connect()
        channel.last.reply(to: calls[0].idText)
        #expect(channel.start().ends.isEmpty)
    }

    @Test("A request that a C++ peer can't hold is not sent")
    func peerLimits() throws {
        let channel = try DrivenChannel { $0.maxRequestBytes = 127 }
        channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        let longName = channel.start { $0.methodName = [UInt8](repeating: 0x61, count: 512) }
        let metadata = channel.start {
            $0.parameters.metadata["x"] = String(repeating: "v", count: 512)
        }
        let large = channel.start { $0.payload = [UInt8](repeating: 0, count: 100) }
        #expect(longName.ends == [.error(.failedEncode)])
        #expect(metadata.ends == [.error(.failedEncode)])
        #expect(large.ends == [.error(.failedEncode)])
        #expect(channel.last.requests().isEmpty)
        let small = channel.start()
        #expect(channel.last.requests().map(\.id) == [small.idText])
    }

    @Test("A frame over the codec's limit is not sent")
    func frameLimit() throws {
        let channel = try DrivenChannel { $0.codec = .init(maxFrameBytes: 100) }
        channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        let large = channel.start { $0.payload = [UInt8](repeating: 0, count: 100) }
        #expect(large.ends == [.error(.failedEncode)])
        #expect(channel.last.requests().isEmpty)
    }

    @Test("A method name of 511 bytes and an id of 49 bytes are sent")
    func largestNameAndID() throws {
        let channel = try DrivenChannel()
        let id = try callID([UInt8](repeating: 0x37, count: 49))
        channel.start {
            $0.methodName = [UInt8](repeating: 0x61, count: 511)
            $0.parameters.idChoice = .chosen(id)
        }
        channel.last.connect()
        let request = try #require(channel.last.requests().first)
        #expect(request.id.count == 49 && request.method.count == 511)
    }

    @Test("A deadline that is not sent still ends the call")
    func unsentDeadline() throws {
        let channel = try DrivenChannel { $0.sendsDeadline = false }
        let call = channel.start(timeout: .milliseconds(100))
        channel.last.connect()
        #expect(channel.last.requests().map(\.info) == [""])
        channel.tick(after: .milliseconds(100))
        #expect(call.ends == [.error(.callTimeout)])
    }
}
