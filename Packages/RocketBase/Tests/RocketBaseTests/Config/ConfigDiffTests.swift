import RocketBase
import Testing

@Suite struct ConfigDiffTests {
    private func xml(port: Int, drain: Int, batch: Int, stubs: String) -> String {
        """
        <root><server><port>\(port)</port><drain_timeout_ms>\(drain)</drain_timeout_ms></server>
        <order_store><batch>\(batch)</batch></order_store><stubs>\(stubs)</stubs></root>
        """
    }
    private func stub(_ name: String, _ timeout: Int) -> String {
        "<rpc_server><name>\(name)</name><port>1</port><timeout>\(timeout)</timeout></rpc_server>"
    }

    @Test("A configuration does not differ from itself")
    func sameConfiguration() throws {
        let text = xml(port: 1, drain: 2, batch: 3, stubs: stub("a", 4))
        #expect(try load(text).diff(from: load(text)).isEmpty)
    }

    @Test("Separates live changes from changes that need a restart")
    func kindsOfChange() throws {
        let old = try load(xml(port: 1, drain: 2, batch: 3, stubs: stub("a", 4) + stub("b", 4)))
        let new = try load(xml(port: 5, drain: 6, batch: 7, stubs: stub("a", 8)))
        let diff = new.diff(from: old)
        #expect(diff.restart.map(\.description) == ["server/port: 1 -> 5"])
        let live = diff.live.map(\.description)
        #expect(
            live.prefix(3) == [
                "server/drain_timeout_ms: 2 -> 6", "stubs/a/timeout: 4 -> 8",
                "order_store/batch: 3 -> 7",
            ])
        #expect(live.contains("stubs/b/timeout: 4 -> none"))
    }

    @Test("Adopting takes live changes, and the next diff reports the others again")
    func adopting() throws {
        let old = try load(xml(port: 1, drain: 2, batch: 3, stubs: ""))
        let new = try load(xml(port: 5, drain: 6, batch: 7, stubs: stub("a", 8)))
        let now = old.adoptingLiveChanges(of: new)
        #expect(now.server.port == 1)
        #expect(now.server.drainTimeout == .milliseconds(6))
        #expect(now[StoreConfig.self].batch == 7)
        #expect(now.stubs == new.stubs)
        let again = new.diff(from: now)
        #expect(again.live == [])
        #expect(again.restart.map(\.path) == ["server/port"])
    }
}
