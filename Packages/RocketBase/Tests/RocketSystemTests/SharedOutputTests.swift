import Foundation
import RocketSystem
import Testing

/// Streams that can't be opened a second time, and whose reader does not read. Each test is a
/// process of its own, which SIGALRM ends if a write blocks.
@Suite struct SharedOutputTests {
    /// TIOCSPTLCK and TIOCGPTN, which Swift's Glibc module lacks.
    private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    /// Returns a blocking terminal that translates line feeds.
    private static func terminal() -> Int32 {
        let near = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var isLocked: Int32 = 0
        var number: Int32 = 0
        guard ioctl(near, setLock, &isLocked) == 0, ioctl(near, getNumber, &number) == 0 else {
            return -1
        }
        return open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    }

    /// Makes opening the streams again fail, as if they belonged to another user, also for root.
    private static func refuseOpening(_ descriptors: [Int32]) throws {
        for descriptor in descriptors { fchmod(descriptor, 0) }
        if geteuid() == 0 { seteuid(65_534) }
        for descriptor in descriptors {
            try #require(open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NOCTTY) < 0)
        }
    }

    private static func write(_ text: String, to descriptor: Int32, limit: Duration) -> Bool {
        let output = SharedOutput(descriptor)
        let result = Array(text.utf8).withUnsafeBytes { output.write($0, waitingAtMost: limit) }
        return result.written < text.utf8.count && result.error?.errno == .again
    }

    @Test("A borrowed terminal whose reader does not read never blocks the writer")
    func borrowedTerminal() async {
        await #expect(processExitsWith: .success) {
            alarm(30)
            let line = String(repeating: "x", count: 36) + "\n"
            let texts = [
                String(repeating: line, count: 20_000),
                String(repeating: "\n", count: 500_000),
                String(repeating: "\t", count: 500_000),
                String(repeating: "x", count: 500_000),
            ]
            let terminals = texts.map { _ in Self.terminal() }
            try Self.refuseOpening(terminals)
            for (text, terminal) in zip(texts, terminals) {
                #expect(Self.write(text, to: terminal, limit: .zero))
            }
        }
    }

    @Test("A signal while waiting for a borrowed pipe does not begin a write that blocks")
    func interruptedWait() async {
        await #expect(processExitsWith: .success) {
            alarm(30)
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            let text = String(repeating: "x", count: 1 << 20)
            try Self.refuseOpening([ends[1]])
            // Restarts calls that wait, but not poll(2).
            signal(SIGUSR1) { _ in }
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGUSR1)
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            let writer = pthread_self()
            Thread.detachNewThread {
                while true {
                    pthread_kill(writer, SIGUSR1)
                    sched_yield()
                }
            }
            #expect(Self.write(text, to: ends[1], limit: .milliseconds(300)))
        }
    }
}
