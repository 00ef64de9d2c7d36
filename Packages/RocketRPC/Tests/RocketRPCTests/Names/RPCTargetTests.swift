import RocketBase
import RocketRPC
import Testing

/// The names of servers.
@Suite struct RPCTargetTests {
    @Test(
        "A target is a scheme, an authority and a name",
        arguments: [
            ("127.0.0.1:80", "address", "", "127.0.0.1:80"),
            ("[::1]:80", "address", "", "[::1]:80"),
            ("unix:/run/order", "address", "", "unix:/run/order"),
            ("unix:@order", "address", "", "unix:@order"),
            ("orders.svc:12345", "dns", "", "orders.svc:12345"),
            ("dns:80", "dns", "", "dns:80"),
            ("dns:///orders.svc:12345", "dns", "", "orders.svc:12345"),
            ("dns:orders.svc:12345", "dns", "", "orders.svc:12345"),
            ("dns://10.0.0.1/orders.svc:12345", "dns", "10.0.0.1", "orders.svc:12345"),
            ("list:10.0.0.1:80,10.0.0.2:80", "list", "", "10.0.0.1:80,10.0.0.2:80"),
            ("file:/etc/rocket/orders", "file", "", "/etc/rocket/orders"),
            ("file:///etc/rocket/orders", "file", "", "/etc/rocket/orders"),
            ("file:orders.servers", "file", "", "orders.servers"),
            ("file://host/orders", "file", "host", "/orders"),
            ("etcd:///rocket/orders", "etcd", "", "rocket/orders"),
        ])
    func parts(_ text: String, _ scheme: String, _ authority: String, _ name: String) throws {
        let target = try RPCTarget(text)
        #expect(target.scheme == scheme && target.authority == authority && target.name == name)
        #expect(target.description == text)
    }

    @Test(
        "A text that is no target is one error with the reason",
        arguments: [
            ("", "has no port"), ("order", "has no port"), ("dns:", "no name"),
            ("dns:///", "no name"), ("file:///", "no name"), ("dns://order:80", "no name"),
            ("127.0.0.1", "has no port"),
            ("127.0.0.1:x", "\"x\" is not a number"), ("127.0.0.1:65536", "65536"),
            ("300.0.0.1:80", "not an IP address"), ("[::1:80", "no closing ]"),
            ("::1:80", "needs brackets"), ("unix:", "is empty"), ("order:99999", "99999"),
            (":80", "is empty"),
        ])
    func invalid(_ text: String, _ reason: String) {
        let error = #expect(throws: RPCError.self) { try RPCTarget(text) }
        #expect(error?.code == .peerAddress)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test("A scheme without a resolver is an error that names those that there are")
    func noResolver() {
        let error = #expect(throws: RPCError.self) {
            try RPCChannel(to: "consul:///orders", resolvers: [])
        }
        #expect(error?.message.contains("consul") == true)
        #expect(error?.message.contains("known: list") == true)
    }

    @Test("A list with an invalid address is an error that tells which")
    func invalidList() {
        let error = #expect(throws: RPCError.self) {
            try RPCChannel(to: "list:10.0.0.1:80,orders:80", resolvers: [])
        }
        #expect(error?.message.contains("orders") == true)
    }
}
