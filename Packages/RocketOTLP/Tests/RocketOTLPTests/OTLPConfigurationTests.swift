import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import Testing

@testable import RocketOTLP

struct OTLPConfigurationTests {
    private func config(_ trace: String) throws -> TraceConfig {
        try RocketConfig(
            xml: Array("<root><trace>\(trace)</trace></root>".utf8), file: "rocket.xml"
        ).trace
    }

    @Test("Without the element otlp nothing is exported")
    func off() throws {
        #expect(try OTLPConfiguration(RocketConfig().trace, program: "shop") == nil)
        #expect(
            try OTLPConfiguration(config("<calls_per_trace>1</calls_per_trace>"), program: "shop")
                == nil)
    }

    @Test("A configuration has the values of its elements")
    func values() throws {
        let trace = try config(
            """
            <calls_per_trace>7</calls_per_trace>
            <otlp><endpoint>dns:///collector:4317</endpoint><batch>10</batch><queue>20</queue>
            <interval_ms>30</interval_ms><timeout_ms>40</timeout_ms>
            <drain_timeout_ms>50</drain_timeout_ms>
            <attributes>deployment.environment.name=test, a=b=c</attributes></otlp>
            """)
        let made = try #require(
            try OTLPConfiguration(trace, program: "shop", version: "1.2"))
        #expect(made.endpoint == "dns:///collector:4317")
        #expect((made.batch, made.queue, made.callsPerTrace) == (10, 20, 7))
        #expect(made.interval == .milliseconds(30))
        #expect(made.timeout == .milliseconds(40))
        #expect(made.drainTimeout == .milliseconds(50))
        #expect(made.resource["service.name"] == "shop")
        #expect(made.resource["service.version"] == "1.2")
        #expect(made.resource["deployment.environment.name"] == "test")
        #expect(made.resource["a"] == "b=c")
        #expect(made.security == nil)
        var named = trace
        named.otlp?.serviceName = "other"
        #expect(try OTLPConfiguration(named, program: "shop")?.resource["service.name"] == "other")
    }

    @Test("An endpoint is required, and TLS takes a provider")
    func errors() throws {
        #expect(throws: ConfigError.self) { try config("<otlp></otlp>") }
        #expect(throws: ConfigError.self) {
            try config("<otlp><endpoint>a:1</endpoint><attributes>novalue</attributes></otlp>")
        }
        let tls = try config("<otlp><endpoint>127.0.0.1:1</endpoint><tls></tls></otlp>")
        let error = #expect(throws: RPCError.self) {
            try OTLPConfiguration(tls, program: "shop")
        }
        #expect(error?.code == .peerAddress)
        #expect(error?.description.contains("trace/otlp/tls") == true)
        let unknown = OTLPConfiguration(endpoint: "nowhere:///x")
        #expect(throws: RPCError.self) { try OTLPExporter(unknown) }
    }

    @Test("A file of headers has a line for each, and no secret of it is in an error")
    func headers() throws {
        let read = try HeadersFile.parse("# key\n\nX-Key: abc: d \r\n x-team:t", "f")
        #expect(read["x-key"] == "abc: d")
        #expect(read["x-team"] == "t")
        for text in ["secret", "sec ret: a", "name:", ": secret"] {
            let error = #expect(throws: RPCError.self) {
                try HeadersFile.parse("a: b\n" + text, "f")
            }
            #expect(error?.description.contains("line 2") == true)
            #expect(error?.description.contains("secret") == false)
        }
    }

    @Test("A file of headers that everybody can read is refused")
    func mode() throws {
        let path = "/tmp/rocket-otlp-headers-\(SystemRandomNumberGenerator.name())"
        try FileContents.write(Array("x-key: abc\n".utf8), to: path)
        defer { _ = try? FileSystem.remove(path) }
        try FileSystem.setMode(path, 0o644)
        let error = #expect(throws: RPCError.self) { try HeadersFile.read(path) }
        #expect(error?.description.contains("0644") == true)
        try FileSystem.setMode(path, 0o600)
        #expect(try HeadersFile.read(path)["x-key"] == "abc")
        #expect(throws: RPCError.self) { try HeadersFile.read(path + "-missing") }
    }
}

extension SystemRandomNumberGenerator {
    static func name() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(generator.next(), radix: 36)
    }
}
