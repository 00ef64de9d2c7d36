import Glibc
import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import Synchronization
import Testing

@testable import RocketAdmin

/// A real listener, with a snapshot of the tests in place of a server's.
struct AdminServerTests {
    /// Serves while `body` runs.
    private func serving(
        _ address: NetAddress = .loopback(port: 0), source: AdminSource? = nil,
        change: (inout AdminConfiguration) -> Void = { _ in },
        _ body: (NetAddress) async throws -> Void
    ) async throws {
        var configuration = try AdminConfiguration(address: address)
        configuration.validity = .zero
        change(&configuration)
        let source = source ?? AdminSource(name: "shop") { Samples.snapshot(calls: 2) }
        let admin = AdminServer(configuration, source)
        let task = Task { try await admin.run() }
        do {
            try await body(try #require(await admin.boundAddress))
        } catch {
            task.cancel()
            _ = try? await task.value
            throw error
        }
        task.cancel()
        try await task.value
    }

    @Test("pages, tables, metrics and probes answer, with the headers of every answer")
    func answers() async throws {
        try await serving { address in
            for page in AdminPage.allCases {
                let html = await RawHTTP.get(page.path, from: address)
                #expect(html.status == 200)
                #expect(html.header("Content-Type") == "text/html; charset=utf-8")
                #expect(html.body.hasPrefix("<!doctype html>"))
                #expect(html.header("Content-Security-Policy")?.contains("'nonce-") == true)
                #expect(html.header("X-Frame-Options") == "DENY")
                #expect(html.header("Cache-Control") == "no-store")
                let json = await RawHTTP.get(page.jsonPath, from: address)
                #expect(json.status == 200)
                #expect(json.header("Content-Type") == "application/json")
                #expect(json.body.hasPrefix("{"))
                let live = await RawHTTP.get("\(page.path)?live=1", from: address)
                #expect(live.body.hasPrefix("<div id=\"live\">"))
            }
            let metrics = await RawHTTP.get("/metrics", from: address)
            #expect(metrics.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.body.contains("rocket_server_handled_total{"))
            #expect(await RawHTTP.get("/healthz", from: address).body == "ok\n")
            #expect(await RawHTTP.get("/readyz", from: address).body == "ready\n")
        }
    }

    @Test("two pages have different nonces")
    func nonces() async throws {
        try await serving { address in
            let first = await RawHTTP.get("/", from: address).header("Content-Security-Policy")
            let second = await RawHTTP.get("/", from: address).header("Content-Security-Policy")
            #expect(first != second)
        }
    }

    @Test(
        "HEAD has the headers of GET and no body; unknown paths, methods and targets say what to do"
    )
    func refuses() async throws {
        try await serving { address in
            let head = await RawHTTP.get("/metrics", from: address, method: "HEAD")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(Int(head.header("Content-Length") ?? "") ?? 0 > 1000)
            let missing = await RawHTTP.get("/nothing?x=1", from: address)
            #expect(missing.status == 404)
            #expect(missing.body.contains("/methods"))
            let put = await RawHTTP.get("/methods", from: address, method: "PUT")
            #expect(put.status == 405)
            #expect(put.header("Allow") == "GET, HEAD")
            #expect(await RawHTTP.get("/%zz", from: address).status == 400)
            let post = await RawHTTP.get(
                "/log", from: address, method: "POST",
                headers: ["Host: localhost", "X-Rocket-Admin: 1"], body: "stream=app&level=DEBUG")
            #expect(post.status == 403)
            #expect(post.body.contains("admin/writable"))
        }
    }

    @Test("a recording comes from no foreign page, and has to be allowed")
    func recording() async throws {
        func post(_ address: NetAddress, _ headers: [String], _ body: String = "") async -> Int {
            await RawHTTP.get(
                "/record", from: address, method: "POST", headers: ["Host: localhost"] + headers,
                body: body
            ).status
        }
        let change = "X-Rocket-Admin: 1"
        try await serving { address in
            let refused = await RawHTTP.get(
                "/record", from: address, method: "POST", headers: ["Host: localhost", change])
            #expect(refused.status == 403 && refused.body.contains("admin/record"))
        }
        try await serving(change: { $0.allowsRecording = true }) { address in
            #expect(await post(address, []) == 403)
            #expect(await post(address, [change, "Origin: http://evil.example"]) == 403)
            #expect(await post(address, [change, "Sec-Fetch-Site: cross-site"]) == 403)
            #expect(await post(address, [change], "unknown=1") == 400)
            #expect(await post(address, [change], "id=1") == 404)
            #expect(await post(address, [change], String(repeating: "x", count: 9000)) == 413)
            // There is no server in this source.
            #expect(await post(address, [change]) == 409)
            #expect(await RawHTTP.get("/record", from: address).status == 404)
        }
    }

    @Test("a foreign Host is refused on loopback, since a foreign page could have that name")
    func host() async throws {
        try await serving { address in
            let foreign = await RawHTTP.get(
                "/metrics", from: address, headers: ["Host: evil.example"])
            #expect(foreign.status == 421)
            #expect(!foreign.body.contains("rocket_"))
            let twice = await RawHTTP.get(
                "/healthz", from: address, headers: ["Host: localhost", "Host: evil.example"])
            #expect(twice.status == 400)
            let none = await RawHTTP.get("/healthz", from: address, headers: [])
            #expect(none.status == 400)
        }
    }

    @Test("headers and lines that are too long are refused, and the next request is served")
    func longHeaders() async throws {
        try await serving { address in
            let long = String(repeating: "x", count: 20_000)
            let headers = await RawHTTP.get(
                "/", from: address, headers: ["Host: localhost", "X: \(long)"])
            #expect([413, 431].contains(headers.status))
            let line = await RawHTTP.get("/\(long)", from: address)
            #expect([413, 414, 431].contains(line.status))
            let garbage = await RawHTTP.send("\u{16}\u{3}\u{1}\r\n\r\n", to: address)
            #expect([0, 400].contains(garbage.status))
            #expect(await RawHTTP.get("/healthz", from: address).status == 200)
        }
    }

    @Test("a client that does not finish its request is closed after the time limit")
    func slowClient() async throws {
        try await serving(change: { $0.requestTimeout = .milliseconds(100) }) { address in
            let answer = await RawHTTP.send("GET / HTTP/1.1\r\nHost: loc", to: address)
            #expect(answer.bytes.isEmpty)
        }
    }

    @Test("connections beyond the share of a peer are closed at once")
    func share() async throws {
        let path = "unix:\(temporaryPath())"
        for address in [NetAddress.loopback(port: 0), try NetAddress(parsing: path)] {
            try await serving(address, change: { $0.maxConnectionsPerPeer = 2 }) { address in
                let held = [RawHTTP.connect(to: address), RawHTTP.connect(to: address)]
                defer { held.forEach { close($0) } }
                let third = await RawHTTP.send("", to: address)
                #expect(third.bytes.isEmpty)
            }
        }
    }

    private func temporaryPath() -> String {
        let folder = ProcessEnvironment.current["TMPDIR"] ?? "/tmp"
        var random = SystemRandomNumberGenerator()
        return "\(folder)/admin-\(random.next() as UInt32).sock"
    }

    @Test("a Unix socket has the mode 0660, answers its own user, and is removed at the end")
    func unixSocket() async throws {
        let path = temporaryPath()
        for _ in 0..<2 {
            try await serving(try NetAddress(parsing: "unix:\(path)")) { address in
                let mode = try SocketFile.mode(of: path)
                #expect(mode & 0o777 == 0o660)
                let answer = await RawHTTP.get("/healthz", from: address, headers: ["Host: x"])
                #expect(answer.body == "ok\n")
            }
            #expect(!FileSystem.mayExist(path))
        }
        // One that a crashed server has left is replaced.
        let stale = try FileDescriptor.streamSocket(for: .unix(path: path))
        try stale.bind(to: .unix(path: path))
        try await serving(try NetAddress(parsing: "unix:\(path)")) { address in
            #expect(await RawHTTP.get("/healthz", from: address).status == 200)
        }
    }

    @Test("an address in use, and an unknown group, are errors with their names")
    func startErrors() async throws {
        try await serving { address in
            let other = AdminServer(
                try AdminConfiguration(address: address),
                AdminSource(name: "x") {
                    Samples.snapshot()
                })
            let error = await #expect(throws: AdminError.self) { try await other.run() }
            #expect(error?.description.contains("\(address)") == true)
            #expect(await other.boundAddress == nil)
        }
        var configuration = try AdminConfiguration(
            address: try NetAddress(parsing: "unix:\(temporaryPath())"))
        configuration.group = "no-such-group"
        let admin = AdminServer(configuration, AdminSource(name: "x") { Samples.snapshot() })
        let error = await #expect(throws: AdminError.self) { try await admin.run() }
        #expect(error?.description.contains("no-such-group") == true)
    }

    @Test("a server that drains is not ready, and still answers")
    func draining() async throws {
        let source = AdminSource(name: "shop", state: { .draining }) { Samples.snapshot() }
        try await serving(source: source) { address in
            let ready = await RawHTTP.get("/readyz", from: address)
            #expect(ready.status == 503)
            #expect(ready.body.contains("drains"))
            // The snapshot still says that the server runs.
            let metrics = await RawHTTP.get("/metrics", from: address)
            #expect(metrics.body.contains("rocket_server_state{state=\"draining\"} 1\n"))
            #expect(await RawHTTP.get("/healthz", from: address).status == 200)
        }
    }

    @Test("many requests at the same time wait for one snapshot, and each is answered")
    func coalesces() async throws {
        let asked = Atomic(0)
        let gate = AsyncEvent()
        let source = AdminSource(name: "shop") {
            asked.wrappingAdd(1, ordering: .relaxed)
            await gate.wait()
            return Samples.snapshot()
        }
        try await serving(source: source) { address in
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask { await RawHTTP.get("/metrics", from: address).status }
                }
                group.addTask {
                    gate.fire()
                    return 200
                }
                for await status in group { #expect(status == 200) }
            }
        }
    }

    @Test("numbers that don't come are an error that says why; the end does not wait for them")
    func stuckLoops() async throws {
        let gate = AsyncEvent()
        let source = AdminSource(name: "shop") {
            await gate.wait()
            return Samples.snapshot()
        }
        try await serving(source: source) { address in
            let answer = await RawHTTP.get("/", from: address)
            #expect(answer.status == 503)
            #expect(answer.body.contains("blocks"))
            // Is suspended when the server ends.
            let waiting = RawHTTP.connect(to: address)
            let text = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
            _ = text.withCString { send(waiting, $0, strlen($0), 0) }
            _ = await RawHTTP.get("/healthz", from: address)
            close(waiting)
        }
        gate.fire()
    }

    @Test("what is not loopback and has no permissions is no address of a page")
    func addresses() throws {
        for text in ["0.0.0.0:1", "10.0.0.1:80", "[::]:80", "[fe80::1]:1", "unix:@page"] {
            let address = try NetAddress(parsing: text)
            let error = #expect(throws: AdminError.self) {
                try AdminConfiguration(address: address)
            }
            #expect(error?.description.contains("unix:PATH") == true)
        }
        for text in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:80", "unix:/run/page"] {
            _ = try AdminConfiguration(address: try NetAddress(parsing: text))
        }
    }
}
