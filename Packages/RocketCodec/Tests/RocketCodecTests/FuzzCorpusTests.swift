import RocketCodecFuzzing
import RocketSystem
import Testing

/// The fuzzers' corpus, run as a test through the same functions.
@Suite struct FuzzCorpusTests {
    /// The package's folder: three levels above this file.
    private static let corpus =
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Fuzz/Corpus"

    @Test(arguments: FuzzTarget.allCases)
    func everyInputKeepsTheContract(target: FuzzTarget) throws {
        let folder = "\(Self.corpus)/\(target.rawValue)"
        let names = try FileSystem.names(in: folder)
        #expect(names.count > 10)
        for name in names {
            let bytes = try FileContents.read("\(folder)/\(name)", limit: 1 << 20)
            #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func everyTargetTakesWhatWasMeantForTheOthers(target: FuzzTarget) throws {
        for other in FuzzTarget.allCases where other != target {
            let folder = "\(Self.corpus)/\(other.rawValue)"
            for name in try FileSystem.names(in: folder) {
                let bytes = try FileContents.read("\(folder)/\(name)", limit: 1 << 20)
                #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
            }
        }
    }
}
