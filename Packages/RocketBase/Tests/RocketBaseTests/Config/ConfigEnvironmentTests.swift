@_spi(TestKit) import RocketSystem
import Testing

@testable import RocketBase

@Suite struct ConfigEnvironmentTests {
    @Test("A variable overrides the file in all sections")
    func overriding() throws {
        let xml = """
            <root>
            <server><port>1</port></server>
            <stubs><rpc_server><name>order-1</name><port>2</port></rpc_server></stubs>
            </root>
            """
        let config = try load(
            xml,
            environment: [
                "ROCKET_SERVER_PORT": " 7 ", "ROCKET_LOG_LEVEL": "error",
                "ROCKET_LOG_SINKS": "console,journal", "ROCKET_STUBS_ORDER_1_PORT": "8",
                "ROCKET_ORDER_STORE_PATH": "/srv/o.db", "HOME": "/", "ROCKET_OTHER": "x",
            ])
        #expect(config.warnings == [])
        #expect(config.server.port == 7)
        #expect(config.log.level == .error)
        #expect(config.log.sinks == [.console, .journal])
        #expect(config.stubs.map(\.port) == [8])
        #expect(config[StoreConfig.self].path == "/srv/o.db")
    }

    @Test("Errors in variables are reported like errors in the file")
    func variableErrors() {
        #expect(
            issues(
                "<root/>",
                environment: ["ROCKET_SERVER_PORT": "x", "ROCKET_SERVER_PROT": "1"]) == [
                    "$ROCKET_SERVER_PORT: error: root/server/port: found \"x\"; "
                        + "allowed: a whole number, 0 to 65535",
                    "$ROCKET_SERVER_PROT: warning: is unknown and is ignored; "
                        + "did you mean ROCKET_SERVER_PORT?",
                ])
    }

    @Test("A variable of the configuration that is not UTF-8 is an error with the byte's offset")
    func malformedVariables() throws {
        var environment = ProcessEnvironment()
        for entry in ["ROCKET_SERVER_IP=1\u{E9}", "HOME=/caf"] {
            var bytes = Array(entry.utf8)
            // Latin-1: one byte for the last character.
            if entry.hasSuffix("\u{E9}") { bytes = bytes.dropLast(2) + [0xE9] }
            bytes.withUnsafeBytes { environment.add($0) }
        }
        #expect(environment.variables == ["HOME": "/caf"])
        #expect(environment.malformed == ["ROCKET_SERVER_IP": 1])
        let error = #expect(throws: ConfigError.self) {
            try RocketConfig(
                xml: Array("<root/>".utf8), file: "r.xml", sections: [],
                environment: environment.variables, malformed: environment.malformed)
        }
        #expect(
            error?.description == "$ROCKET_SERVER_IP: error: root/server/ip: "
                + "byte 1 of the value, from 0, is not UTF-8")
    }

    @Test("Two stubs whose names fall on one variable are an error that names both")
    func sharedVariable() {
        let xml = """
            <root><stubs>
            <rpc_server><name>order-1</name><port>1</port></rpc_server>
            <rpc_server><name>order</name><port>2</port></rpc_server>
            <rpc_server><name>Order.1</name><port>3</port></rpc_server>
            </stubs></root>
            """
        #expect(
            issues(xml) == [
                "r.xml:4:1: error: root/stubs/rpc_server/name: found \"Order.1\"; the stub "
                    + "\"order-1\" has the same environment variable, ROCKET_STUBS_ORDER_1_IP: "
                    + "choose names that differ in a letter or digit"
            ])
    }

    @Test("No two fields share a variable")
    func uniqueVariables() {
        let sections = ConfigDescription.framework + [ConfigDescription(StoreConfig.self)]
        let variables = sections.flatMap(\.flattened).flatMap(\.fields).map(\.variable)
            .filter { !$0.isEmpty }
        #expect(Set(variables).count == variables.count)
        #expect(variables.contains("ROCKET_LOG_LEVEL"))
        #expect(variables.contains("ROCKET_STUBS_NAME_TIMEOUT"))
        #expect(variables.contains("ROCKET_STUBS_NAME_TLS_NAME"))
    }

    @Test("The report contains the origin of each value")
    func origins() throws {
        let xml = "<root>\n<server>\n<port>1</port></server></root>"
        let config = try load(xml, environment: ["ROCKET_SERVER_IP": "::1"])
        let lines = config.report.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        #expect(lines.contains("server/ip ::1 $ROCKET_SERVER_IP"))
        #expect(lines.contains("server/port 1 conf/rocket.xml:3"))
        #expect(lines.contains("server/drain_timeout_ms 10000 ms default"))
        #expect(lines.contains("order_store/path conf/var/orders.sqlite default"))
    }
}
