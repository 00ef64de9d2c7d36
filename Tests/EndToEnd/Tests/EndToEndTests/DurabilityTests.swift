import EndToEndKit
import Foundation
import Testing

/// Orders that were confirmed to a client survive the server.
struct DurabilityTests {
    @Test("After kill -9 right after the reply the order is in the store")
    func killedAfterReply() throws {
        let workspace = try Workspace()
        let first = try OrderServerProcess(in: workspace)
        let connection = try RawConnection(port: first.port)
        try connection.send(TinyPBBytes.goldenRequest)
        let reply = try connection.receiveFrame()
        first.kill()
        let id = try #require(reply?.text(3))

        let second = try OrderServerProcess(in: workspace)
        let found = try Programs.run("order_client", ["get", id, "--to", second.address])
        #expect(found.status == 0 && found.output.contains("apple"), "\(found)")
        #expect(second.stop().status == 0)
    }

    @Test("After kill -9 under load every confirmed order is in the store once")
    func killedUnderLoad() throws {
        let workspace = try Workspace()
        var answered: Set<String> = []
        for round in 0..<3 {
            let server = try OrderServerProcess(in: workspace)
            let connection = try RawConnection(port: server.port)
            try connection.send(
                (0..<2000).flatMap {
                    TinyPBBytes(
                        "Order.makeOrder", id: "\(round)-\($0)",
                        payload: TinyPBBytes.applePayload
                    ).bytes
                })
            // Calls beyond the limit in flight are refused at once: only orders count.
            let goal = answered.count + 100
            while answered.count < goal, let reply = try connection.receiveFrame() {
                if let id = reply.text(3) { answered.insert(id) }
            }
            server.kill()
            while let reply = try connection.receiveFrame() {
                if let id = reply.text(3) { answered.insert(id) }
            }
        }
        #expect(answered.count >= 300)
        let check = try Programs.run("order_server", ["--check-store", workspace.configuration])
        #expect(check.status == 0 && check.output.contains("sound"), "\(check)")

        let server = try OrderServerProcess(in: workspace)
        let list = try Programs.run("order_client", ["list", "--all", "--to", server.address])
        let stored = list.output.matches(of: /\d{18,}/).map { String($0.output) }
        #expect(Set(stored).count == stored.count)
        #expect(answered.isSubset(of: stored))
        #expect(server.stop().status == 0)
    }

    @Test("SIGTERM drains: every accepted call gets its reply, then the connection ends")
    func drain() throws {
        let server = try OrderServerProcess(in: Workspace())
        let connection = try RawConnection(port: server.port)
        try connection.send(
            (0..<500).flatMap {
                TinyPBBytes("Order.makeOrder", id: "\($0)", payload: TinyPBBytes.applePayload)
                    .bytes
            })
        // The first reply shows that the server is reading them.
        var replies = [try #require(try connection.receiveFrame())]
        server.child.send(SIGTERM)
        while let reply = try connection.receiveFrame() { replies.append(reply) }
        connection.finish()
        let result = server.child.finish()
        #expect(result.status == 0 && !result.wasKilled, "\(result)")
        #expect(Set(replies.map(\.messageID)).count == replies.count)
        let made = replies.filter { $0.errorCode == 0 }
        #expect(replies.allSatisfy { [0, 10_000_101].contains($0.errorCode) })

        let check = try Programs.run(
            "order_server", ["--check-store", server.workspace.configuration])
        #expect(check.output.contains(" \(made.count) orders"), "\(check), \(made.count) made")
    }

    @Test("After a clean stop that followed a read, the database file is complete without its log")
    func cleanStop() throws {
        let server = try OrderServerProcess(in: Workspace())
        let to = ["--to", server.address]
        let made = try Programs.run(
            "order_client", ["make", "--price", "10", "--goods", "apple"] + to)
        let id = try #require(made.output.firstMatch(of: /\d{18,}/)).output
        #expect(try Programs.run("order_client", ["get", String(id)] + to).status == 0)
        #expect(server.stop().status == 0)
        let files = try FileManager.default.contentsOfDirectory(
            atPath: server.workspace.path + "/var")
        #expect(files == ["orders.sqlite"])
    }

    @Test("Once the files are deleted, no order is confirmed, and log and health say so")
    func deletedFiles() throws {
        let server = try OrderServerProcess(in: Workspace())
        let make = ["make", "--price", "10", "--goods", "apple", "--to", server.address]
        #expect(try Programs.run("order_client", make).status == 0)
        try FileManager.default.removeItem(atPath: server.workspace.path + "/var")
        for text in ["may or may not be stored", "nothing was stored"] {
            let refused = try Programs.run("order_client", make)
            #expect(refused.isOneErrorLine && refused.errors.contains(text), "\(refused)")
        }
        let connection = try RawConnection(port: server.port)
        try connection.send(TinyPBBytes("rocket.Health.check", id: "1", payload: []).bytes)
        // status 2: NOT_SERVING
        #expect(try connection.receiveFrame()?.payload == [0x08, 0x02])
        #expect(server.stop(closing: connection).status == 0)
        #expect(server.workspace.logLines().contains { $0.contains("order store can't write") })
    }

    @Test("--check-store of a missing store prints one line")
    func nothingToCheck() throws {
        let workspace = try Workspace()
        let result = try Programs.run("order_server", ["--check-store", workspace.configuration])
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("orders.sqlite"))
    }

    /// Runs as root only: the disk is a tmpfs in a mount namespace that ends with the server.
    @Test(
        "A full disk refuses orders with an error, and accepts them again once there is space",
        .enabled(if: Programs.canMount, "needs root and unshare(1)"))
    func fullDisk() throws {
        let workspace = try Workspace(
            sections: "<order_store><path>disk/orders.sqlite</path></order_store>")
        let disk = workspace.path + "/disk"
        try FileManager.default.createDirectory(
            atPath: disk, withIntermediateDirectories: true)
        let script = """
            mount -t tmpfs -o size=1m,nr_inodes=64 tmpfs '\(disk)' || exit 9
            exec "$0" "$@"
            """
        let manager = try FakeServiceManager(in: workspace)
        let server = try OrderServerProcess(
            in: workspace,
            launcher: ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script],
            environment: manager.environment)
        let connection = try RawConnection(port: server.port)
        var made: [String] = []
        var refusal: TinyPBBytes?
        for number in 0..<5000 where refusal == nil {
            try connection.send(bigOrder(number).bytes)
            let reply = try #require(try connection.receiveFrame())
            if let id = reply.text(3) { made.append(id) } else { refusal = reply }
        }
        #expect(refusal?.errorCode == 10_000_102)
        let text = String(decoding: refusal?.errorInfo ?? [], as: UTF8.self)
        #expect(text.contains("full"))
        for number in 5000..<5010 {
            try connection.send(bigOrder(number).bytes)
            if let id = try connection.receiveFrame()?.text(3) { made.append(id) }
        }
        let full = "STATUS=orders are not stored: the disk is full; "
        while try manager.next("STATUS=").first?.hasPrefix(full) != true {}

        // The disk grows while the server runs.
        let pid = String(server.child.id)
        let grow = try ChildProcess(
            "/usr/bin/nsenter",
            ["-t", pid, "-m", "mount", "-o", "remount,size=8m", disk]
        ).finish()
        #expect(grow.status == 0, "\(grow)")
        try connection.send(bigOrder(6000).bytes)
        made.append(try #require(try connection.receiveFrame()?.text(3)))
        let list = try Programs.run(
            "order_client", ["list", "--all", "--to", server.address])
        let stored = list.output.matches(of: /\b\d{18,}/).map { String($0.output) }
        #expect(stored == made)
        while try manager.next("STATUS=").first?.hasPrefix(full) != false {}
        #expect(server.stop(closing: connection).status == 0)
        let lines = workspace.logLines()
        #expect(lines.filter { $0.contains("order store can't write") }.count == 1)
        #expect(lines.filter { $0.contains("order store writes again") }.count == 1)
    }

    private func bigOrder(_ number: Int) -> TinyPBBytes {
        // price 100, goods of 1,000 letters
        let payload = TinyPBBytes.unhex("0864 12e807") + [UInt8](repeating: 0x78, count: 1000)
        return TinyPBBytes("Order.makeOrder", id: "\(number)", payload: payload)
    }
}
