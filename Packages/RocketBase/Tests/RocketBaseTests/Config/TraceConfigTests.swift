import Testing

@testable import RocketBase

struct TraceConfigTests {
    private func config(_ trace: String, environment: [String: String] = [:]) throws -> RocketConfig
    {
        try RocketConfig(
            xml: Array("<root><trace>\(trace)</trace></root>".utf8), file: "conf/rocket.xml",
            environment: environment)
    }

    @Test("Nothing is exported without the element otlp")
    func off() throws {
        #expect(RocketConfig().trace.otlp == nil)
        #expect(try config("").trace.otlp == nil)
        #expect(try config("<calls_per_trace>5</calls_per_trace>").trace.callsPerTrace == 5)
    }

    @Test("The element, or a variable, sets where spans are exported to; paths are resolved")
    func endpoint() throws {
        let found = try config(
            """
            <otlp><endpoint>dns:///collector:4317</endpoint><headers_file>keys</headers_file>
            <attributes>a=b, c=d=e</attributes><tls><ca>ca.pem</ca></tls></otlp>
            """
        ).trace.otlp
        #expect(found?.endpoint == "dns:///collector:4317")
        #expect(found?.headersFile == "conf/keys")
        #expect(found?.attributes == ["a=b", "c=d=e"])
        #expect(found?.tls?.ca == "conf/ca.pem")
        let other = try config("", environment: ["ROCKET_TRACE_OTLP_ENDPOINT": "127.0.0.1:4317"])
        #expect(other.trace.otlp?.endpoint == "127.0.0.1:4317")
    }

    @Test(
        "What can't be used is an error",
        arguments: [
            "<otlp></otlp>", "<otlp><endpoint></endpoint></otlp>",
            "<otlp><endpoint>127.0.0.1:1</endpoint><attributes>a</attributes></otlp>",
            "<otlp><endpoint>127.0.0.1:1</endpoint><attributes>=a</attributes></otlp>",
            "<otlp><endpoint>127.0.0.1:1</endpoint><batch>0</batch></otlp>",
            "<calls_per_trace>-1</calls_per_trace>",
        ])
    func refused(_ text: String) { #expect(throws: ConfigError.self) { try config(text) } }

    @Test("A change needs a restart, but that of the files of TLS")
    func entries() throws {
        let old = try config("<otlp><endpoint>127.0.0.1:1</endpoint><tls><ca>a</ca></tls></otlp>")
        let new = try config(
            """
            <calls_per_trace>1</calls_per_trace>
            <otlp><endpoint>127.0.0.1:2</endpoint><tls><ca>b</ca></tls></otlp>
            """)
        let changes = new.diff(from: old)
        #expect(changes.live.map(\.path) == ["trace/otlp/tls/ca"])
        #expect(changes.restart.map(\.path) == ["trace/calls_per_trace", "trace/otlp/endpoint"])
        let adopted = old.adoptingLiveChanges(of: new).trace
        #expect(adopted.otlp?.endpoint == "127.0.0.1:1")
        #expect(adopted.otlp?.tls?.ca == "conf/b")
    }
}
