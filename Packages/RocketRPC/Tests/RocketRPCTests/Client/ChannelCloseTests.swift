import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// How closing a channel ends its calls and its connections.
@Suite struct ChannelCloseTests {
    @Test("Closing a channel resets a connection with calls and closes an idle one")
    func closes() throws {
        let busy = try DrivenChannel()
        let call = busy.start()
        busy.last.connect()
        busy.core.close()
        busy.core.close()
        #expect(busy.last.closing == .reset)
        #expect(call.ends == [.error(.channelInit)])
        #expect(busy.state == .closed)
        let after = busy.start()
        #expect(after.ends == [.error(.channelInit)])

        let idle = try DrivenChannel()
        let answered = idle.start()
        idle.last.connect()
        idle.last.reply(to: answered.idText)
        idle.core.close()
        #expect(idle.last.closing == .now)
    }

    @Test("Closing a channel cancels each call where the transport can't signal a reset")
    func cancelsEachCall() throws {
        let channel = try DrivenChannel()
        let calls = (0..<3).map { _ in channel.start() }
        channel.last.signalsReset = false
        channel.last.connect()
        _ = channel.last.requests()
        channel.core.close()
        let cancels = channel.last.requests()
        #expect(cancels.map(\.id) == calls.map(\.idText))
        #expect(cancels.allSatisfy { $0.method == "rocket.cancel" })
        #expect(channel.last.closing == .afterFlush)
    }

    @Test("A closed channel leaves no timer, also while calls wait to be sent again")
    func timers() throws {
        let channel = try DrivenChannel()
        let call = channel.start()
        channel.last.connect()
        channel.last.reply(to: call.idText, code: .unavailable)
        #expect(call.ends.isEmpty && channel.driven.reactor.timerCount > 0)
        channel.core.close()
        #expect(channel.driven.reactor.timerCount == 0)
    }

    @Test("A connection that is made after the close is closed")
    func connectsAfterClose() throws {
        let channel = try DrivenChannel()
        let call = channel.start()
        channel.core.close()
        #expect(channel.last.isCancelled)
        channel.last.connect()
        #expect(channel.last.closing == .now)
        #expect(call.ends == [.error(.channelInit)])
    }
}
