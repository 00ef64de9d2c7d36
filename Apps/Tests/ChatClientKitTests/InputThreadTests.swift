import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@testable import ChatClientKit

@Suite struct InputThreadTests {
    /// Its first read fails, its second finds the end.
    private final class Input: Sendable {
        private let reads = Locked(0)
        private let parts = Locked<[[UInt8]]>([])

        var received: [[UInt8]] { parts.withLock { $0 } }

        func read() throws(SystemError) -> [UInt8] {
            let number = reads.withLock { reads in
                reads += 1
                return reads
            }
            // EIO, as of a terminal in the background.
            if number == 1 { throw SystemError("read", Errno(rawValue: 5)) }
            return number == 2 ? [] : [0x61]
        }

        func receive(_ bytes: [UInt8]) { parts.withLock { $0.append(bytes) } }
    }

    @Test("Reads on after a read that failed or found the end")
    func readsOn() throws {
        let driven = try HandDrivenLoop()
        let input = Input()
        let thread = try InputThread(on: driven.loop, read: input.read)
        thread.onInput(input.receive)
        for count in 1...3 {
            thread.requestRead()
            // Each wait ends with the read, or the test fails.
            for _ in 0..<3 where input.received.count < count {
                driven.loop.tick(waitingAtMost: .seconds(5))
            }
        }
        #expect(input.received == [[], [], [0x61]])
    }
}
