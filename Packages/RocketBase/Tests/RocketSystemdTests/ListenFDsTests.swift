import Foundation
import RocketSystemd
import Testing

/// LISTEN_FDS as it is and as it is not; each in a child process, whose descriptors it describes.
struct ListenFDsTests {
    /// Sets the variables, with `descriptors` of these kinds from 3 on, and exits with 0 if the fault
    /// contains `expected`, or if there is none and it is empty.
    static func check(count: String, sockets: Int, files: Int = 0, expected: String) -> Never {
        for number in 3..<64 { close(Int32(number)) }
        var ends: [Int32] = [0, 0]
        for _ in 0..<sockets {
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { exit(90) }
            close(ends[1])
        }
        for _ in 0..<files { _ = open("/dev/null", O_RDWR) }
        setenv("LISTEN_PID", "\(getpid())", 1)
        setenv("LISTEN_FDS", count, 1)
        let passed = ListenFDs.fromEnvironment()
        guard let fault = passed.fault else {
            exit(expected.isEmpty && passed.sockets.count == sockets ? 0 : 91)
        }
        let isExpected = fault.contains(expected) && !expected.isEmpty && passed.sockets.isEmpty
        exit(isExpected && !fault.contains("\n") ? 0 : 92)
    }

    @Test("Open sockets are passed")
    func openSockets() async {
        await #expect(processExitsWith: .exitCode(0)) {
            Self.check(count: "2", sockets: 2, expected: "")
        }
    }

    @Test("A descriptor that is not open is a fault that names it")
    func notOpen() async {
        await #expect(processExitsWith: .exitCode(0)) {
            Self.check(
                count: "2", sockets: 1,
                expected: "LISTEN_FDS=2 is not true: descriptor 4 is not open")
        }
    }

    @Test("A descriptor that is no socket is a fault that names it")
    func noSocket() async {
        await #expect(processExitsWith: .exitCode(0)) {
            Self.check(
                count: "2", sockets: 1, files: 1,
                expected: "LISTEN_FDS=2 is not true: descriptor 4 is no socket")
        }
    }

    @Test("A count that is no number is a fault")
    func noNumber() async {
        await #expect(processExitsWith: .exitCode(0)) {
            Self.check(count: "x", sockets: 1, expected: "LISTEN_FDS=x is not true: EINVAL")
        }
    }
}
