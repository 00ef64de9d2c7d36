import Testing

@testable import RocketRPC

/// Rocket's codec and swift-protobuf's have equal results for all bytes.
@Suite("Protobuf coding of random messages")
struct ProtobufPropertyTests {
    /// Field numbers and wire types of kinds3.All; packed fields in both forms.
    private static let fields3: [(Int, Int)] =
        [
            (1, 1), (2, 5), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 5), (10, 1),
            (11, 5), (12, 1), (13, 0), (14, 2), (15, 2), (16, 0), (17, 2), (18, 0), (19, 2),
            (20, 0), (31, 1), (32, 5), (39, 5), (40, 1), (41, 5), (42, 1), (5000, 0),
            (536_870_911, 0),
        ] + (31...47).map { ($0, 2) } + (33...38).map { ($0, 0) } + [(43, 0), (46, 0), (48, 0)]
        + [(48, 2), (51, 0), (52, 2), (53, 2), (54, 0)] + (61...66).map { ($0, 2) }
        + (71...74).map { ($0, 2) }

    /// Those of kinds2.Whole, including extensions and groups.
    private static let fields2: [(Int, Int)] = [
        (1, 0), (1, 0), (1, 0), (2, 2), (3, 0), (4, 0), (5, 2), (5, 0), (6, 2), (6, 0), (7, 0),
        (8, 3), (9, 3), (10, 2), (11, 2), (12, 1), (13, 2), (14, 0), (15, 2), (16, 5), (17, 1),
        (100, 0), (101, 2), (102, 2),
    ]

    @Test("Messages of proto3 decode and encode as with swift-protobuf", arguments: 0..<8)
    func proto3(seed: UInt64) {
        check(CodingCases.all3, Self.fields3, seed)
    }

    @Test("Messages of proto2 decode and encode as with swift-protobuf", arguments: 0..<8)
    func proto2(seed: UInt64) {
        check(CodingCases.whole2, Self.fields2, seed)
    }

    @Test("Message sets decode and encode as with swift-protobuf", arguments: 0..<2)
    func messageSets(seed: UInt64) {
        check(CodingCases.open2, [(1, 3), (2, 0), (3, 2), (2000, 2)], seed)
    }

    private func check<M>(_ coding: CodingCase<M>, _ known: [(Int, Int)], _ seed: UInt64) {
        var source = RandomFields(
            random: SeededRandom(seed: seed), known: known.map { (number: $0.0, wire: $0.1) })
        for round in 0..<400 {
            let bytes = source.message()
            for candidate in [bytes, source.damaged(bytes)] {
                if let difference = coding.difference(decoding: candidate) {
                    Issue.record("seed \(seed), round \(round): \(candidate): \(difference)")
                    return
                }
            }
        }
    }
}

/// Generates the same numbers for the same seed on every machine.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
