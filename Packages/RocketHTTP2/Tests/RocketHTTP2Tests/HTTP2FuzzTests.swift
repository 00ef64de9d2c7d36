import Foundation
import RocketHTTP2TestKit
import Testing

@Suite struct HTTP2FuzzTests {
    @Test("Whatever is submitted, split, changed or injected, sessions keep what they promise")
    func operations() throws {
        for seed in 0..<400 as Range<UInt64> {
            var state = seed
            let bytes = (0..<80).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                // Half of the seeds change nothing on the way.
                let byte = UInt8(truncatingIfNeeded: state >> 33)
                return seed % 2 == 0 && (8...11).contains(byte & 15) ? byte & 0xF0 | 7 : byte
            }
            #expect(throws: Never.self, "seed \(seed)") { try HTTP2Fuzz.run(bytes) }
        }
    }

    @Test("The operations of the corpus")
    func corpus() throws {
        let folder =
            #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
            + "/Fuzz/Corpus/http2"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.count > 10)
        for name in names {
            let data = try Data(contentsOf: URL(filePath: folder + "/" + name))
            #expect(throws: Never.self, "\(name)") { try HTTP2Fuzz.run(Array(data)) }
        }
    }
}
