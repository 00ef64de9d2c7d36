import Testing

@testable import RocketTCP

@Suite struct AddressInterleavingTests {
    private func order(_ texts: [String]) throws -> [String] {
        AddressInterleaving.interleaved(try texts.map { try NetAddress(parsing: $0) })
            .map(\.description)
    }

    @Test("Alternates the families, beginning with that of the first address")
    func familiesAlternate() throws {
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1", "10.0.0.2:1"]
        let wanted = ["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"]
        #expect(try order(given) == wanted)
    }

    @Test("Drops duplicates")
    func duplicatesAreDropped() throws {
        #expect(try order(["10.0.0.1:1", "10.0.0.1:1"]) == ["10.0.0.1:1"])
        #expect(try order([]) == [])
    }
}
