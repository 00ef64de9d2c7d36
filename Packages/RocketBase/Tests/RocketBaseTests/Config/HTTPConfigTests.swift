import RocketBase
import Testing

@Suite("The element server/http")
struct HTTPConfigTests {
    private func xml(_ text: String) -> String { "<root><server>\(text)</server></root>" }

    @Test("Without the element there is no listener, and one without an address is an error")
    func address() throws {
        #expect(try load(xml("")).server.http == nil)
        #expect(throws: ConfigError.self) { try load(xml("<http/>")) }
    }

    @Test("All settings are read")
    func settings() throws {
        let text = """
            <http><listen>127.0.0.1:8080, unix:/run/a</listen><max_connections>9</max_connections>
            <max_connections_per_peer>3</max_connections_per_peer>
            <request_timeout_ms>100</request_timeout_ms><idle_timeout_ms>200</idle_timeout_ms>
            <hosts>a.example, b.example</hosts>
            <tls><certificate>/c</certificate><key>/k</key></tls></http>
            """
        let http = try #require(try load(xml(text)).server.http)
        #expect(http.listen == ["127.0.0.1:8080", "unix:/run/a"])
        #expect(http.maxConnections == 9 && http.maxConnectionsPerPeer == 3)
        #expect(http.requestTimeout == .milliseconds(100))
        #expect(http.idleTimeout == .milliseconds(200) && http.hosts == ["a.example", "b.example"])
        #expect(http.tls?.certificate == ["/c"])
        #expect(try load(xml(text)).server.withoutTLS.http?.tls == nil)
    }
}
