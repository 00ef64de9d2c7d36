import RocketBase
import Testing

@Suite struct ConfigRegistrationTests {
    private func server(_ inner: String) throws -> ServerConfig {
        try load("<root><server>\(inner)</server></root>").server
    }

    @Test("A server announces itself where it has a registration element")
    func registration() throws {
        #expect(try server("").registration == nil)
        let config = try server(
            "<registration><target>etcd:///rocket/orders</target></registration>")
        let registration = try #require(config.registration)
        #expect(registration.target == "etcd:///rocket/orders")
        #expect(registration.address == nil)
        #expect(registration.zone == nil)
        #expect(registration.weight == 1)
        #expect(registration.propagation == .seconds(1))
        let all = try server(
            """
            <registration><target>file:x</target><address>10.0.0.1:0</address><zone>a</zone>
            <weight>3</weight><propagation_ms>5</propagation_ms></registration>
            """)
        #expect(all.registration?.address == "10.0.0.1:0")
        #expect(all.registration?.zone == "a")
        #expect(all.registration?.weight == 3)
        #expect(all.registration?.propagation == .milliseconds(5))
    }

    @Test("A registration without a target is an error")
    func missing() {
        #expect {
            _ = try server("<registration/>")
        } throws: {
            "\($0)".contains("root/server/registration: target is missing")
        }
    }
}
