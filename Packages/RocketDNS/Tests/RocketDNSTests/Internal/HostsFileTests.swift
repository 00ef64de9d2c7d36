import RocketSystem
import Testing

@testable import RocketDNS

@Suite struct HostsFileTests {
    private let file = HostsFile(
        Array(
            """
            # comment a
            127.0.0.1\tlocalhost
            ::1 localhost ip6-localhost
            10.0.0.1 A.example a # b
            10.0.0.1 a
            10.0.0.2 a
            nonsense a
            10.0.0.3

            """.utf8))

    @Test("Finds all addresses of a name of both families")
    func find() throws {
        #expect(file.addresses(of: "LOCALHOST", families: .all).count == 2)
        #expect(file.addresses(of: "localhost", families: .ipv6).count == 1)
        #expect(
            file.addresses(of: "a", families: .all)
                == [.ipv4(bits: 0x0A00_0001, port: 0), .ipv4(bits: 0x0A00_0002, port: 0)])
        #expect(file.addresses(of: "a.example.", families: .all).count == 1)
        #expect(file.addresses(of: "b", families: .all).isEmpty)
        #expect(file.addresses(of: "10.0.0.3", families: .all).isEmpty)
    }

    @Test("Survives any bytes")
    func anyBytes() {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 3) }
        #expect(HostsFile(bytes).addresses(of: "a", families: .all).isEmpty)
    }
}
