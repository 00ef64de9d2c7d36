import RocketSystem
import RocketTCP
import Testing

@testable import RocketAdmin

/// Requests that a proxy before the page could read in another way, and clients that go away.
struct StrictnessTests {
    private func serving(
        _ address: NetAddress = .loopback(port: 0),
        change: (inout AdminConfiguration) -> Void = { _ in },
        _ body: (NetAddress) async throws -> Void
    ) async throws {
        var configuration = try AdminConfiguration(address: address)
        change(&configuration)
        let admin = AdminServer(
            configuration, AdminSource(name: "shop") { Samples.snapshot(calls: 2) })
        let task = Task { try await admin.run() }
        defer { task.cancel() }
        try await body(try #require(await admin.boundAddress))
        task.cancel()
        try await task.value
    }

    @Test("what could be read as another request, or as two, is refused, and the connection closed")
    func ambiguous() async throws {
        let host = "Host: localhost\r\n"
        let second = "GET /methods HTTP/1.1\r\n\(host)\r\n"
        let post = "POST /log HTTP/1.1\r\n\(host)X-Rocket-Admin: 1\r\n"
        let wrong = [
            post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef" + second,
            post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde" + second,
            post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second,
            post + "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
                + second,
            post + "Transfer-Encoding: gzip\r\n\r\nabc" + second,
            "GET /\0 HTTP/1.1\r\n\(host)\r\n" + second,
            "GET /healthz\0x HTTP/1.1\r\n\(host)\r\n" + second,
            "GET  /healthz HTTP/1.1\r\n\(host)\r\n" + second,
            "GET\0 /healthz HTTP/1.1\r\n\(host)\r\n" + second,
            "GET /healthz HTTP/1.1\r\nHost: localhost\0.evil\r\n\r\n" + second,
            "GET /healthz HTTP/1.1\r\nHost: localhost\0.evil\r\nX: a\r\n\r\n" + second,
            "GET /healthz HTTP/1.1\r\n\(host)X: a\0b\r\n\r\n" + second,
            "GET /healthz HTTP/1.1\r\n\(host)X : a\r\n\r\n" + second,
            "GET /healthz HTTP/1.1\r\n\(host)X: a\r\n b\r\n\r\n" + second,
            "GET /healthz HTTP/1.1\r\n\(host): a\r\n\r\n" + second,
        ]
        try await serving(change: { $0.isWritable = true }) { address in
            for request in wrong {
                let answer = await RawHTTP.send(request, to: address)
                let text = request.debugDescription
                #expect(answer.status == 400, "\(text)")
                #expect(answer.bytes.components("HTTP/1.1 ") == 1, "\(text): \(answer.bytes)")
            }
        }
    }

    @Test("line feeds alone, spaces around values, bodies and chunks are read as ever")
    func lenient() async throws {
        let post = "POST /log HTTP/1.1\r\nHost: localhost\r\nX-Rocket-Admin: 1\r\n"
        let end = "Connection: close\r\n"
        let right = [
            "GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n",
            "GET /healthz HTTP/1.1\r\nHost: localhost\nConnection: close\n\r\n",
            "GET /healthz?a=1&b=%20 HTTP/1.1\r\nHost: \t localhost\t \r\n\(end)\r\n",
            "GET /healthz HTTP/1.1\r\n\(end)Cookie: a=b; c=d\r\nX:\r\nHost:127.0.0.1\t\r\n\r\n",
            "\r\nHEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\(end)\r\n",
            "GET /healthz HTTP/1.0\r\n\r\n", "GET /readyz HTTP/1.0\n\n",
            "GET /healthz HTTP/1.0\r\nUser-Agent: x\r\n\r\n",
        ]
        // Longer than the first part of libmicrohttpd's memory, which then grows.
        let long = "GET /healthz HTTP/1.1\r\nX: \(String(repeating: "a", count: 3000))\r\nA: b\r\n"
        let longs = [
            long + "Y: \(String(repeating: "b", count: 2000))\r\nHost: localhost\r\n\(end)\r\n",
            long + String(repeating: "a: b\r\n", count: 30) + "Host: [::1]:80\r\n\(end)\r\n",
        ]
        let form = "stream=app&level=DEBUG"
        let changes = [
            post + "\(end)Content-Length: \(form.utf8.count)\r\n\r\n" + form,
            post + "\(end)Transfer-Encoding: chunked\r\n\r\n16\r\n\(form)\r\n0\r\n\r\n",
        ]
        try await serving(change: { $0.isWritable = true }) { address in
            for request in right + longs {
                let answer = await RawHTTP.send(request, to: address)
                #expect(answer.status == 200, "\(request.debugDescription)")
            }
            // There is no log whose level could be changed.
            for request in changes {
                #expect(await RawHTTP.send(request, to: address).status == 409)
            }
            let page = await RawHTTP.send("GET /methods HTTP/1.0\r\n\r\n", to: address)
            #expect(page.status == 400)
        }
    }

    @Test("a client that closes its sending side after its request is answered")
    func halfClosedClients() async throws {
        try await serving { address in
            for path in ["/healthz", "/methods.json", "/metrics", "/"] {
                for _ in 0..<5 {
                    let answer = await RawHTTP.sendWithEnd(
                        "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", to: address)
                    #expect(answer?.status == 200, "\(path)")
                }
            }
        }
    }

    @Test("a client that has closed with half a request frees its place at once")
    func goneClients() async throws {
        let change = { (configuration: inout AdminConfiguration) in
            configuration.maxConnectionsPerPeer = 1
            configuration.requestTimeout = .seconds(3600)
        }
        try await serving(change: change) { address in
            for part in ["G", "GET /x", "GET / HTTP/1.1\r\nHost: loc", "POST /log HTTP/1.1\r\n"] {
                let answer = try #require(await RawHTTP.sendWithEnd(part, to: address), "\(part)")
                #expect(answer.bytes.isEmpty)
                // The place is free when the next one is served.
                var status = 0
                while status == 0 {
                    status = await RawHTTP.get("/healthz", from: address).status
                }
                #expect(status == 200)
            }
        }
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}
