import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketAdmin

struct PageTests {
    /// A view in which every text that can come from outside is an attack.
    private func hostile() -> AdminView {
        var snapshot = Samples.snapshot(calls: 3, failures: 1)
        let peer = NetAddress(.unix(path: Samples.attack))
        snapshot.methods[0].name = Samples.attack
        var connection = RPCServerSnapshot.Connection(id: 1, peer: peer)
        connection.identity = Samples.attack
        connection.wire = Samples.attack
        connection.loop = Samples.attack
        connection.unreadFor = .seconds(9)
        snapshot.connections = [connection]
        var call = RPCServerSnapshot.SampledCall(
            time: Samples.time, method: Samples.attack, peer: peer, reason: .slow)
        call.identity = Samples.attack
        call.wire = Samples.attack
        call.traceID = Samples.attack
        call.error = Samples.attack
        call.code = .internal
        snapshot.methods[0].lastError = .init(
            code: .internal, text: Samples.attack, time: Samples.time)
        snapshot.sampledCalls = [call]
        snapshot.loops[0].name = Samples.attack
        snapshot.loops[0].isStuck = true
        snapshot.limits.append(.init(name: Samples.attack, limit: 1, current: 1))
        var view = Samples.view(snapshot)
        view.program.name = Samples.attack
        view.program.version = Samples.attack
        view.channels = [RPCChannelSnapshot(target: Samples.attack, state: .transientFailure)]
        view.log.hasLog = true
        view.isWritable = true
        return view
    }

    private func document(_ page: AdminPage, _ view: AdminView, _ target: String? = nil) -> HTML {
        let target =
            target.flatMap { RequestTarget($0) } ?? RequestTarget(path: page.path, query: .init())
        let contents = page.contents(view, target.query)
        return PageLayout(page: page, view: view, contents: contents, target: target)
            .document(nonce: "n0nce")
    }

    @Test("nothing that a peer sends becomes markup, on any page", arguments: AdminPage.allCases)
    func escapes(_ page: AdminPage) {
        let query =
            "?filter=%3Cscript%3E&method=%22%3E%3Cscript%3E&code=%3Cscript%3E&sort=%3Cscript%3E"
        for target in [nil, page.path + query] {
            let html = document(page, hostile(), target).text
            #expect(!html.contains("<script>"))
            #expect(!html.contains("onload='"))
            #expect(!html.contains("\u{202E}"))
            // The page's own.
            #expect(html.split(separator: "<script").count == 2)
        }
    }

    @Test(
        "a page has no style or handler outside of what its policy allows",
        arguments: AdminPage.allCases)
    func followsPolicy(_ page: AdminPage) {
        let html = document(page, hostile()).text
        #expect(!html.contains(" style="))
        #expect(!html.contains(" onclick="))
        #expect(html.contains("<script nonce=\"n0nce\">"))
        #expect(html.contains("<style nonce=\"n0nce\">"))
        let policy = PageLayout.policy(nonce: "n0nce")
        #expect(policy.contains("default-src 'none'"))
        #expect(!policy.contains("unsafe"))
        #expect(!policy.contains("\n"))
    }

    @Test("every table without a row says why", arguments: AdminPage.allCases)
    func emptyStates(_ page: AdminPage) {
        let snapshot = RPCServerSnapshot(
            time: Samples.time, startedAt: Samples.time, age: .zero, state: .notStarted,
            collectsMetrics: false)
        let html = document(page, Samples.view(snapshot)).text
        #expect(html.contains("class=\"empty\""))
        #expect(!html.contains("<tbody>\n</tbody>"))
    }

    @Test("each page is in the navigation, and marked on itself", arguments: AdminPage.allCases)
    func navigation(_ page: AdminPage) {
        let html = document(page, Samples.view()).text
        for other in AdminPage.allCases { #expect(html.contains("<a href=\"\(other.path)\"")) }
        #expect(html.contains("<a href=\"\(page.path)\" aria-current=\"page\">\(page.title)</a>"))
        #expect(AdminPage(path: page.path) == page)
        #expect(AdminPage(jsonPath: page.jsonPath) == page)
    }

    @Test("calls are filtered by method, code, reason, trace and least duration")
    func callFilters() throws {
        var snapshot = Samples.snapshot()
        let peer = NetAddress.loopback(port: 1)
        func call(_ method: String, _ code: RPCErrorCode, _ milliseconds: Int)
            -> RPCServerSnapshot.SampledCall
        {
            var call = RPCServerSnapshot.SampledCall(
                time: Samples.time, method: method, peer: peer, reason: .sampled)
            call.code = code
            call.duration = .milliseconds(milliseconds)
            return call
        }
        snapshot.sampledCalls = [
            call("a.b", RPCErrorCode(rawValue: 0), 1), call("a.b", .unavailable, 20),
            call("a.c", .unavailable, 300),
        ]
        snapshot.sampledCalls[1].traceID = "0af7651916cd43dd8448eb211c80319c"
        let view = Samples.view(snapshot)
        func count(_ query: String) throws -> Int {
            let contents = AdminPage.calls.contents(view, try #require(FormFields(query)))
            return contents.json.text.split(separator: "\n").count - 1
        }
        #expect(try count("") == 3)
        #expect(try count("method=a.b") == 2)
        #expect(try count("code=unavailable") == 2)
        #expect(try count("code=OK&method=a.b") == 1)
        #expect(try count("min_ms=20") == 2)
        #expect(try count("min_ms=x") == 3)
        #expect(try count("reason=slow") == 0)
        #expect(try count("trace=0AF7") == 1)
        #expect(try count("trace=0af7651916cd43dd8448eb211c80319c") == 1)
        #expect(try count("trace=f7") == 0)
    }

    @Test("secrets of the configuration are dots, their files are not")
    func secrets() throws {
        struct Secrets: ConfigSection {
            var password = "hunter2"
            var tokenFile = "/run/token"
            var url = "etcd://user:hunter2@host:1/name"
            static let schema = ConfigSchema<Self>(
                "store", "A store.",
                [
                    .init("db_password", \.password, .text(), .restart, "x"),
                    .init("token_file", \.tokenFile, .path, .restart, "x"),
                    .init("url", \.url, .text(), .restart, "x"),
                ])
        }
        var view = Samples.view()
        view.configuration =
            try RocketConfig(xml: Array("<root/>".utf8), file: "c.xml", sections: [Secrets.self])
            .entries
        let contents = AdminPage.configuration.contents(view, FormFields())
        for text in [contents.live.text, contents.json.text] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("/run/token"))
            #expect(text.contains("@host:1/name"))
        }
    }
}
