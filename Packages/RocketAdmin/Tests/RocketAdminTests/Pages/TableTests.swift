import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketAdmin

/// The tables of single pages.
struct TableTests {
    private func page(
        _ page: AdminPage, _ view: AdminView, _ query: String = ""
    ) throws -> (html: String, json: String) {
        let contents = page.contents(view, try #require(FormFields(query)))
        return (contents.controls.text + contents.live.text, contents.json.text)
    }

    @Test("methods without calls are hidden, and counted, unless all are asked for")
    func unusedMethods() throws {
        let view = Samples.view(Samples.snapshot(calls: 1))
        let some = try page(.methods, view)
        #expect(some.json.contains("shop.v1.Order.make") && !some.json.contains("rocket.Health"))
        #expect(some.json.contains("\"left_out\":1"))
        #expect(
            some.html.contains("<a class=\"button\" href=\"/methods?all=1\">Show 1 without calls"))
        let all = try page(.methods, view, "all=1&sort=calls")
        #expect(all.json.contains("rocket.Health.check") && !all.json.contains("left_out"))
        #expect(all.html.contains("Hide methods without calls"))
        #expect(all.html.contains("<input type=\"hidden\" name=\"all\" value=\"1\">"))
        #expect(all.html.contains("all=1&amp;sort=-calls"))
        let none = try page(.methods, Samples.view())
        #expect(none.html.contains("No method has had a call yet."))
    }

    @Test("a method has its last error: code, text with what can't be seen made visible, and time")
    func lastError() throws {
        var snapshot = Samples.snapshot(failures: 1)
        snapshot.methods[0].lastError = .init(
            code: .resourceExhausted, text: "a\u{1B}[31m\nb", time: Samples.time)
        let methods = try page(.methods, Samples.view(snapshot))
        #expect(methods.html.contains("a\\u{1B}[31m\\u{A}b"))
        #expect(methods.html.contains("UNAVAILABLE 1"))
        #expect(
            methods.json.contains(
                #""last_error_code":"RESOURCE_EXHAUSTED","last_error":"a\u001b[31m\u000ab","#
                    + #""last_error_time":"2026-01-02T03:04:05.678Z""#))
    }

    @Test("a reply that still waits for its peer shows for how long so far")
    func waitingReply() throws {
        var snapshot = Samples.snapshot()
        var call = RPCServerSnapshot.SampledCall(
            time: Samples.time, method: "a.b", peer: .loopback(port: 1), reason: .traced)
        call.duration = .milliseconds(400)
        call.handler = .milliseconds(100)
        call.outputWait = .milliseconds(300)
        call.flush = .seconds(3)
        call.awaitsFlush = true
        call.traceID = "0af7651916cd43dd8448eb211c80319c"
        snapshot.sampledCalls = [call]
        let calls = try page(.calls, Samples.view(snapshot))
        #expect(calls.html.contains("3.00 s so far"))
        #expect(calls.html.contains("href=\"/calls?trace=0af7651916cd43dd8448eb211c80319c\""))
        #expect(
            calls.json.contains(
                #""handler_seconds":0.1,"output_wait_seconds":0.3,"encode_seconds":null,"#
                    + #""flush_seconds":3.0"#))
    }

    @Test("connections have what waits for their peers, and their phase", arguments: [4, 5])
    func connections(seconds: Int) throws {
        var snapshot = Samples.snapshot()
        var open = RPCServerSnapshot.Connection(id: 1, peer: .loopback(port: 1))
        open.unsentBytes = 1
        open.kernelBytes = 2 << 20
        open.unreadFor = .seconds(seconds)
        var silent = RPCServerSnapshot.Connection(id: 2, peer: .loopback(port: 2))
        silent.phase = .silent
        silent.wire = ""
        snapshot.connections = [open, silent]
        let found = try page(.connections, Samples.view(snapshot))
        #expect(
            found.json.contains(
                #""unsent_bytes":1,"kernel_bytes":2097152,"unread_seconds":\#(seconds).0"#))
        #expect(found.html.contains("so far") == (seconds == 5))
        #expect(found.html.contains("has sent nothing"))
        #expect(found.json.contains(#""wire":null"#))
    }

    @Test("limits name the settings that have them, which exist")
    func limitSettings() throws {
        let names = [
            "connections", "connections_per_peer", "calls_in_flight",
            "calls_in_flight_per_connection", "streams_per_connection", "watches",
            "watches_per_connection", "memory_budget_bytes", "queue_delay_us", "late_calls",
            "adaptive_limit", "calls_per_second",
        ]
        let paths = Set(
            try RocketConfig(xml: Array("<root/>".utf8), file: "c.xml").entries.map(\.path))
        for name in names {
            let setting = try #require(RPCServerSnapshot.Limit(name: name).setting)
            #expect(paths.contains(setting), "\(setting)")
        }
        #expect(RPCServerSnapshot.Limit(name: "other").setting == nil)
        #expect(try page(.limits, Samples.view()).html.contains("server/max_connections"))
    }

    @Test("a level of the log that was changed on the page shows so, until a reload sets another")
    func changedLevel() throws {
        var view = Samples.view()
        view.configuration =
            try RocketConfig(
                xml: Array("<root><log><log_level>WARN</log_level></log></root>".utf8),
                file: "c.xml"
            ).entries
        view.log.hasLog = true
        view.log.levels = [.app: .debug, .rpc: .warn]
        view.log.changes = [.app: LevelChange(level: .debug, time: Samples.time)]
        let changed = try page(.configuration, view)
        #expect(
            changed.html.contains(
                "changed on the page at 2026-01-02 03:04:05 UTC; the configuration says WARN"))
        #expect(changed.json.contains(#""setting":"log/log_app_level","value":"DEBUG""#))
        #expect(try page(.log, view).json.contains(#""changed":"2026-01-02T03:04:05.678Z""#))
        view.log.levels[.app] = .warn
        #expect(!(try page(.configuration, view)).html.contains("changed on the page"))
        #expect(!(try page(.log, view)).json.contains("2026"))
    }

    @Test("the overview's figures are of one window, which it names")
    func window() throws {
        var view = Samples.view(Samples.snapshot(age: .seconds(20), calls: 100))
        view.history.add(Samples.snapshot(age: .seconds(10)), processorTime: .zero)
        view.history.add(
            Samples.snapshot(age: .seconds(19), calls: 100), processorTime: .zero)
        view.history.add(
            Samples.snapshot(age: .seconds(20), calls: 100), processorTime: .zero)
        let overview = try page(.overview, view)
        // The last second had none.
        #expect(overview.json.contains(#""window_seconds":10.0,"calls_per_second":10.0"#))
        #expect(
            overview.html.contains("<h3>Calls per second</h3><p class=\"value plain\">10.0</p>"))
        #expect(overview.html.contains("of the last 10 seconds"))
    }

    @Test("streams count to the calls, and not to the latencies of the overview")
    func streams() throws {
        func snapshot(_ seconds: Int, calls: Int) -> RPCServerSnapshot {
            var snapshot = Samples.snapshot(age: .seconds(seconds))
            var watch = RPCServerSnapshot.Method(name: "a.watch", kind: .serverStreaming)
            watch.ended = [RPCErrorCode(rawValue: 0): calls]
            for _ in 0..<calls { watch.latency.record(.seconds(3000)) }
            snapshot.methods.append(watch)
            return snapshot
        }
        var view = Samples.view(snapshot(20, calls: 10))
        view.history.add(snapshot(10, calls: 0), processorTime: .zero)
        view.history.add(snapshot(20, calls: 10), processorTime: .zero)
        let overview = try page(.overview, view)
        #expect(overview.json.contains(#""calls_per_second":1.0"#))
        #expect(overview.json.contains(#""p99_seconds":null"#))
        #expect(overview.html.contains("No unary call has ended"))
    }
}
