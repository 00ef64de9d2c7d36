import RocketSystem
import Testing

@testable import RocketAdmin

struct RequestPolicyTests {
    @Test("With TLS any Host is answered, and a change needs an Origin of https")
    func tls() throws {
        let policy = RequestPolicy(way: .tls, isWritable: true)
        let host = "orders.example:9100"
        try policy.checkHost(of: Samples.request("GET", "/", headers: [.host: host]))
        try policy.checkChange(
            by: Samples.request(
                "POST", "/log", headers: [.host: host, .origin: "https://\(host)"]))
        #expect(throws: RequestPolicy.Refusal.self) {
            try policy.checkChange(
                by: Samples.request(
                    "POST", "/log", headers: [.host: host, .origin: "http://\(host)"]))
        }
    }

    private let policy = RequestPolicy(way: .loopback, isWritable: true)

    private func status(_ check: () throws(RequestPolicy.Refusal) -> Void) -> Int? {
        do throws(RequestPolicy.Refusal) {
            try check()
            return nil
        } catch { return error.status }
    }

    @Test(
        "loopback addresses and localhost are hosts, with and without a port",
        arguments: [
            "127.0.0.1", "127.0.0.1:80", "127.9.9.9:1", "localhost", "LOCALHOST:9000", "[::1]",
            "[::1]:80",
        ])
    func acceptsHost(_ host: String) {
        let request = Samples.request(headers: [.host: host])
        #expect(
            status { () throws(RequestPolicy.Refusal) in try policy.checkHost(of: request) } == nil)
    }

    @Test(
        "any other host is refused: a foreign page may have a name that resolves to this machine",
        arguments: [
            "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
            "10.0.0.1", "[::2]", "::1", "", "localhost:", "localhost:x", "[::1]x", "[::1",
            "127.0.0.1:80:80", "evil@localhost",
        ])
    func refusesHost(_ host: String) {
        let request = Samples.request(headers: [.host: host])
        #expect(
            status { () throws(RequestPolicy.Refusal) in try policy.checkHost(of: request) } == 421)
    }

    @Test("a Host header is needed, once; on a Unix socket any will do")
    func needsHost() {
        var request = Samples.request(headers: [:])
        #expect(
            status { () throws(RequestPolicy.Refusal) in try policy.checkHost(of: request) } == 400)
        request.headers[.host] = "localhost"
        request.repeated = [.host]
        #expect(
            status { () throws(RequestPolicy.Refusal) in try policy.checkHost(of: request) } == 400)
        for probe in ["/healthz", "/readyz"] {
            let request = Samples.request("GET", probe, headers: [:])
            #expect(
                status { () throws(RequestPolicy.Refusal) in try policy.checkHost(of: request) }
                    == nil)
        }
        let unix = RequestPolicy(way: .unix, isWritable: false)
        let none = Samples.request(headers: [:])
        #expect(status { () throws(RequestPolicy.Refusal) in try unix.checkHost(of: none) } == nil)
        let other = Samples.request(headers: [.host: "anything"])
        #expect(status { () throws(RequestPolicy.Refusal) in try unix.checkHost(of: other) } == nil)
    }

    private func change(_ headers: [HTTPRequest.Header: String]) -> Int? {
        let request = Samples.request("POST", "/log", headers: headers)
        return status { () throws(RequestPolicy.Refusal) in try policy.checkChange(by: request) }
    }

    @Test("a change needs the header, or the origin of the page; a foreign origin is refused")
    func changes() {
        let host: [HTTPRequest.Header: String] = [.host: "localhost:9000"]
        let with = { (headers: [HTTPRequest.Header: String]) in host.merging(headers) { $1 } }
        #expect(change(host) == 403)
        #expect(change(with([.change: "1"])) == nil)
        #expect(change(with([.origin: "http://localhost:9000"])) == nil)
        #expect(change(with([.origin: "http://localhost:9000", .fetchSite: "same-origin"])) == nil)
        #expect(change(with([.origin: "http://localhost:9001"])) == 403)
        #expect(change(with([.origin: "null", .change: "1"])) == 403)
        #expect(change(with([.origin: "http://localhost:9000", .fetchSite: "cross-site"])) == 403)
        #expect(change(with([.change: "1", .fetchSite: "same-site"])) == 403)
    }

    @Test("nothing can be changed unless the configuration says so, nor with a large body")
    func readOnly() {
        var request = Samples.request("POST", "/log", headers: [.host: "localhost", .change: "1"])
        let reading = RequestPolicy(way: .loopback, isWritable: false)
        #expect(
            status { () throws(RequestPolicy.Refusal) in try reading.checkChange(by: request) }
                == 403)
        request.isBodyTooLarge = true
        #expect(
            status { () throws(RequestPolicy.Refusal) in try policy.checkChange(by: request) }
                == 413)
    }

    @Test("root, the server's own user and members of the group may ask, nobody else")
    func peers() {
        let peer = { (uid: UInt32) in PeerCredentials(processID: 1, userID: uid, groupID: 50) }
        let alone = PeerPolicy(ownUID: 1000, groupID: nil)
        #expect(alone.allows(peer(0)) { _ in false })
        #expect(alone.allows(peer(1000)) { _ in false })
        #expect(!alone.allows(peer(1001)) { _ in true })
        let group = PeerPolicy(ownUID: 1000, groupID: 77)
        #expect(group.allows(peer(1001)) { $0 == 77 })
        #expect(!group.allows(peer(1001)) { _ in false })
    }
}
