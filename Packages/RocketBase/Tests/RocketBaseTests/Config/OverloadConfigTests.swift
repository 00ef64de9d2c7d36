import RocketBase
import Testing

@Suite("The element server/overload")
struct OverloadConfigTests {
    private func xml(_ text: String) -> String { "<root><server>\(text)</server></root>" }

    @Test("Without the element no call is refused, and an empty one changes nothing")
    func defaults() throws {
        #expect(try load(xml("")).server.overload == nil)
        #expect(try load(xml("<overload/>")).server.overload == OverloadConfig())
    }

    @Test("All settings are read, and written as they were")
    func settings() throws {
        let text = """
            <overload><queue_delay_ms>5</queue_delay_ms><refuse_late_calls>true</refuse_late_calls>
            <adaptive_limits>shop.v1.Order.*, shop.v1.Stock.reserve</adaptive_limits>
            <calls_per_second>200</calls_per_second><burst>400</burst>
            <max_callers>100</max_callers><accept_critical>true</accept_critical></overload>
            """
        let overload = try #require(try load(xml(text)).server.overload)
        #expect(overload.queueDelay == .milliseconds(5))
        #expect(overload.refusesLateCalls && overload.acceptsCritical)
        #expect(overload.adaptiveLimits == ["shop.v1.Order.*", "shop.v1.Stock.reserve"])
        #expect(overload.callsPerSecond == 200 && overload.burst == 400)
        #expect(overload.maxCallers == 100)
    }

    @Test("Its settings are among the values of a configuration without it, as defaults")
    func listed() throws {
        func entries(_ text: String) throws -> [ConfigEntry] {
            try load(xml(text)).entries.filter { $0.path.hasPrefix("server/overload/") }
        }
        let missing = try entries("")
        #expect(missing.count == OverloadConfig.schema.fields.count)
        #expect(missing.allSatisfy { $0.origin == .default && $0.change == .live })
        #expect(missing.first { $0.path == "server/overload/max_callers" }?.text == "10000")
        #expect(try entries("<overload/>") == missing)
        // Another missing element is no element with defaults.
        #expect(!(try load(xml("")).entries.contains { $0.path.hasPrefix("server/tls/") }))
        // So neither its appearance nor its removal is a change by itself.
        #expect(try load(xml("<overload/>")).diff(from: load(xml(""))).isEmpty)
    }

    @Test("The element and each of its settings change live")
    func live() throws {
        let old = try load(xml(""))
        let new = try load(xml("<overload><calls_per_second>5</calls_per_second></overload>"))
        #expect(new.diff(from: old).restart.isEmpty)
        #expect(!new.diff(from: old).live.isEmpty)
        #expect(old.adoptingLiveChanges(of: new).server.overload?.callsPerSecond == 5)
        #expect(new.adoptingLiveChanges(of: old).server.overload == nil)
        let changed = try load(xml("<overload><calls_per_second>6</calls_per_second></overload>"))
        #expect(changed.diff(from: new).live.map(\.path) == ["server/overload/calls_per_second"])
    }

    @Test(
        "Patterns that are none are refused",
        arguments: ["makeOrder", "shop.*.x", "a.b.", "*.*"])
    func patterns(_ text: String) {
        #expect(throws: ConfigError.self) {
            try load(xml("<overload><adaptive_limits>\(text)</adaptive_limits></overload>"))
        }
    }
}
