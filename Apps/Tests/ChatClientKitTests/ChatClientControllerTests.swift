import RocketReactorTestKit
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import ChatClientKit

@Suite struct ChatClientControllerTests {
    private final class Recorder: ChatView {
        var messages: [String] = []
        func show(message: [UInt8]) { messages.append(String(decoding: message, as: UTF8.self)) }
        func show(notice: String) {}
    }

    @Test("While its lines wait, a client reads: a server may wait until it does")
    func readsWhileLinesWait() throws {
        let driven = try HandDrivenLoop()
        let listener = try RawListener()
        try listener.listen()
        let view = Recorder()
        let settings = ChatClientController.Settings(
            target: .addresses([listener.address]), connectTimeout: .seconds(5),
            reconnects: true, maxMessageBytes: 64 << 10)
        let controller = ChatClientController(settings, view: view, on: driven.reactor) { _ in }
        controller.start()
        driven.tickUntilIdle()
        let server = try #require(listener.accept())
        let line = [UInt8](repeating: 120, count: 64 << 10)
        var count = 0
        while controller.acceptsLines, count < 10_000 {
            controller.send(line: line)
            driven.tick()
            count += 1
        }
        #expect(controller.acceptsLines == false)
        server.sendAll([0, 0, 0, 2] + Array("hi".utf8))
        driven.tickUntilIdle(limit: 100)
        #expect(view.messages == ["hi"])
        server.close()
        driven.tickUntilIdle(limit: 100)
    }
}
