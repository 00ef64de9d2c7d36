import Testing

@testable import RocketSystemd

/// LISTEN_FDS as it is and as it is not, as values: descriptors 3 and 4 of a test's process belong to
/// others. ProgramEndTests in Tests/EndToEnd start programs with descriptors that are not there.
@Suite("Sockets passed by systemd")
struct ListenFDsTests {
    /// What libsystemd returns for a variable that is invalid, or a descriptor that is not open.
    private let invalid: Int32 = -22
    private let notOpen: Int32 = -9

    private func checked(
        _ count: Int32, stated: String, open: ClosedRange<Int32> = 3...4, files: Set<Int32> = []
    ) -> ListenFDs {
        ListenFDs.checked(
            count, stated: stated, names: ["rpc", "unknown"],
            isOpen: { open.contains($0) }, isSocket: { open.contains($0) && !files.contains($0) })
    }

    @Test("Open sockets are passed with their names")
    func openSockets() {
        let passed = checked(2, stated: "2")
        #expect(passed.fault == nil)
        #expect(
            passed.sockets == [
                .init(descriptor: 3, name: "rpc"), .init(descriptor: 4, name: "unknown"),
            ])
    }

    @Test("Without the variables nothing is passed")
    func nonePassed() {
        #expect(checked(0, stated: "") == .none)
    }

    @Test(
        "A variable that is not true is a fault in one line, and nothing is passed",
        arguments: [
            ("2", "descriptor 4 is not open"), ("2147483647", "descriptor 4 is not open"),
            ("-1", "EBADF (Bad file descriptor)"),
        ])
    func notTrue(stated: String, reason: String) {
        let passed = checked(notOpen, stated: stated, open: 3...3)
        #expect(passed.fault == "LISTEN_FDS=\(stated) is not true: \(reason)")
        #expect(passed.sockets.isEmpty)
    }

    @Test("A count that is no number is a fault")
    func noNumber() {
        #expect(
            checked(invalid, stated: "x").fault?
                .hasPrefix("LISTEN_FDS=x is not true: EINVAL") == true)
    }

    @Test("A descriptor that is no socket is a fault that names it")
    func noSocket() {
        let passed = checked(2, stated: "2", files: [4])
        #expect(passed.fault == "LISTEN_FDS=2 is not true: descriptor 4 is no socket")
        #expect(passed.sockets.isEmpty)
    }
}
