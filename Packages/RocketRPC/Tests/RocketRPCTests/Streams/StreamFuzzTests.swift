import Foundation
import Testing

/// The committed corpus of the fuzz targets of streams, and operations from a generator. See
/// Fuzz/README.md.
@Suite("Streams with frames in any order")
struct StreamFuzzTests {
    enum Target: String, CaseIterable {
        case server = "streams-server"
        case channel = "streams-channel"

        func run(_ bytes: [UInt8]) throws {
            switch self {
            case .server: try ServerStreamFuzz.run(bytes)
            case .channel: try ChannelStreamFuzz.run(bytes)
            }
        }

        /// The files of the corpus, with their names.
        func corpus() throws -> [(name: String, bytes: [UInt8])] {
            let folder =
                #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" }
                + "/Fuzz/Corpus/" + rawValue
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
                ($0, Array(try Data(contentsOf: URL(filePath: folder + "/" + $0))))
            }
        }
    }

    @Test("The operations of the corpus", arguments: Target.allCases)
    func corpus(_ target: Target) throws {
        let corpus = try target.corpus()
        #expect(corpus.count >= 10)
        for (name, bytes) in corpus {
            #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
        }
    }

    @Test("Whatever a peer sends, streams keep what they promise", arguments: Target.allCases)
    func operations(_ target: Target) throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["STREAM_FUZZ_INPUTS"].flatMap { UInt64($0) } ?? 60
        let first = environment["STREAM_FUZZ_FIRST"].flatMap { UInt64($0) } ?? 0
        let corpus = try target.corpus().map(\.bytes)
        for seed in first..<first + count {
            let bytes = Self.input(seed, corpus)
            #expect(throws: Never.self, "seed \(seed)") { try target.run(bytes) }
        }
    }

    /// Any operations, those of which the connection survives more, or files of the corpus one behind
    /// the other with some bytes changed.
    private static func input(_ seed: UInt64, _ corpus: [[UInt8]]) -> [UInt8] {
        var state = seed
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        if seed % 3 == 2 {
            var bytes = (0..<3).flatMap { _ in corpus[Int(next()) % corpus.count] }
            for _ in 0..<next() % 8 { bytes[Int(next()) % bytes.count] = next() }
            return bytes
        }
        return (0..<240).map { index in
            let byte = next()
            return seed % 3 == 1 && index % 4 == 0 && byte & 14 == 14 ? byte & 0xF7 : byte
        }
    }
}
