import RocketSystem
import Testing

@testable import RocketDNS

@Suite struct AddressOrderTests {
    private func address(_ text: String) throws -> SocketAddress {
        try #require(Literal.parse(text, port: 0))
    }

    private func order(_ pairs: [(String, String?)]) throws -> [String] {
        let parsed = try pairs.map { pair in
            (pair.0, try address(pair.0), try pair.1.map { try address($0) })
        }
        return AddressOrder.sorted(parsed, address: \.1) { target in
            parsed.first { $0.1 == target }?.2
        }.map(\.0)
    }

    // The examples of RFC 6724, 10.2, in which sources are given.
    @Test("Orders addresses as the examples of RFC 6724")
    func examples() throws {
        #expect(
            try order([("198.51.100.121", "198.51.100.117"), ("2001:db8:1::1", "2001:db8:1::2")])
                == ["2001:db8:1::1", "198.51.100.121"])
        #expect(
            try order([("2001:db8:1::1", "fe80::1"), ("198.51.100.121", "198.51.100.117")])
                == ["198.51.100.121", "2001:db8:1::1"])
        #expect(
            try order([("2001:db8:1::1", "2001:db8:1::2"), ("10.1.2.3", "10.1.2.4")])
                == ["2001:db8:1::1", "10.1.2.3"])
        #expect(
            try order([("2001:db8:1::1", "2001:db8:1::2"), ("fe80::1", "fe80::2")])
                == ["fe80::1", "2001:db8:1::1"])
        #expect(
            try order([
                ("2002:c633:6401::1", "2002:c633:6401::2"), ("2001:db8:1::1", "2002:c633:6401::2"),
            ]) == ["2002:c633:6401::1", "2001:db8:1::1"])
        #expect(
            try order([
                ("2002:c633:6401::1", "2002:c633:6401::2"), ("2001:db8:1::1", "2001:db8:1::2"),
            ]) == ["2001:db8:1::1", "2002:c633:6401::1"])
    }

    @Test("What can't be reached comes last, and equals keep their order")
    func unreachable() throws {
        #expect(try order([("2001:db8::1", nil), ("10.0.0.1", "10.0.0.9")]).last == "2001:db8::1")
        #expect(
            try order([("10.0.0.2", "10.0.0.9"), ("10.0.0.1", "10.0.0.9")])
                == ["10.0.0.2", "10.0.0.1"])
        #expect(try order([]).isEmpty)
    }

    @Test("Prefers the longest prefix in common with the source, of IPv6")
    func prefix() throws {
        #expect(
            try order([("2001:db8:2::1", "2001:db8:1::9"), ("2001:db8:1::1", "2001:db8:1::9")])
                == ["2001:db8:1::1", "2001:db8:2::1"])
    }
}
