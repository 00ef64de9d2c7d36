import Foundation
import RocketSystemd
import Testing

/// LISTEN_FDS as it is and as it is not; each in a child process, whose descriptors it describes.
struct ListenFDsTests {
    /// Sets the variables, with `descriptors` of these kinds from 3 on, and exits with 0 if the fault
    /// contains `expected`, or if there is none and it is empty.
    static func check(count: String, sockets: Int, files: Int = 0, expected: String) -> Never {
        var passed: [Int32] = []
        var ends: [Int32] = [0, 0]
        for _ in 0..<sockets {
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { exit(90) }
            passed.append(fcntl(ends[0], F_DUPFD, 100))
        }
        for _ in 0..<files { passed.append(fcntl(open("/dev/null", O_RDWR), F_DUPFD, 100)) }
        // Other threads of this process may open descriptors at any time. They get 0, 1 and 2, and
        // not the one that has to be missing.
        for number in 0..<64 { close(Int32(number)) }
        for (index, descriptor) in passed.enumerated() { dup2(descriptor, Int32(3 + index)) }
        setenv("LISTEN_PID", "\(getpid())", 1)
        setenv("LISTEN_FDS", count, 1)
        let found = ListenFDs.fromEnvironment()
        guard let fault = found.fault else {
            exit(expected.isEmpty && found.sockets.count == sockets ? 0 : 91)
        }
        let isExpected = fault.contains(expected) && !expected.isEmpty && found.sockets.isEmpty
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

    @Test("The largest count is a fault that names the first missing descriptor")
    func largestCount() async {
        await #expect(processExitsWith: .exitCode(0)) {
            Self.check(
                count: "2147483647", sockets: 1,
                expected: "LISTEN_FDS=2147483647 is not true: descriptor 4 is not open")
        }
    }

    @Test("A count that is no number is a fault")
    func noNumber() async {
        await #expect(processExitsWith: .exitCode(0)) {
            Self.check(count: "x", sockets: 1, expected: "LISTEN_FDS=x is not true: EINVAL")
        }
    }
}
