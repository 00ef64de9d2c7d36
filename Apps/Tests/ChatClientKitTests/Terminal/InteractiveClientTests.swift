import Foundation
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@testable import ChatClientKit

@Suite struct InteractiveClientTests {
    /// TIOCSPTLCK and TIOCGPTN, which Swift's Glibc module lacks.
    private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    /// Makes standard input a terminal.
    private static func openTerminal() throws {
        let near = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var isLocked: Int32 = 0
        var number: Int32 = 0
        try #require(ioctl(near, setLock, &isLocked) == 0)
        try #require(ioctl(near, getNumber, &number) == 0)
        try #require(dup2(open("/dev/pts/\(number)", O_RDWR | O_NOCTTY), STDIN_FILENO) == 0)
    }

    private static var echoes: Bool {
        var mode = termios()
        return tcgetattr(STDIN_FILENO, &mode) == 0 && mode.c_lflag & tcflag_t(ECHO) != 0
    }

    /// Sets the number of descriptors that may be open, and returns the former one.
    @discardableResult
    private static func limitDescriptors(_ count: UInt) -> UInt {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        getrlimit(resource, &limit)
        let former = limit.rlim_cur
        limit.rlim_cur = count
        setrlimit(resource, &limit)
        return former
    }

    @Test("A client that can't receive signals restores the terminal and does not start")
    func withoutSignals() async {
        await #expect(processExitsWith: .success) {
            try Self.openTerminal()
            Signals.block(TerminalSignals.all)
            let driven = try HandDrivenLoop()
            let settings = ChatClientController.Settings(
                target: .addresses([try NetAddress(parsing: "127.0.0.1:9")]),
                connectTimeout: .seconds(1), reconnects: false, maxMessageBytes: 1024)
            let former = Self.limitDescriptors(0)
            var failure: SystemError?
            do throws(SystemError) {
                try InteractiveClient.start(settings, on: driven.reactor) { _ in }
            } catch { failure = error }
            let echoes = Self.echoes
            Self.limitDescriptors(former)
            #expect(failure?.errno.isOutOfDescriptors == true)
            #expect(echoes)
        }
    }
}
