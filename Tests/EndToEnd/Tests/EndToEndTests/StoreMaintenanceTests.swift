import EndToEndKit
import Foundation
import Testing

/// The options of order_server for the files of its store.
struct StoreMaintenanceTests {
    @Test("A backup beside a busy server has all confirmed orders, and a restore brings them back")
    func backupAndRestore() throws {
        let workspace = try Workspace()
        let server = try OrderServerProcess(in: workspace)
        let connection = try RawConnection(port: server.port)
        let file = workspace.path + "/copy.sqlite"
        let backup = ["--backup", file, "--json", workspace.configuration]
        var confirmed: Set<String> = []
        try send(500, "before", on: connection)
        for _ in 0..<500 {
            if let id = try connection.receiveFrame()?.text(3) { confirmed.insert(id) }
        }
        // Orders are made while the copy is.
        try send(2000, "meanwhile", on: connection)
        let result = try Programs.run("order_server", backup)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let orders = try #require(result.output.firstMatch(of: /"orders":(\d+)/)?.1)
        #expect(Int(orders).map { $0 >= confirmed.count } == true)
        #expect(result.output.contains(#""sound":true"#))

        let again = try Programs.run("order_server", backup)
        #expect(again.status == 73 && again.isOneErrorLine, "\(again)")
        let busy = try Programs.run("order_server", ["--restore", file, workspace.configuration])
        #expect(busy.status == 75 && busy.isOneErrorLine, "\(busy)")
        server.kill()

        try Data(repeating: 0xA5, count: 8192).write(to: URL(fileURLWithPath: workspace.store))
        let damaged = try Programs.run("order_server", ["--check-store", workspace.configuration])
        #expect(damaged.status == 65 && damaged.isOneErrorLine, "\(damaged)")
        let restored = try Programs.run(
            "order_server", ["--restore", file, workspace.configuration])
        #expect(
            restored.status == 0 && restored.output.contains(" \(orders) orders"), "\(restored)")
        let second = try OrderServerProcess(in: workspace)
        let list = try Programs.run("order_client", ["list", "--all", "--to", second.address])
        let stored = Set(list.output.matches(of: /\d{18,}/).map { String($0.output) })
        #expect(confirmed.isSubset(of: stored))
        #expect(second.stop().status == 0)
        let compacted = try Programs.run("order_server", ["--compact", workspace.configuration])
        #expect(compacted.status == 0 && compacted.output.contains("sound"), "\(compacted)")
    }

    @Test(
        "A store that the user may not use is reported with its owner, by a check and by a start",
        .enabled(if: Programs.canChangeUser, "needs root and setpriv(1)"),
        arguments: [["--check-store"], []])
    func notPermitted(options: [String]) throws {
        let workspace = try Workspace()
        #expect(try OrderServerProcess(in: workspace).stop().status == 0)
        // Everything but the store belongs to the user.
        let script = "chown -R 65534 \"$0\" && chmod 755 \"$0\" && chown 0 \"$0/var/orders.sqlite\""
        _ = try ChildProcess("/bin/sh", ["-c", script, workspace.path]).finish()
        let result = try ChildProcess(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--clear-groups", Programs.path("order_server")] + options
                + [workspace.configuration]
        ).finish()
        #expect(result.status == 77 && result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("orders.sqlite belongs to root (uid 0), mode 0600"))
        #expect(result.errors.contains("chown --reference="))
    }

    private func send(_ count: Int, _ name: String, on connection: RawConnection) throws {
        try connection.send(
            (0..<count).flatMap {
                TinyPBBytes(
                    "Order.makeOrder", id: "\(name)-\($0)", payload: TinyPBBytes.applePayload
                ).bytes
            })
    }
}

extension Programs {
    /// Whether tests can run a program as another user, who may read the programs.
    fileprivate static let canChangeUser: Bool = {
        guard getuid() == 0 else { return false }
        let arguments = ["--reuid=65534", "--clear-groups", path("order_server"), "--version"]
        return (try? ChildProcess("/usr/bin/setpriv", arguments).finish())?.status == 0
    }()
}
