import RocketSystem
import Testing

@Suite struct ThreadPriorityTests {
    @Test("A nice value is that of one thread, and no other's")
    func nice() throws {
        final class Found: Sendable { let nice = Locked<Int?>(nil) }
        let before = CurrentThread.nice
        // Never lower than before, which would need a privilege.
        let wanted = min(19, max(0, before) + 3)
        let found = Found()
        let thread = try SystemThread(name: "nice") {
            try? CurrentThread.setNice(wanted)
            found.nice.withLock { $0 = CurrentThread.nice }
        }
        thread.join()
        #expect(found.nice.withLock { $0 } == wanted)
        #expect(CurrentThread.nice == before)
    }
}
