import Glibc
import RocketBase
import RocketReactorTestKit
import RocketSystem
import RocketTLS
import RocketTLSTestKit
import Testing

/// What becomes of sessions when the process ends while loops use them.
@Suite(.oneAtATime) struct TLSProcessExitTests {
    private static func exchange() throws {
        let authority = try Authority()
        try SessionPair(authority.client(), authority.server()).exchange()
    }

    @Test("While a process exits, its other threads can still use TLS")
    func exiting() async {
        await #expect(processExitsWith: .exitCode(7)) {
            // Registered before the first use of TLS, it runs behind what OpenSSL registers.
            ProcessExit.run { _exit((try? Self.exchange()) == nil ? 8 : 7) }
            try Self.exchange()
            CurrentProcess.exit(9)
        }
    }
}
