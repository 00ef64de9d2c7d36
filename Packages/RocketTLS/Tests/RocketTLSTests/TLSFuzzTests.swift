import Foundation
import RocketTLS
import RocketTLSTestKit
import Testing

@Suite struct TLSFuzzTests {
    private let fuzz: TLSFuzz

    init() throws {
        let folder = NSTemporaryDirectory() + "rocket-fuzz-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        fuzz = try TLSFuzz(inFolder: folder)
    }

    @Test("Whatever is sent, split, changed or injected: only what was sent arrives, in its order")
    func operations() throws {
        for seed in 0..<300 as Range<UInt64> {
            var state = seed
            let bytes = (0..<60).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                // Half of the seeds change nothing on the way.
                let byte = UInt8(truncatingIfNeeded: state >> 33)
                return seed % 2 == 0 && (5...6).contains(byte & 7) ? byte & 0xF8 | 4 : byte
            }
            #expect(throws: Never.self, "seed \(seed)") { try fuzz.run(bytes) }
        }
    }

    @Test("The operations of the corpus")
    func corpus() throws {
        let folder =
            #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
            + "/Fuzz/Corpus/tls"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.count > 3)
        for name in names {
            let data = try Data(contentsOf: URL(filePath: folder + "/" + name))
            #expect(throws: Never.self, "\(name)") { try fuzz.run(Array(data)) }
        }
    }
}
