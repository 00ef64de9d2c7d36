import RocketBase
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite struct SkippedFieldsTests {
    /// Keeps nothing.
    private let coding = _RPCMessageCoding<Google_Protobuf_Empty>(
        decode: { try $1.skipFields() }, encode: { try $0.traverse(visitor: &$1) })

    private func isAccepted(_ bytes: [UInt8]) -> Bool {
        (try? coding.message(from: bytes.span.bytes)) != nil
    }

    @Test("Skipped messages are accepted exactly if swift-protobuf accepts them", arguments: 0..<8)
    func random(seed: UInt64) {
        var source = RandomFields(
            random: SeededRandom(seed: seed),
            known: [(1, 0), (2, 1), (3, 2), (4, 5), (5, 3), (5000, 2)].map {
                (number: $0.0, wire: $0.1)
            })
        for round in 0..<400 {
            let bytes = source.message()
            for candidate in [bytes, source.damaged(bytes)] {
                let isValid = (try? Google_Protobuf_Empty(serializedBytes: candidate)) != nil
                #expect(isAccepted(candidate) == isValid, "seed \(seed), \(round): \(candidate)")
            }
        }
    }

    @Test("Skipped fields are not kept")
    func notKept() throws {
        let bytes: [UInt8] = [0x08, 0x01, 0x12, 0x02, 0x61, 0x62]
        let message = try coding.message(from: bytes.span.bytes)
        #expect(message.unknownFields.data.isEmpty)
    }
}
